import { DataError, InputError } from '../errors.js';
import { ABANDONED_SECONDS } from '../formats/heartbeat.js';
import type { Job } from './job.js';
import { type Run, shardCount, shardIndices, shardRange } from './plan.js';
import { listManifests, type ShardManifest, shardPaths, shardState } from './shard-files.js';
import { listWriters, silence } from './writers.js';

/** Shards looked at side by side: Node.js has four threads for files, which then never wait, and processes may open few of them. */
const AT_ONCE = 16;

/** How the shards of a run stand; indices ascend. */
export interface RunStatus {
  /** Manifests of those that are done, by index. */
  readonly done: ReadonlyMap<number, ShardManifest>;
  /** Some process has touched its data lately. */
  readonly running: readonly number[];
  /** To be run, for the first time or again: neither done nor running. Damaged ones are among them. */
  readonly missing: readonly number[];
  readonly damaged: readonly ShardProblem[];
  /** Files of other runs, or of shards that the plan does not have. They must be taken away by hand. */
  readonly foreign: readonly ShardProblem[];
  /** Units in finished shards. */
  readonly units: number;
}

/** A shard that is not as it should be, and why. */
export interface ShardProblem {
  readonly index: number;
  readonly reason: string;
}

/** @throws InputError if the folder of shards is missing; IoError */
export async function runStatus(run: Run, job: Job): Promise<RunStatus> {
  // Writers first: one that ends between the two is then seen twice and not never.
  const writers = await listWriters(run);
  const manifests = await listManifests(run);
  const indices = shardIndices(run.plan);
  const done = new Map<number, ShardManifest>();
  const running: number[] = [];
  const missing: number[] = [];
  const damaged: ShardProblem[] = [];
  const foreign: ShardProblem[] = [];
  let units = 0;
  for (let start = 0; start < indices.length; start += AT_ONCE) {
    const some = indices.slice(start, start + AT_ONCE);
    const states = await Promise.all(
      some.map((index) => (manifests.has(index) ? shardState(run, job, index) : undefined)),
    );
    for (const [k, index] of some.entries()) {
      const state = states[k];
      if (state?.state === 'done') {
        done.set(index, state.manifest);
        units += shardRange(run.plan, index).n;
        continue;
      }
      if (state?.state === 'foreign') {
        foreign.push({ index, reason: state.reason });
        continue;
      }
      if (state?.state === 'damaged') damaged.push({ index, reason: state.reason });
      if (await isWritten(writers.get(index))) running.push(index);
      else missing.push(index);
    }
  }
  const [first, last] = [indices[0], indices[indices.length - 1]];
  for (const index of manifests) {
    if (index >= first && index <= last) continue;
    const { manifest } = shardPaths(run, index);
    foreign.push({ index, reason: `${manifest}: no shard of the plan, which has ${first} to ${last}` });
  }
  return { done, running, missing, damaged, foreign, units };
}

async function isWritten(paths: readonly string[] = []): Promise<boolean> {
  for (const path of paths) {
    if (((await silence(path)) ?? Number.POSITIVE_INFINITY) < ABANDONED_SECONDS) return true;
  }
  return false;
}

/** The status of a run without damaged and foreign shards. @throws DataError if there are any; as `runStatus` */
export async function soundStatus(run: Run, job: Job): Promise<RunStatus> {
  const status = await runStatus(run, job);
  const [problem] = [...status.foreign, ...status.damaged];
  if (problem !== undefined) throw new DataError(problem.reason);
  return status;
}

/** A run all of whose shards are done, to be merged. */
export interface CompleteRun<J extends Job = Job> {
  readonly run: Run;
  readonly job: J;
  /** Of all shards, by index. */
  readonly manifests: ReadonlyMap<number, ShardManifest>;
}

/**
 * The run, if it is complete.
 * @throws InputError if shards are missing; DataError if some are damaged or foreign
 */
export async function requireComplete<J extends Job>(run: Run, job: J): Promise<CompleteRun<J>> {
  const { done, running, missing } = await soundStatus(run, job);
  if (running.length + missing.length === 0) return { run, job, manifests: done };
  const parts = [
    ...(missing.length > 0 ? [`${missing.length} missing (${formatIndices(missing)})`] : []),
    ...(running.length > 0 ? [`${running.length} still running (${formatIndices(running)})`] : []),
  ];
  throw new InputError(`${run.folder}: of ${shardCount(run.plan)} shards ${parts.join(', ')}`);
}

/** Ascending indices as schedulers take them: `3,17,40-42`. */
export function formatIndices(indices: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const index of indices) {
    const last = runs.at(-1);
    if (last !== undefined && index === last[1] + 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
