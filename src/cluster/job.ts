import { elementBytes } from '../formats/element-writer.js';
import { elementCount } from '../formats/shape.js';
import type { Progress } from '../progress.js';
import type { WorkerPool } from '../workers/index.js';

/** What can be cut into shards. */
export type JobKind = 'sample' | 'simulate' | 'reweight';
export const JOB_KINDS: readonly JobKind[] = ['sample', 'simulate', 'reweight'];

/** Consecutive units of a job, counted from its beginning. */
export interface UnitRange {
  readonly first: number;
  readonly n: number;
}

/** An array of a shard's data file. */
export interface TensorSpec {
  readonly name: string;
  /** As `.npy` calls it. */
  readonly type: '<f4' | '<f8';
  readonly shape: readonly number[];
}

/** What one block of units adds to the arrays of its shard. */
export interface JobBlock {
  /** The next elements of each array, by name. */
  readonly arrays: Readonly<Record<string, Float32Array | Float64Array>>;
  /** CRC-32 of all of them, one after the other in the order of the layout. */
  readonly checksum: number;
}

/** What a job is run with. */
export interface JobContext {
  readonly pool: WorkerPool;
  readonly signal?: AbortSignal;
  readonly onProgress?: Progress;
}

/** A computation over a range of units, any part of which gives the same bytes wherever and whenever it is done. */
export interface Job {
  readonly unit: 'samples' | 'chains';
  /** Units in all. */
  readonly units: number;
  /** Units of a block, the last of a shard may have fewer: what is computed, checked and computed again as one. */
  readonly block: number;
  /** Shards begin at multiples of this. */
  readonly grain: number;
  /** Arrays that hold the results of a range. */
  layout(range: UnitRange): readonly TensorSpec[];
  /** The results of a range that begins at a multiple of `grain`, in order. A block is valid until the next is asked for. */
  blocks(range: UnitRange, context: JobContext): AsyncIterable<JobBlock>;
  /** Units, in whole blocks, of which a merged result has something; all unless told otherwise. */
  readonly mergedUnits?: number;
  /**
   * The blocks of these units in a merged result, with as many of their arrays, and of these as many elements, as it has.
   * @throws DataError if it is the result of another job, or damaged
   */
  merged?(path: string): AsyncIterable<Pick<JobBlock, 'arrays'>>;
}

/** How many blocks a range has, the first of which begins with it. */
export function blockCount({ block }: Pick<Job, 'block'>, { n }: UnitRange): number {
  return Math.ceil(n / block);
}

/** Block k of a range. */
export function blockAt({ block }: Pick<Job, 'block'>, { first, n }: UnitRange, k: number): UnitRange {
  return { first: first + k * block, n: Math.min(block, n - k * block) };
}

/** Bytes of a unit in the data files of shards. */
export function unitBytes(job: Job): number {
  const bytes = job
    .layout({ first: 0, n: job.units })
    .reduce((sum, { type, shape }) => sum + elementCount(shape) * elementBytes(type), 0);
  return bytes / job.units;
}
