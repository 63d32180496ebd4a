import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { type BoltzmannGenerator, decodeModel, integratedBy } from '../../flows/index.js';
import { sha256 } from '../../formats/checksum.js';
import { readInput } from '../../formats/files.js';
import type { Integrator } from '../../integrators/index.js';
import type { Arithmetic, Precision } from '../../kernels/index.js';
import type { WeightReport } from '../../reweighting/weights.js';
import { blockIn, blockRoom, type SampleBlock } from '../../sampling/block-room.js';
import { summarize } from '../../sampling/block-summary.js';
import type { TargetKind } from '../../sampling/partial-folder.js';
import { drawnBlocks, requireRange, type SampleSet } from '../../sampling/sample.js';
import {
  type SampleStreamOptions,
  type SummarizedBlock,
  storeSamples,
  streamBlockSize,
} from '../../sampling/sample-stream.js';
import { ARRAYS, shapeOf, typeOf } from '../../sampling/set-arrays.js';
import type { SummarizedFacts } from '../../sampling/tasks.js';
import type { Job, JobBlock, JobContext, UnitRange } from '../job.js';
import { evenBoundaries, makePlan, type Plan, type Run } from '../plan.js';
import type { ShardManifest } from '../shard-files.js';
import { runBlocks } from '../stored-blocks.js';

/** Name of the model in its run folder. */
export const MODEL = 'model.safetensors';

/** Samples of a flow, as a plan says it. */
export interface SampleTask {
  /** SHA-256 of the model file. */
  readonly model: string;
  readonly seed: number;
  /** Global index of the first sample. */
  readonly first: number;
  readonly n: number;
  readonly precision: Precision;
  readonly arithmetic: Arithmetic;
  readonly integrator: Integrator;
}

/** A job of sampling with the generator that it draws from. */
export interface SampleJob extends Job {
  readonly task: SampleTask;
  readonly generator: BoltzmannGenerator;
}

/** @throws UsageError for a seed, range or number of shards out of bounds */
export function planSamples(
  generator: BoltzmannGenerator,
  task: Omit<SampleTask, 'integrator'>,
  { shards, firstIndex = 0 }: { shards: number; firstIndex?: number },
): Plan<SampleTask> {
  requireRange(task);
  return makePlan({
    job: 'sample',
    task: { ...task, integrator: generator.flow.integrator },
    block: streamBlockSize(generator),
    firstIndex,
    boundaries: evenBoundaries(task.n, shards, 1, 'samples'),
  });
}

/** @throws InputError if the model of the run is missing; DataError if it is another */
export async function openSampleJob({ folder, plan }: Run): Promise<SampleJob> {
  const task = plan.task as SampleTask;
  const path = join(folder, MODEL);
  const bytes = await readInput(path);
  const hash = sha256(bytes);
  if (hash !== task.model) throw new DataError(`${path}: its SHA-256 is ${hash}, the plan has ${task.model}`);
  return sampleJob(integratedBy(decodeModel(bytes, path).generator, task.integrator), task, plan.block);
}

function sampleJob(generator: BoltzmannGenerator, task: SampleTask, block: number): SampleJob {
  const { particles, dimensions } = generator.prior;
  const { n, first, precision } = task;
  return {
    task,
    generator,
    unit: 'samples',
    units: n,
    block,
    grain: 1,
    layout(range) {
      const set = { ...range, particles, dimensions, precision, species: generator.target.species };
      return ARRAYS.map((name) => ({ name, type: typeOf(name, set), shape: shapeOf(name, set) }));
    },
    async *blocks(range: UnitRange, { pool, signal, onProgress }: JobContext): AsyncGenerator<JobBlock> {
      const options = { ...task, ...range, first: first + range.first, size: block, ...(signal ? { signal } : {}) };
      let done = 0;
      for await (const drawn of drawnBlocks<SummarizedFacts>('summarizedSampleBlock', generator, options, pool)) {
        const { x, logQ, energy, logWeight, summary } = drawn;
        yield { arrays: { x, logQ, energy, logWeight }, checksum: summary.checksum };
        done += logQ.length;
        onProgress?.({ stage: 'sampling', done, total: range.n });
      }
    },
  };
}

/** What of a run goes into a merged set. */
export interface MergeInput {
  readonly run: Run;
  readonly job: SampleJob;
  /** Of all shards, by index. */
  readonly manifests: ReadonlyMap<number, ShardManifest>;
}

/**
 * Writes the samples of all shards as one set, a folder or an HDF5 file: the bytes that one process would have written.
 *
 * @returns the report on the weights
 * @throws DataError if a shard is not what its manifest says, or a weight is NaN or infinite; what `sampleToFolder` throws
 */
export function mergeSamples(
  path: string,
  kind: TargetKind,
  input: MergeInput,
  options: Pick<SampleStreamOptions, 'signal' | 'onProgress' | 'checkpointSeconds'> = {},
): Promise<WeightReport> {
  const { generator, task } = input.job;
  async function* blocks(done: number): AsyncGenerator<SummarizedBlock> {
    for await (const block of mergedBlocks(input, streamBlockSize(generator), done)) {
      yield { ...block, summary: summarize(block) };
    }
  }
  return storeSamples(path, kind, generator, { ...task, ...options }, { work: 'merging', blocks });
}

/** The samples of all shards in memory. @throws as `mergeSamples` */
export async function mergedSampleSet(input: MergeInput): Promise<SampleSet> {
  const { task, generator } = input.job;
  const { particles, dimensions, kT } = generator.prior;
  const blocks = mergedBlocks(input, task.n, 0);
  const { value } = await blocks.next();
  await blocks.return(undefined);
  return { n: task.n, particles, dimensions, kT, ...value! };
}

/** Samples from number `done` on in blocks of `size`, whatever the blocks of shards are. A block is valid until the next is asked for. */
async function* mergedBlocks(
  { run, job, manifests }: MergeInput,
  size: number,
  done: number,
): AsyncGenerator<SampleBlock, undefined> {
  const { n, first, precision } = job.task;
  const width = job.generator.prior.particles * job.generator.prior.dimensions;
  const shape = (count: number) => ({ n: count, coordinates: width, precision });
  const room = blockRoom(shape(Math.min(size, n - done)));
  let at = done;
  let filled = 0;
  let block = blockIn(room, shape(Math.min(size, n - at)));
  for await (const { arrays, range, shard } of runBlocks(run, job, manifests, done)) {
    const stored = arrays as unknown as SampleBlock;
    requireWeights(stored.logWeight, first + range.first, shard);
    for (let from = Math.max(0, at - range.first); from < range.n; ) {
      const count = Math.min(range.n - from, block.logQ.length - filled);
      for (const name of ARRAYS) {
        const scale = name === 'x' ? width : 1;
        block[name].set(stored[name].subarray(from * scale, (from + count) * scale), filled * scale);
      }
      [from, at, filled] = [from + count, at + count, filled + count];
      if (filled < block.logQ.length) continue;
      yield block;
      filled = 0;
      block = blockIn(room, shape(Math.min(size, n - at)));
    }
  }
}

function requireWeights(logWeight: Float64Array, first: number, shard: number): void {
  const bad = logWeight.findIndex((value) => !(value < Number.POSITIVE_INFINITY));
  if (bad < 0) return;
  throw new DataError(
    `shard ${shard}: sample ${first + bad} has log-weight ${logWeight[bad]}, expected a finite one or -Infinity`,
  );
}
