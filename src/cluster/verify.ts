import { DataError, InterruptedError } from '../errors.js';
import { bytesOf, type Elements } from '../formats/element-writer.js';
import { STREAM, scatteredIndices } from '../kernels/index.js';
import type { Job, JobBlock, JobContext, TensorSpec } from './job.js';
import { blocksOf } from './job.js';
import { type Run, shardRange } from './plan.js';
import { shardPaths } from './shard-files.js';
import { runStatus } from './status.js';
import { type StoredBlock, shardBlocks } from './stored-blocks.js';

/** How much a verification looked at. */
export interface RunVerification {
  /** Shards whose data are what their manifests say, and how many the plan has. */
  readonly shards: number;
  readonly planned: number;
  readonly blocks: number;
  /** Blocks that were computed again and came out with the same bytes. */
  readonly recomputed: number;
}

export interface VerifyOptions {
  /** How many blocks to compute again, spread over the run. */
  readonly recompute: number;
  /** Of the choice of blocks. */
  readonly seed: number;
}

/**
 * Reads the data of all finished shards, compares them with their checksums, and computes some blocks again.
 *
 * @throws DataError naming the shard, block and array that differ, or a damaged or foreign shard; InterruptedError if the signal
 *   aborts
 */
export async function verifyRun(
  run: Run,
  job: Job,
  { recompute, seed }: VerifyOptions,
  context: JobContext,
): Promise<RunVerification> {
  const { done, running, missing, damaged, foreign } = await runStatus(run, job);
  const [problem] = [...foreign, ...damaged];
  if (problem !== undefined) throw new DataError(problem.reason);
  const counts = [...done.keys()].map((index) => blocksOf(job, shardRange(run.plan, index)).length);
  const total = counts.reduce((a, b) => a + b, 0);
  const chosen = new Set(scatteredIndices(seed, STREAM.verification, total, Math.min(recompute, total)));
  const { signal, onProgress } = context;
  let blocks = 0;
  for (const [index, manifest] of done) {
    for await (const stored of shardBlocks(run, job, index, manifest)) {
      if (signal?.aborted) throw new InterruptedError('verification was interrupted; run it again');
      if (chosen.has(blocks)) await compareAgain(run, job, stored, context);
      blocks++;
      onProgress?.({ stage: 'verifying', done: blocks, total });
    }
  }
  return { shards: done.size, planned: done.size + running.length + missing.length, blocks, recomputed: chosen.size };
}

/** @throws DataError if the block comes out with other bytes */
async function compareAgain(run: Run, job: Job, stored: StoredBlock, { pool, signal }: JobContext): Promise<void> {
  const { shard, range } = stored;
  const again: JobBlock[] = [];
  for await (const block of job.blocks(range, { pool, ...(signal ? { signal } : {}) })) again.push(block);
  for (const tensor of job.layout(range)) {
    const difference = firstDifference(stored.arrays[tensor.name], again[0].arrays[tensor.name]);
    if (difference < 0) continue;
    throw new DataError(`${shardPaths(run, shard).data}: ${describe(job, stored, again[0], tensor, difference)}`);
  }
}

function describe(job: Job, stored: StoredBlock, again: JobBlock, { name }: TensorSpec, at: number): string {
  const { first, n } = stored.range;
  const [found, expected] = [stored.arrays[name][at], again.arrays[name][at]];
  return `'${name}' of ${job.unit} ${first} to ${first + n - 1}: element ${at} is ${found}, computed again ${expected}`;
}

/** Index of the first element whose bytes differ, −1 if there is none. */
function firstDifference(a: Elements, b: Elements): number {
  const [bytes, others] = [bytesOf(a), bytesOf(b)];
  if (Buffer.compare(bytes, others) === 0) return -1;
  return Math.floor(bytes.findIndex((byte, i) => byte !== others[i]) / a.BYTES_PER_ELEMENT);
}
