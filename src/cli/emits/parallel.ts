import { join, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { shellWords } from '../../cluster/emit/emit.js';
import { type ParallelOptions, parallelScripts } from '../../cluster/emit/parallel.js';
import { integer } from '../options.js';
import { type EmitOptions, lines, runFacts, withEmitOptions, writeEmitted } from './run.js';

interface Options extends EmitOptions, Omit<ParallelOptions, 'sshLoginFile'> {
  sshloginfile?: string;
}

export function emitParallelCommand(): Command {
  const command = new Command('parallel').description(
    'a script for GNU parallel, on this machine or over ssh; run.sh runs what is missing, again and again, and merges',
  );
  return withEmitOptions(command)
    .addOption(new Option('--threads <integer>', 'threads of a shard').default(1).argParser(integer(1, 1024)))
    .addOption(
      new Option(
        '--jobs <integer>',
        'shards at once on each machine (default: its processors over --threads)',
      ).argParser(integer(1, 4096)),
    )
    .addOption(
      new Option(
        '--sshloginfile <path>',
        'machines, as GNU parallel takes them; they see the run folder and equiflow by the same paths',
      ),
    )
    .addOption(lines('--setup', 'line of shell before equiflow starts, such as "module load nodejs"'))
    .action(run);
}

async function run({ sshloginfile, ...options }: Options): Promise<void> {
  const facts = await runFacts(options);
  const machines = sshloginfile === undefined ? {} : { sshLoginFile: resolve(sshloginfile) };
  const script = join(relative('.', facts.run), 'parallel/run.sh');
  await writeEmitted(facts.run, parallelScripts(facts, { ...options, ...machines }), `next: ${shellWords([script])}`);
}
