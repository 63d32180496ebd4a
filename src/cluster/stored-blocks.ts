import { type FileHandle, open } from 'node:fs/promises';
import { DataError, InterruptedError } from '../errors.js';
import { beginsWith, bytesOf, type Elements, elementBytes, readWhole } from '../formats/element-writer.js';
import { asInputError } from '../formats/system-errors.js';
import { blockAt, type Job, type JobBlock, type JobContext, type UnitRange } from './job.js';
import { type Run, shardIndices, shardRange } from './plan.js';
import { arraysChecksum, type ShardManifest, shardLayout, shardPaths } from './shard-files.js';
import type { CompleteRun } from './status.js';

/** A block as a finished shard has it. */
export interface StoredBlock extends JobBlock {
  readonly shard: number;
  readonly range: UnitRange;
}

/**
 * The blocks of a finished shard in order, each compared with its checksum.
 * @throws DataError naming the shard, where it is not what its manifest says
 */
export async function* shardBlocks(
  run: Run,
  job: Job,
  index: number,
  { blocks: checksums }: ShardManifest,
): AsyncGenerator<StoredBlock> {
  const { data, manifest } = shardPaths(run, index);
  const damage = (what: string) => new DataError(`${data}: ${what}: remove ${manifest} and run shard ${index} again`);
  const { tensors, header, blocks, counts } = shardLayout(run, job, index);
  let handle: FileHandle | undefined;
  try {
    handle = await open(data, 'r');
    if (!(await beginsWith(handle, header.bytes))) throw damage('its header is not that of this shard');
    const places = [...header.starts];
    for (let k = 0; k < blocks; k++) {
      const arrays: Record<string, Elements> = {};
      const sizes = counts(k);
      for (const [i, { name, type }] of tensors.entries()) {
        const count = sizes[name];
        arrays[name] = type === '<f4' ? new Float32Array(count) : new Float64Array(count);
        if (!(await readWhole(handle, bytesOf(arrays[name]), places[i]))) throw damage('truncated');
        places[i] += count * elementBytes(type);
      }
      if (arraysChecksum(tensors, arrays) !== checksums[k]) {
        throw damage(`the checksum of block ${k} is not that in the manifest`);
      }
      yield { shard: index, range: blockAt(job, shardRange(run.plan, index), k), arrays, checksum: checksums[k] };
    }
  } catch (error) {
    throw asInputError(error, data);
  } finally {
    await handle?.close();
  }
}

/** What a merge is interrupted by, and who hears of its progress. */
export type MergeContext = Omit<JobContext, 'pool'>;

/**
 * All blocks of a run in order, to be merged.
 *
 * @param from shards that end before this unit are passed over
 * @throws as `shardBlocks`; InterruptedError if the signal aborts
 */
export async function* runBlocks(
  { run, job, manifests }: CompleteRun,
  { signal, onProgress }: MergeContext = {},
  from = 0,
): AsyncGenerator<StoredBlock> {
  for (const index of shardIndices(run.plan)) {
    const { first, n } = shardRange(run.plan, index);
    if (first + n <= from) continue;
    for await (const block of shardBlocks(run, job, index, manifests.get(index)!)) {
      if (signal?.aborted) throw new InterruptedError('merging was interrupted; run it again');
      yield block;
      onProgress?.({ stage: 'merging', done: block.range.first + block.range.n, total: job.units });
    }
  }
}
