import { weightBlocks } from '../../reweighting/blocks.js';
import type { WeightReport } from '../../reweighting/weights.js';
import { blockIn, blockRoom, type SampleBlock } from '../../sampling/block-room.js';
import { summarize } from '../../sampling/block-summary.js';
import type { TargetKind } from '../../sampling/partial-folder.js';
import type { SampleSet } from '../../sampling/sample.js';
import {
  type SampleStreamOptions,
  type SummarizedBlock,
  storeSamples,
  streamBlockSize,
} from '../../sampling/sample-stream.js';
import { ARRAYS } from '../../sampling/set-arrays.js';
import { WeightStream } from '../../sampling/weight-stream.js';
import type { CompleteRun } from '../status.js';
import { type MergeContext, runBlocks } from '../stored-blocks.js';
import type { SampleJob } from './sample-job.js';
import { requireWeights } from './weights.js';

/**
 * Writes the samples of all shards as one set, a folder or an HDF5 file: the bytes that one process would have written.
 *
 * @returns the report on the weights
 * @throws DataError if a shard is not what its manifest says, or a weight is NaN or infinite; what `sampleToFolder` throws
 */
export function mergeSamples(
  path: string,
  kind: TargetKind,
  complete: CompleteRun<SampleJob>,
  options: Pick<SampleStreamOptions, 'signal' | 'onProgress' | 'checkpointSeconds'> = {},
): Promise<WeightReport> {
  const { generator, task } = complete.job;
  async function* blocks(done: number): AsyncGenerator<SummarizedBlock> {
    for await (const block of joinedBlocks(complete, streamBlockSize(generator), done)) {
      yield { ...block, summary: summarize(block) };
    }
  }
  return storeSamples(path, kind, generator, { ...task, ...options }, { work: 'merging', blocks });
}

/**
 * What the weights of all shards say, without a merged set.
 * @throws as `mergeSamples`; InterruptedError if the signal aborts
 */
export async function mergedWeights(
  complete: CompleteRun<SampleJob>,
  context: MergeContext = {},
): Promise<WeightReport> {
  const { generator, task } = complete.job;
  const weights = new WeightStream(task.n);
  for await (const { logWeight } of joinedBlocks(complete, streamBlockSize(generator), 0, context)) {
    weights.add(logWeight, weightBlocks(logWeight));
  }
  return weights.report();
}

/** The samples of all shards in memory. @throws as `mergedWeights` */
export async function mergedSampleSet(
  complete: CompleteRun<SampleJob>,
  context: MergeContext = {},
): Promise<SampleSet> {
  const { task, generator } = complete.job;
  const { particles, dimensions, kT } = generator.prior;
  const blocks = joinedBlocks(complete, task.n, 0, context);
  const { value } = await blocks.next();
  await blocks.return(undefined);
  return { n: task.n, particles, dimensions, kT, ...value! };
}

/** Samples from number `done` on in blocks of `size`, whatever the blocks of shards are. A block is valid until the next is asked for. */
async function* joinedBlocks(
  complete: CompleteRun<SampleJob>,
  size: number,
  done: number,
  context: MergeContext = {},
): AsyncGenerator<SampleBlock, undefined> {
  const { job } = complete;
  const { n, first, precision } = job.task;
  const width = job.generator.prior.particles * job.generator.prior.dimensions;
  const shape = (count: number) => ({ n: count, coordinates: width, precision });
  const room = blockRoom(shape(Math.min(size, n - done)));
  let at = done;
  let filled = 0;
  let block = blockIn(room, shape(Math.min(size, n - at)));
  for await (const { arrays, range, shard } of runBlocks(complete, context, done)) {
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
