import { InterruptedError } from '../../errors.js';
import {
  CHAINS_PER_GROUP,
  type ChainsRun,
  recordsPerChain,
  resolveSettings,
  runGroups,
  type SamplingOptions,
  type Simulation,
  SimulationFold,
  type SimulationPlan,
  type SimulationSettings,
} from '../../samplers/index.js';
import { describeSystem, type System, systemDefinition, systemFromDescription } from '../../systems/index.js';
import type { Job, JobBlock, JobContext, UnitRange } from '../job.js';
import { type Cut, evenBoundaries, makePlan, PLAN, type Plan, type Run } from '../plan.js';
import { arraysChecksum } from '../shard-files.js';
import type { CompleteRun } from '../status.js';
import { runBlocks } from '../stored-blocks.js';
import { mergedBlocks } from './merged-blocks.js';

/** Markov chains, as a plan says it. */
export interface SimulateTask {
  /** As `systemFromDescription` reads it. */
  readonly system: unknown;
  /** Configurations in all. */
  readonly n: number;
  readonly settings: SimulationSettings;
}

/** A job of chains with what decides their records. */
export interface SimulateJob extends Job {
  readonly simulation: SimulationPlan;
}

/** @throws UsageError for settings or a number of shards out of range */
export function planSimulation(
  system: System,
  options: SamplingOptions,
  { shards, firstIndex = 0 }: Cut,
): Plan<SimulateTask> {
  const settings = resolveSettings(system, options);
  return makePlan({
    job: 'simulate',
    task: { system: wholeDescription(system), n: options.n, settings },
    block: CHAINS_PER_GROUP,
    firstIndex,
    boundaries: evenBoundaries(settings.chains, shards, CHAINS_PER_GROUP, 'chains'),
  });
}

/** A definition from a file may have the terms of a preset and yet start elsewhere. */
function wholeDescription(system: System): unknown {
  const description = describeSystem(system);
  const same = JSON.stringify(systemFromDescription(description, PLAN)) === JSON.stringify(system);
  return same ? description : systemDefinition(system);
}

/** The chains of a run, ready to be run. */
export function openSimulateJob({ plan }: Run): SimulateJob {
  const { system: description, n, settings } = plan.task as SimulateTask;
  const system = systemFromDescription(description, PLAN);
  const simulation = { system, n, settings };
  const { particles, dimensions } = system;
  const records = recordsPerChain(simulation);
  const layout = ({ n: chains }: UnitRange) => [
    { name: 'x', type: '<f8' as const, shape: [chains * records, particles, dimensions] },
    { name: 'energy', type: '<f8' as const, shape: [chains * records] },
    { name: 'virial', type: '<f8' as const, shape: [chains * records] },
    { name: 'acceptance', type: '<f8' as const, shape: [chains] },
    { name: 'stepSizes', type: '<f8' as const, shape: [chains] },
  ];
  return {
    simulation,
    unit: 'chains',
    units: settings.chains,
    block: plan.block,
    grain: CHAINS_PER_GROUP,
    layout,
    // The last chains may have no record in the result.
    mergedUnits: Math.min(settings.chains, Math.ceil(n / (plan.block * records)) * plan.block),
    merged(path) {
      // The step size in a manifest is the mean of those that the warm-ups found.
      const { stepSize: _, ...given } = settings;
      const facts = { system: describeSystem(system), ...given, n };
      return mergedBlocks(path, facts, ['x', 'energy'], plan.block * records);
    },
    async *blocks({ first, n: chains }: UnitRange, { pool, ...options }: JobContext): AsyncGenerator<JobBlock> {
      for await (const { x, energy, virial, acceptance, stepSizes } of runGroups(
        simulation,
        { first, chains },
        pool,
        options,
      )) {
        const arrays = { x, energy, virial, acceptance, stepSizes };
        yield { arrays, checksum: arraysChecksum(layout({ first, n: acceptance.length }), arrays) };
      }
    },
  };
}

/**
 * The simulation of all chains.
 * @throws InterruptedError if the signal aborts
 */
export async function mergeSimulation(
  complete: CompleteRun<SimulateJob>,
  { signal, onProgress }: Omit<JobContext, 'pool'> = {},
): Promise<Simulation> {
  const { simulation, units } = complete.job;
  const fold = new SimulationFold(simulation);
  for await (const { arrays, range } of runBlocks(complete)) {
    if (signal?.aborted) throw new InterruptedError('merging was interrupted; run it again');
    fold.add(arrays as unknown as ChainsRun);
    onProgress?.({ stage: 'merging', done: range.first + range.n, total: units });
  }
  return fold.result();
}
