import { UsageError } from '../errors.js';
import type { Progress } from '../progress.js';
import { type System, startConfiguration } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import type { Chains, ChainsRun } from './chains.js';
import type { SimulationSettings } from './settings.js';

/** The chains 4k … 4k+3 share a step size and always run together, see chains.ts; any other split changes nothing. */
export const QUAD = 4;

/**
 * Chains of a group beyond which hardly any time is saved, by `npm run bench -- mcmc`: small systems wait for latencies and calls,
 * which chains side by side share; large ones do not.
 */
const MOST_CHAINS = 32;
const FEWEST_CHAINS = 8;
const FULL_COORDINATES = 600;

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
  /** A multiple of `QUAD`. */
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

/** How many chains one worker runs at a time, if there are enough: as many as are fastest, and no more. */
export function fullGroup({ particles, dimensions }: System): number {
  const quads = Math.ceil(FULL_COORDINATES / (QUAD * particles * dimensions));
  return Math.min(MOST_CHAINS, Math.max(FEWEST_CHAINS, QUAD * quads));
}

/**
 * Cuts chains into groups, one after the other: none larger than a full one, as equal as quads allow, and as many for each worker.
 * Group k has the chains from boundaries[k] to before boundaries[k + 1].
 */
export function groupBoundaries(system: System, chains: number, workers: number): number[] {
  const quads = Math.ceil(chains / QUAD);
  const rounds = Math.ceil(chains / (fullGroup(system) * workers));
  const groups = Math.min(quads, rounds * workers);
  return Array.from({ length: groups + 1 }, (_, k) => Math.min(chains, QUAD * Math.floor((k * quads) / groups)));
}

/**
 * Runs chains on the pool and yields them in order, group by group. How they are grouped depends on the number of workers, and what
 * comes of a chain does not.
 * @throws UsageError for a start of another length
 */
export async function* runGroups(
  plan: SimulationPlan,
  range: ChainRange,
  pool: WorkerPool,
  { onProgress, signal }: GroupOptions = {},
): AsyncGenerator<ChainsRun> {
  const { warmUp, stride } = plan.settings;
  const total = range.chains * (warmUp + stride * recordsPerChain(plan));
  const boundaries = groupBoundaries(plan.system, range.chains, pool.workers);
  const steps = new Float64Array(boundaries.length - 1);
  let done = 0;
  const options = {
    ...(signal ? { signal } : {}),
    onMessage: (message: unknown, index: number) => {
      done += ((message as number) - steps[index]) * (boundaries[index + 1] - boundaries[index]);
      steps[index] = message as number;
      onProgress?.({ stage: 'simulating', done, total });
    },
  };
  yield* pool.map<Chains, ChainsRun>(TASK, groupsOf(plan, range.first, boundaries), options);
}

/** The groups between boundaries counted from chain `first`, all from one start. */
function* groupsOf(plan: SimulationPlan, first: number, boundaries: readonly number[]): Generator<Chains> {
  const { system, settings, start = startConfiguration(system) } = plan;
  const C = system.particles * system.dimensions;
  if (start.length !== C) throw new UsageError(`simulate: start has ${start.length} coordinates, expected ${C}`);
  const { chains: _, adapted: adapt, ...rest } = settings;
  const records = recordsPerChain(plan);
  for (let k = 0; k + 1 < boundaries.length; k++) {
    const chains = boundaries[k + 1] - boundaries[k];
    const starts = new Float64Array(chains * C);
    for (let c = 0; c < chains; c++) starts.set(start, c * C);
    yield { ...rest, system, adapt, firstChain: first + boundaries[k], chains, start: starts, records };
  }
}
