import { UsageError } from '../errors.js';
import type { Progress } from '../progress.js';
import { type System, startConfiguration } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import type { Chains, ChainsRun } from './chains.js';
import type { SimulationSettings } from './settings.js';

/** Chains that a worker runs at a time: a multiple of four, and of fixed size so that the split changes nothing. */
export const CHAINS_PER_GROUP = 32;

const TASK = { module: new URL('./tasks.js', import.meta.url), name: 'chainsTask' };

/** All that decides the records of a simulation. */
export interface SimulationPlan {
  readonly system: System;
  /** Configurations in all. */
  readonly n: number;
  readonly settings: SimulationSettings;
  /** Start of every chain [N, D]; the system's low-energy configuration by default. */
  readonly start?: Float64Array;
}

/** Consecutive chains. */
export interface ChainRange {
  /** A multiple of `CHAINS_PER_GROUP`. */
  readonly first: number;
  readonly chains: number;
}

/** Who hears of progress, and what stops the run. */
export interface GroupOptions {
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/** Records of every chain; those beyond n in all serve the estimates only. */
export function recordsPerChain({ n, settings }: Pick<SimulationPlan, 'n' | 'settings'>): number {
  return Math.ceil(n / settings.chains);
}

/**
 * Runs chains on the pool, group by group in order: what comes of a group does not depend on the range.
 * @throws UsageError for a start of another length
 */
export async function* runGroups(
  plan: SimulationPlan,
  range: ChainRange,
  pool: WorkerPool,
  { onProgress, signal }: GroupOptions = {},
): AsyncGenerator<ChainsRun> {
  const { warmUp, stride } = plan.settings;
  const steps = warmUp + stride * recordsPerChain(plan);
  const groups = Math.ceil(range.chains / CHAINS_PER_GROUP);
  const done = new Float64Array(groups);
  const options = {
    ...(signal ? { signal } : {}),
    onMessage: (message: unknown, index: number) => {
      done[index] = message as number;
      onProgress?.({ stage: 'simulating', done: done.reduce((a, b) => a + b, 0), total: steps * groups });
    },
  };
  yield* pool.map<Chains, ChainsRun>(TASK, groupsOf(plan, range), options);
}

/** The chains of a range in groups of fixed size, all from one start. */
function* groupsOf(plan: SimulationPlan, { first, chains: all }: ChainRange): Generator<Chains> {
  const { system, settings, start = startConfiguration(system) } = plan;
  const C = system.particles * system.dimensions;
  if (start.length !== C) throw new UsageError(`simulate: start has ${start.length} coordinates, expected ${C}`);
  const { chains: _, adapted: adapt, ...rest } = settings;
  const records = recordsPerChain(plan);
  for (let done = 0; done < all; done += CHAINS_PER_GROUP) {
    const chains = Math.min(CHAINS_PER_GROUP, all - done);
    const starts = new Float64Array(chains * C);
    for (let c = 0; c < chains; c++) starts.set(start, c * C);
    yield { ...rest, system, adapt, firstChain: first + done, chains, start: starts, records };
  }
}
