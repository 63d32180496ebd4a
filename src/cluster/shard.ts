import { appendFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DataError, InterruptedError } from '../errors.js';
import type { ShardTime } from './cost.js';
import { blockCount, type Job, type JobContext, type UnitRange } from './job.js';
import { type Run, shardRange } from './plan.js';
import { shardState } from './shard-files.js';
import { ShardWriter } from './shard-writer.js';

/** Name of the log in the run folder: a line of JSON for each shard done, see `ShardRecord`. */
export const SHARDS_LOG = 'shards.log';

/** What a shard took in its last attempt, and where; nothing depends on it but estimates of time. */
export interface ShardRecord extends ShardTime {
  readonly host: string;
}

/** How a call of `runShard` ended. */
export interface ShardOutcome {
  /** `found` if another call has done the shard. */
  readonly outcome: 'done' | 'found';
  readonly range: UnitRange;
  /** Units that an earlier, interrupted attempt had left. */
  readonly resumed: number;
}

/**
 * Does one shard of a run, unless it is done. It may be called for the same shard by any number of processes, one after the other
 * or at once. What is done when `signal` aborts is kept for the next call.
 *
 * @throws UsageError for an index that the plan does not have; DataError if the shard's place is taken by another run's;
 *   InterruptedError if the signal aborts; IoError if the disk is full or fails; NumericalError as the job
 */
export async function runShard(run: Run, job: Job, index: number, context: JobContext): Promise<ShardOutcome> {
  const started = new Date();
  const range = shardRange(run.plan, index);
  const state = await shardState(run, job, index);
  if (state.state === 'done') return { outcome: 'found', range, resumed: 0 };
  if (state.state === 'foreign') throw new DataError(state.reason);

  const writer = await ShardWriter.open(run, job, index);
  const resumed = Math.min(range.n, writer.blocks * job.block);
  const rest = { first: range.first + resumed, n: range.n - resumed };
  const total = blockCount(job, range);
  try {
    for await (const block of rest.n > 0 ? job.blocks(rest, context) : []) {
      await writer.append(block);
      // Blocks that were under way may all be here before the pool hears of it.
      if (context.signal?.aborted && writer.blocks < total) throw new InterruptedError('aborted');
    }
  } catch (error) {
    const interrupted = error instanceof InterruptedError;
    await writer.leave(interrupted);
    if (!interrupted) throw error;
    const done = Math.min(range.n, writer.blocks * job.block);
    throw new InterruptedError(
      `shard ${index} was interrupted at ${done} of ${range.n} ${job.unit}; run it again to go on`,
      {
        cause: error,
      },
    );
  }
  // Another process may have done it meanwhile; files that a merge may be reading are not replaced by equal ones.
  const now = await shardState(run, job, index).catch(async (error) => {
    await writer.leave(true).catch(() => {});
    throw error;
  });
  if (now.state === 'done') {
    await writer.leave(false);
    return { outcome: 'found', range, resumed: 0 };
  }
  await writer.finish();
  const seconds = (Date.now() - started.getTime()) / 1000;
  await record(run, {
    index,
    n: rest.n,
    host: hostname(),
    workers: context.pool.workers,
    started: started.toISOString(),
    seconds,
  });
  return { outcome: 'done', range, resumed };
}

/**
 * One short write at the end of the file, so that lines of several writers do not mix; where machines share it over NFS one may
 * replace another. A shard that is done does not fail for its log.
 */
async function record(run: Run, line: ShardRecord): Promise<void> {
  await appendFile(join(run.folder, SHARDS_LOG), `${JSON.stringify(line)}\n`).catch(() => {});
}
