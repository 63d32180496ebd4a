import { createHash } from 'node:crypto';
import { DataError, InterruptedError, UsageError } from '../errors.js';
import { bytesOf, type Elements } from '../formats/element-writer.js';
import { readInput } from '../formats/files.js';
import { encodeNpyHeader } from '../formats/npy-header.js';
import { briefName, decodeText } from '../formats/text.js';
import { STREAM, scatteredIndices } from '../kernels/index.js';
import { blockAt, blockCount, type Job, type JobBlock, type JobContext, type UnitRange } from './job.js';
import { type Run, shardRange } from './plan.js';
import { manifestText, type ShardManifest, shardLayout, shardPaths } from './shard-files.js';
import { soundStatus } from './status.js';
import { shardBlocks } from './stored-blocks.js';

/** How much a verification looked at. */
export interface RunVerification {
  /** Blocks that are what was written, as their checksums say. */
  readonly blocks: number;
  /** Blocks that were computed again and came out with the same bytes. */
  readonly recomputed: number;
}

/** The same of shards. */
export interface ShardsVerification extends RunVerification {
  /** Shards that were there and are sound, and how many the plan has. */
  readonly shards: number;
  readonly planned: number;
}

/** How much is computed again. */
export interface VerifyOptions {
  /** How many blocks to compute again, spread over the run. */
  readonly recompute: number;
  /** Of the choice of blocks. */
  readonly seed: number;
}

/** A block that is to be what the job gives. */
interface ClaimedBlock extends Pick<JobBlock, 'arrays'> {
  readonly range: UnitRange;
  /** The file it stands in. */
  readonly file: string;
}

/**
 * Reads the data of all finished shards, compares them with their checksums, and computes some blocks again.
 *
 * @throws DataError naming the shard, block and array that differ, or a damaged or foreign shard; UsageError for a number of blocks
 *   that is none; InterruptedError if the signal aborts
 */
export async function verifyRun(
  run: Run,
  job: Job,
  options: VerifyOptions,
  context: JobContext,
): Promise<ShardsVerification> {
  const { done, running, missing } = await soundStatus(run, job);
  const total = [...done.keys()].reduce((sum, index) => sum + blockCount(job, shardRange(run.plan, index)), 0);
  const found = await compare(job, shardsBlocks(run, job, done), total, options, context);
  return { shards: done.size, planned: done.size + running.length + missing.length, ...found };
}

async function* shardsBlocks(
  run: Run,
  job: Job,
  manifests: ReadonlyMap<number, ShardManifest>,
): AsyncGenerator<ClaimedBlock> {
  for (const [index, manifest] of manifests) {
    const { data } = shardPaths(run, index);
    const layout = shardLayout(run, job, index);
    const hashes = new Map(
      layout.tensors.map(({ name, type, shape }) => [name, createHash('sha256').update(encodeNpyHeader(type, shape))]),
    );
    for await (const { range, arrays } of shardBlocks(run, job, index, manifest)) {
      for (const [name, hash] of hashes) hash.update(bytesOf(arrays[name]));
      yield { range, arrays, file: data };
    }
    const digest = (name: string) => hashes.get(name)!.digest('hex');
    await requireManifest(run, index, manifestText(run, index, layout, digest, manifest.blocks));
  }
}

/** Compares all that a manifest says, of which its readers need a part. @throws DataError naming the first line that differs */
async function requireManifest(run: Run, index: number, expected: string): Promise<void> {
  const { manifest } = shardPaths(run, index);
  const found = decodeText(await readInput(manifest), manifest, 'the manifest');
  if (found === expected) return;
  const [lines, wanted] = [found, expected].map((text) => text.split('\n'));
  const at = wanted.findIndex((line, k) => line !== lines[k]);
  const [is, was] = [lines, wanted].map((all) => briefName(all[at]?.trim() ?? 'missing'));
  throw new DataError(`${manifest}: line ${at + 1} is ${is}, expected ${was}: remove it and run shard ${index} again`);
}

/**
 * Reads a merged result, compares it with the checksums in its own manifest, and computes some blocks again. It needs no shards.
 *
 * @throws UsageError if the job merges into no file; DataError if the result is another run's or differs; InterruptedError
 */
export async function verifyMerged(
  path: string,
  job: Job,
  options: VerifyOptions,
  context: JobContext,
): Promise<RunVerification> {
  const { merged } = job;
  if (merged === undefined) throw new UsageError(`verify: ${path}: this job merges into figures, expected no file`);
  const all = { first: 0, n: job.mergedUnits ?? job.units };
  async function* blocks(): AsyncGenerator<ClaimedBlock> {
    let k = 0;
    for await (const { arrays } of merged!(path)) yield { range: blockAt(job, all, k++), arrays, file: path };
  }
  return compare(job, blocks(), blockCount(job, all), options, context);
}

/** Goes through all blocks and computes those again that are chosen. */
async function compare(
  job: Job,
  claimed: AsyncIterable<ClaimedBlock>,
  total: number,
  { recompute, seed }: VerifyOptions,
  context: JobContext,
): Promise<RunVerification> {
  if (!(recompute >= 0)) throw new UsageError(`verify: recompute is ${recompute}, expected a number of blocks`);
  const chosen = new Set(scatteredIndices(seed, STREAM.verification, total, Math.min(recompute, total)));
  const { signal, onProgress } = context;
  let blocks = 0;
  for await (const block of claimed) {
    if (signal?.aborted) throw new InterruptedError('verification was interrupted; run it again');
    if (chosen.has(blocks)) await computeAgain(job, block, context);
    blocks++;
    onProgress?.({ stage: 'verifying', done: blocks, total });
  }
  return { blocks, recomputed: chosen.size };
}

/** @throws DataError if the block comes out with other bytes */
async function computeAgain(
  job: Job,
  { file, range, arrays }: ClaimedBlock,
  { pool, signal }: JobContext,
): Promise<void> {
  for await (const again of job.blocks(range, { pool, ...(signal ? { signal } : {}) })) {
    for (const [name, found] of Object.entries(arrays)) {
      const at = firstDifference(found, again.arrays[name].subarray(0, found.length));
      if (at < 0) continue;
      const where = `'${name}' of ${job.unit} ${range.first} to ${range.first + range.n - 1}: element ${at}`;
      throw new DataError(`${file}: ${where} is ${found[at]}, computed again ${again.arrays[name][at]}`);
    }
  }
}

/** Index of the first element whose bytes differ, −1 if there is none. */
function firstDifference(a: Elements, b: Elements): number {
  const [bytes, others] = [bytesOf(a), bytesOf(b)];
  if (Buffer.compare(bytes, others) === 0) return -1;
  return Math.floor(bytes.findIndex((byte, i) => byte !== others[i]) / a.BYTES_PER_ELEMENT);
}
