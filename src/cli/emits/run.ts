import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import type { EmittedFile, RunFacts } from '../../cluster/emit/emit.js';
import { type Plan, shardCount } from '../../cluster/index.js';
import type { ReweightTask } from '../../cluster/jobs/reweight-job.js';
import { UsageError } from '../../errors.js';
import { writeOutput } from '../../formats/files.js';
import { asOutputError } from '../../formats/system-errors.js';
import { gathered } from '../options.js';
import { openRun, planOption } from '../run-options.js';

/** Where the program begins. */
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Options of every scheduler. */
export interface EmitOptions {
  plan: string;
  out?: string;
  command?: string;
}

/**
 * The command with these options.
 * @param start how equiflow starts unless the user says it
 */
export function withEmitOptions(command: Command, start = 'this Node.js and this program, by their paths'): Command {
  return command
    .addOption(planOption())
    .addOption(new Option('--out <path>', 'where the merge puts the result (default: inside the run folder)'))
    .addOption(
      new Option('--command <words>', `how equiflow starts where the shards run, parted by spaces (default: ${start})`),
    );
}

/** An option that may be given several times. */
export const lines = (name: string, description: string): Option =>
  new Option(`${name} <line>`, `${description}; may be given several times`).argParser(gathered(String));

/** Name of the result in the run folder; undefined where it is text alone. */
function resultName({ job, task }: Plan): string | undefined {
  switch (job) {
    case 'sample':
      return 'samples';
    case 'simulate':
      return 'data.npz';
    case 'reweight':
      return (task as ReweightTask).profiles.length > 0 ? 'profiles.csv' : undefined;
  }
}

/**
 * What is to be known of a run, by absolute paths.
 * @throws UsageError for options that do not go with it; InputError, DataError as `openRun`
 */
export async function runFacts({ plan: path, out, command }: EmitOptions): Promise<RunFacts> {
  const {
    run: { folder, plan },
  } = await openRun(path);
  const run = resolve(folder);
  const words = command === undefined ? [process.execPath, MAIN] : command.split(' ').filter((word) => word !== '');
  if (words.length === 0)
    throw new UsageError('--command is empty, expected how equiflow starts, such as "npx equiflow"');
  const result = resultName(plan);
  if (result === undefined && out !== undefined) {
    throw new UsageError(
      `--out is ${out}, but the result of a ${plan.job} without profiles is text, which goes to the log of the merge`,
    );
  }
  return {
    run,
    job: plan.job,
    hash: plan.hash,
    firstIndex: plan.firstIndex,
    shards: shardCount(plan),
    command: words,
    input: plan.job === 'reweight' ? (plan.task as ReweightTask).files.map((file) => file.path) : [],
    merge: result === undefined ? [] : ['--out', out === undefined ? join(run, result) : resolve(out)],
  };
}

/** Writes scripts into the run folder and says what to do with them. */
export async function writeEmitted(run: string, files: readonly EmittedFile[], next: string): Promise<void> {
  for (const { name, text, executable } of files) {
    const path = join(run, name);
    await mkdir(dirname(path), { recursive: true }).catch((error) => {
      throw asOutputError(error, dirname(path));
    });
    await writeOutput(path, new TextEncoder().encode(text));
    // Whoever may read it may run it.
    const { mode } = await stat(path);
    if (executable) await chmod(path, mode | ((mode & 0o444) >> 2));
  }
  process.stdout.write(`${files.map(({ name }) => `${join(run, name)}\n`).join('')}${next}\n`);
}
