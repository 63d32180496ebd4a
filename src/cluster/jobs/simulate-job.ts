import { DataError } from '../../errors.js';
import {
  type ChainsRun,
  checkSimulationSize,
  QUAD,
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
import { type Cut, evenBoundaries, firstIndexOf, makePlan, PLAN, type Plan, type Run } from '../plan.js';
import { arraysChecksum } from '../shard-files.js';
import type { CompleteRun } from '../status.js';
import { type MergeContext, runBlocks } from '../stored-blocks.js';
import { mergedBlocks } from './merged-blocks.js';
import { cutAsPlanned, FLAG, NUMBER, RECORD, readTask, requireFields, TEXT } from './task.js';

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

/**
 * A plan that cuts the chains of `simulate` at multiples of four.
 * @throws UsageError for settings or a number of shards out of range, or more configurations than the merge can write
 */
export function planSimulation(system: System, options: SamplingOptions, cut: Cut): Plan<SimulateTask> {
  const settings = resolveSettings(system, options);
  checkSimulationSize(system, options.n);
  return makePlan({
    job: 'simulate',
    task: { system: wholeDescription(system), n: options.n, settings },
    block: QUAD,
    firstIndex: firstIndexOf(cut),
    boundaries: evenBoundaries(settings.chains, cut.shards, QUAD, 'chains'),
  });
}

/** A definition from a file may have the terms of a preset and yet start elsewhere. */
function wholeDescription(system: System): unknown {
  const description = describeSystem(system);
  const same = JSON.stringify(systemFromDescription(description, PLAN)) === JSON.stringify(system);
  return same ? description : systemDefinition(system);
}

const FIELDS = { system: RECORD, n: NUMBER, settings: RECORD };
const SETTINGS = {
  seed: NUMBER,
  chains: NUMBER,
  sampler: TEXT,
  leapfrogSteps: NUMBER,
  warmUp: NUMBER,
  stride: NUMBER,
  stepSize: NUMBER,
  adapted: FLAG,
  kT: NUMBER,
};

/** @throws DataError or UsageError for a task that `planSimulation` would not make */
function simulationOf({ system: description, n, settings }: SimulateTask): SimulationPlan {
  requireFields(settings, SETTINGS, 'settings');
  const system = systemFromDescription(description, 'system');
  const { adapted, stepSize, leapfrogSteps, ...options } = settings;
  const planned = resolveSettings(system, {
    ...options,
    n,
    ...(options.sampler === 'hmc' ? { leapfrogSteps } : {}),
    ...(adapted ? {} : { stepSize }),
  });
  for (const name of ['adapted', 'stepSize', 'leapfrogSteps'] as const) {
    if (settings[name] !== planned[name]) {
      throw new DataError(`settings.${name} is ${settings[name]}, expected ${planned[name]}`);
    }
  }
  checkSimulationSize(system, n);
  return { system, n, settings: planned };
}

/** The chains of a run, ready to be run. @throws DataError if the plan makes no sense */
export function openSimulateJob(run: Run): SimulateJob {
  const simulation = readTask(run, FIELDS, simulationOf);
  const { system, n, settings } = simulation;
  const { particles, dimensions } = system;
  const records = recordsPerChain(simulation);
  const layout = ({ n: chains }: UnitRange) => [
    { name: 'x', type: '<f8' as const, shape: [chains * records, particles, dimensions] },
    { name: 'energy', type: '<f8' as const, shape: [chains * records] },
    { name: 'virial', type: '<f8' as const, shape: [chains * records] },
    { name: 'acceptance', type: '<f8' as const, shape: [chains] },
    { name: 'stepSizes', type: '<f8' as const, shape: [chains] },
  ];
  return cutAsPlanned(run, {
    simulation,
    unit: 'chains' as const,
    units: settings.chains,
    block: QUAD,
    grain: QUAD,
    layout,
    // The last chains may have no record in the result.
    mergedUnits: Math.min(settings.chains, Math.ceil(n / (QUAD * records)) * QUAD),
    merged(path: string) {
      // The step size in a manifest is the mean of those that the warm-ups found.
      const { stepSize: _, ...given } = settings;
      const facts = { system: describeSystem(system), ...given, n };
      return mergedBlocks(path, facts, ['x', 'energy'], QUAD * records);
    },
    async *blocks({ first, n: chains }: UnitRange, { pool, ...options }: JobContext): AsyncGenerator<JobBlock> {
      for await (const group of runGroups(simulation, { first, chains }, pool, options)) {
        for (const arrays of quads(group)) {
          yield { arrays, checksum: arraysChecksum(layout({ first, n: arrays.acceptance.length }), arrays) };
        }
      }
    },
  });
}

/** A group has as many chains as suit the pool, a block has always as many. */
function* quads({ x, energy, virial, acceptance, stepSizes }: ChainsRun) {
  const chains = acceptance.length;
  for (let first = 0; first < chains; first += QUAD) {
    const part = (values: Float64Array) => {
      const row = values.length / chains;
      return values.subarray(first * row, (first + QUAD) * row);
    };
    yield {
      x: part(x),
      energy: part(energy),
      virial: part(virial),
      acceptance: part(acceptance),
      stepSizes: part(stepSizes),
    };
  }
}

/**
 * The simulation of all chains.
 * @throws InterruptedError if the signal aborts
 */
export async function mergeSimulation(
  complete: CompleteRun<SimulateJob>,
  context: MergeContext = {},
): Promise<Simulation> {
  const fold = new SimulationFold(complete.job.simulation);
  for await (const { arrays } of runBlocks(complete, context)) {
    fold.add(arrays as unknown as ChainsRun);
  }
  return fold.result();
}
