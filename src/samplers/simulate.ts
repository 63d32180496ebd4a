import type { System } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import { type GroupOptions, runGroups, type SimulationPlan } from './groups.js';
import { resolveSettings, type SamplingOptions } from './settings.js';
import { type Simulation, SimulationFold } from './simulation.js';

/** What is simulated and how, and who hears of progress. */
export interface SimulationOptions extends SamplingOptions, GroupOptions {
  /** Start of every chain [N, D]; the system's low-energy configuration by default. */
  readonly start?: Float64Array;
}

/**
 * Markov chain Monte Carlo of exp(−U/kT) on the pool. Chain c depends on (system, settings, seed, c) alone.
 * @throws UsageError for settings out of range.
 */
export async function simulate(system: System, options: SimulationOptions, pool: WorkerPool): Promise<Simulation> {
  const { n, start } = options;
  const settings = resolveSettings(system, options);
  const plan: SimulationPlan = { system, n, settings, ...(start === undefined ? {} : { start }) };
  const fold = new SimulationFold(plan);
  for await (const run of runGroups(plan, { first: 0, chains: settings.chains }, pool, options)) fold.add(run);
  return fold.result();
}
