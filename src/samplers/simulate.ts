import { type MeanEstimate, meanWithError } from '../analysis/index.js';
import { UsageError } from '../errors.js';
import { MAX_SEED } from '../kernels/index.js';
import type { Progress } from '../progress.js';
import { type System, startConfiguration } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import type { MetropolisChains, MetropolisRun } from './metropolis.js';

/** Chains that a worker runs at a time: a multiple of four, and of fixed size so that the split changes nothing. */
const CHAINS_PER_TASK = 32;

const TASKS = new URL('./tasks.js', import.meta.url);

/** How a simulation goes; everything but `n` and `seed` has a default. */
export interface SimulationOptions {
  /** Configurations in all, over all chains. */
  readonly n: number;
  readonly seed: number;
  /** Independent chains; 1 gives one trajectory. */
  readonly chains?: number;
  /** Metropolis steps before recording starts, and between two records of a chain. */
  readonly warmUp?: number;
  readonly stride?: number;
  /** Standard deviation of the all-particle moves; the system's own by default. */
  readonly stepSize?: number;
  readonly kT?: number;
  /** Start of every chain [N, D]; the system's low-energy configuration by default. */
  readonly start?: Float64Array;
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

export interface Simulation {
  readonly n: number;
  /** Configurations [n, N, D], chain by chain, each chain in the order of its steps. */
  readonly x: Float64Array;
  /** U [n]. */
  readonly energy: Float64Array;
  readonly chains: number;
  readonly recordsPerChain: number;
  /** What was used, defaults filled in. */
  readonly settings: Required<Pick<SimulationOptions, 'seed' | 'chains' | 'warmUp' | 'stride' | 'stepSize' | 'kT'>>;
  /** Accepted fraction of all recorded steps. */
  readonly acceptance: number;
  /** ⟨U⟩ with an error bar, or a refusal; its `tau` counts records, so times `stride` for steps. */
  readonly meanEnergy: MeanEstimate;
}

/**
 * Metropolis sampling of exp(−U/kT) on the pool. Chain c depends on (system, settings, seed, c) alone.
 * @throws UsageError for settings out of range.
 */
export async function simulate(system: System, options: SimulationOptions, pool: WorkerPool): Promise<Simulation> {
  const { n, onProgress, signal } = options;
  const chains = options.chains ?? Math.min(64, n);
  const settings = {
    seed: options.seed,
    chains,
    warmUp: options.warmUp ?? 20_000,
    stride: options.stride ?? 100,
    stepSize: options.stepSize ?? system.sampling.metropolisStep,
    kT: options.kT ?? 1,
  };
  checkSettings(n, settings);
  const C = system.particles * system.dimensions;
  const start = options.start ?? startConfiguration(system);
  if (start.length !== C) throw new UsageError(`simulate: start has ${start.length} coordinates, expected ${C}`);
  const recordsPerChain = Math.ceil(n / chains);

  const inputs: MetropolisChains[] = [];
  for (let firstChain = 0; firstChain < chains; firstChain += CHAINS_PER_TASK) {
    const count = Math.min(CHAINS_PER_TASK, chains - firstChain);
    const starts = new Float64Array(count * C);
    for (let c = 0; c < count; c++) starts.set(start, c * C);
    const { seed, warmUp, stride, stepSize, kT } = settings;
    inputs.push({
      system,
      kT,
      seed,
      firstChain,
      start: starts,
      chains: count,
      stepSize,
      warmUp,
      stride,
      records: recordsPerChain,
    });
  }

  const total = inputs.length * (settings.warmUp + settings.stride * recordsPerChain);
  const stepsDone = new Array<number>(inputs.length).fill(0);
  const runs = await Promise.all(
    inputs.map((input, index) =>
      pool.run<MetropolisChains, MetropolisRun>({ module: TASKS, name: 'metropolisTask' }, input, {
        ...(signal ? { signal } : {}),
        onMessage: (steps) => {
          stepsDone[index] = steps as number;
          onProgress?.({ stage: 'simulating', done: stepsDone.reduce((a, b) => a + b, 0), total });
        },
      }),
    ),
  );

  const x = new Float64Array(n * C);
  const energy = new Float64Array(n);
  const series: Float64Array[] = [];
  let acceptance = 0;
  let row = 0;
  for (const run of runs) {
    const rows = Math.min(run.energy.length, n - row);
    x.set(run.x.subarray(0, rows * C), row * C);
    energy.set(run.energy.subarray(0, rows), row);
    row += rows;
    for (let c = 0; c < run.acceptance.length; c++) {
      series.push(run.energy.subarray(c * recordsPerChain, (c + 1) * recordsPerChain));
      acceptance += run.acceptance[c] / chains;
    }
  }
  return { n, x, energy, chains, recordsPerChain, settings, acceptance, meanEnergy: meanWithError(series) };
}

function checkSettings(n: number, { seed, chains, warmUp, stride, stepSize, kT }: Simulation['settings']): void {
  const integer = (name: string, value: number, low: number, high: number) => {
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new UsageError(`simulate: ${name} is ${value}, expected an integer from ${low} to ${high}`);
    }
  };
  const positive = (name: string, value: number) => {
    if (!(value > 0 && Number.isFinite(value)))
      throw new UsageError(`simulate: ${name} is ${value}, expected a positive number`);
  };
  integer('n', n, 1, 1e9);
  integer('seed', seed, 0, MAX_SEED);
  integer('chains', chains, 1, Math.min(n, 1e6));
  integer('warm-up', warmUp, 0, 2 ** 31);
  integer('stride', stride, 1, 2 ** 31);
  // Steps are one word of the random numbers' counter.
  integer('number of steps', warmUp + stride * Math.ceil(n / chains), 1, 2 ** 32 - 1);
  positive('step size', stepSize);
  positive('kT', kT);
}
