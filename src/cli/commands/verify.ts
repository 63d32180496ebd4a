import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import { type RunVerification, verifyMerged, verifyRun } from '../../cluster/index.js';
import { MAX_SEED } from '../../kernels/random.js';
import { integer, jsonOption, quietOption, workersOption } from '../options.js';
import { json } from '../outputs.js';
import { openRun, planOption } from '../run-options.js';
import { inSession } from '../session.js';

interface Options {
  plan: string;
  merged?: string;
  recompute: number;
  seed?: number;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('compare shards, or the merged result, with their checksums, and compute some blocks again')
    .addOption(planOption())
    .addOption(new Option('--merged <path>', 'the merged result instead of the shards, which may be gone'))
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

async function run(options: Options): Promise<void> {
  const { recompute, seed = randomBytes(4).readUInt32LE(), merged } = options;
  const { run, job } = await openRun(options.plan);
  await inSession(options, async ({ pool, progress, signal }) => {
    const context = { pool, signal, onProgress: progress.update };
    const choice = { recompute, seed };
    if (merged !== undefined) {
      const found = await verifyMerged(merged, job, choice, context);
      progress.finish();
      process.stdout.write(options.json ? json({ ...found, seed }) : text(`${merged}:`, found, seed));
      return;
    }
    const found = await verifyRun(run, job, choice, context);
    progress.finish();
    const subject = `${run.folder}: ${found.shards} of ${found.planned} shards,`;
    process.stdout.write(options.json ? json({ ...found, seed }) : text(subject, found, seed));
  });
}

function text(subject: string, { blocks, recomputed }: RunVerification, seed: number): string {
  const again = recomputed === 0 ? '' : `; ${recomputed} of them computed again with the same bytes (seed ${seed})`;
  return `${subject} ${blocks} blocks are what was written${again}\n`;
}
