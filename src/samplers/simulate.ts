import { type Convergence, convergence } from '../analysis/convergence.js';
import { type Equilibration, equilibration } from '../analysis/equilibration.js';
import { type MeanEstimate, meanWithError } from '../analysis/index.js';
import { UsageError } from '../errors.js';
import type { Progress } from '../progress.js';
import { type System, startConfiguration } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import type { Chains, ChainsRun } from './chains.js';
import { resolveSettings, type SamplingOptions, type SimulationSettings } from './settings.js';

/** Chains that a worker runs at a time: a multiple of four, and of fixed size so that the split changes nothing. */
const CHAINS_PER_TASK = 32;

const TASKS = new URL('./tasks.js', import.meta.url);

/** What is simulated and how, and who hears of progress. */
export interface SimulationOptions extends SamplingOptions {
  /** Start of every chain [N, D]; the system's low-energy configuration by default. */
  readonly start?: Float64Array;
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/** The records of a simulation, and the diagnostics by which it is judged. */
export interface Simulation {
  readonly n: number;
  /** Configurations [n, N, D], chain by chain, each chain in the order of its steps. */
  readonly x: Float64Array;
  /** U [n]. */
  readonly energy: Float64Array;
  readonly chains: number;
  readonly recordsPerChain: number;
  readonly settings: SimulationSettings;
  /** Accepted fraction of all recorded steps. */
  readonly acceptance: number;
  /** Step size of the recorded steps of each chain. */
  readonly stepSizes: Float64Array;
  /** ⟨U⟩ with an error bar, or a refusal; its `tau` counts records, so times `stride` for steps. */
  readonly meanEnergy: MeanEstimate;
  /** ⟨x·∇U⟩, which is (N−1)D·kT for every U that confines: a check that needs no known answer. */
  readonly virial: MeanEstimate;
  readonly expectedVirial: number;
  /** R̂ and effective sample sizes of U. */
  readonly convergence: Convergence;
  /** Whether the warm-up was long enough, as U tells. */
  readonly equilibration: Equilibration;
}

/**
 * Markov chain Monte Carlo of exp(−U/kT) on the pool. Chain c depends on (system, settings, seed, c) alone.
 * @throws UsageError for settings out of range.
 */
export async function simulate(system: System, options: SimulationOptions, pool: WorkerPool): Promise<Simulation> {
  const { n, onProgress, signal } = options;
  const settings = resolveSettings(system, options);
  const inputs = chainGroups(
    system,
    settings,
    options.start ?? startConfiguration(system),
    Math.ceil(n / settings.chains),
  );
  const total = inputs.reduce((sum, { warmUp, stride, records }) => sum + warmUp + stride * records, 0);
  const stepsDone = new Array<number>(inputs.length).fill(0);
  const runs = await Promise.all(
    inputs.map((input, index) =>
      pool.run<Chains, ChainsRun>({ module: TASKS, name: 'chainsTask' }, input, {
        ...(signal ? { signal } : {}),
        onMessage: (steps) => {
          stepsDone[index] = steps as number;
          onProgress?.({ stage: 'simulating', done: stepsDone.reduce((a, b) => a + b, 0), total });
        },
      }),
    ),
  );
  return collect(system, n, settings, runs);
}

/** The chains in groups of fixed size, all from one start. */
function chainGroups(system: System, settings: SimulationSettings, start: Float64Array, records: number): Chains[] {
  const C = system.particles * system.dimensions;
  if (start.length !== C) throw new UsageError(`simulate: start has ${start.length} coordinates, expected ${C}`);
  const { chains: all, adapted, ...rest } = settings;
  const groups: Chains[] = [];
  for (let firstChain = 0; firstChain < all; firstChain += CHAINS_PER_TASK) {
    const chains = Math.min(CHAINS_PER_TASK, all - firstChain);
    const starts = new Float64Array(chains * C);
    for (let c = 0; c < chains; c++) starts.set(start, c * C);
    groups.push({ ...rest, system, adapt: adapted, firstChain, chains, start: starts, records });
  }
  return groups;
}

/** One result of the groups' runs, in order of chains; surplus records of the last chain are used for estimates only. */
function collect(system: System, n: number, settings: SimulationSettings, runs: readonly ChainsRun[]): Simulation {
  const { chains, kT } = settings;
  const { particles, dimensions } = system;
  const C = particles * dimensions;
  const recordsPerChain = Math.ceil(n / chains);
  const x = new Float64Array(n * C);
  const energy = new Float64Array(n);
  const stepSizes = new Float64Array(chains);
  const energies: Float64Array[] = [];
  const virials: Float64Array[] = [];
  let acceptance = 0;
  let row = 0;
  for (const run of runs) {
    const rows = Math.min(run.energy.length, n - row);
    x.set(run.x.subarray(0, rows * C), row * C);
    energy.set(run.energy.subarray(0, rows), row);
    row += rows;
    stepSizes.set(run.stepSizes, energies.length);
    for (let c = 0; c < run.acceptance.length; c++) {
      energies.push(run.energy.subarray(c * recordsPerChain, (c + 1) * recordsPerChain));
      virials.push(run.virial.subarray(c * recordsPerChain, (c + 1) * recordsPerChain));
      acceptance += run.acceptance[c] / chains;
    }
  }
  return {
    n,
    x,
    energy,
    chains,
    recordsPerChain,
    settings,
    acceptance,
    stepSizes,
    meanEnergy: meanWithError(energies),
    virial: meanWithError(virials),
    expectedVirial: (particles - 1) * dimensions * kT,
    convergence: convergence(energies),
    equilibration: equilibration(energies),
  };
}
