import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import { type RunVerification, verifyRun } from '../../cluster/index.js';
import { MAX_SEED } from '../../kernels/random.js';
import { integer, jsonOption, quietOption, workersOption } from '../options.js';
import { json } from '../outputs.js';
import { openRun, planOption } from '../run-options.js';
import { inSession } from '../session.js';

interface Options {
  plan: string;
  recompute: number;
  seed?: number;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('compare the data of all shards with their checksums, and compute some blocks again')
    .addOption(planOption())
    .addOption(
      new Option('--recompute <count>', 'blocks to compute again and compare byte by byte')
        .default(0)
        .argParser(integer(0, 1e6)),
    )
    .addOption(
      new Option('--seed <integer>', 'of the choice of blocks (default: another one each time)').argParser(
        integer(0, MAX_SEED),
      ),
    )
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

async function run({ plan, recompute, seed = randomBytes(4).readUInt32LE(), ...options }: Options): Promise<void> {
  const { run, job } = await openRun(plan);
  await inSession(options, async ({ pool, progress, signal }) => {
    const context = { pool, signal, onProgress: progress.update };
    const verification = await verifyRun(run, job, { recompute, seed }, context);
    progress.finish();
    process.stdout.write(options.json ? json({ ...verification, seed }) : text(run.folder, verification, seed));
  });
}

function text(folder: string, { shards, planned, blocks, recomputed }: RunVerification, seed: number): string {
  const again = recomputed === 0 ? '' : `; ${recomputed} of them computed again with the same bytes (seed ${seed})`;
  return `${folder}: ${shards} of ${planned} shards, ${blocks} blocks are what was written${again}\n`;
}
