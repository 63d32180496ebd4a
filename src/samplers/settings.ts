import { UsageError } from '../errors.js';
import { MAX_SEED } from '../kernels/index.js';
import type { System } from '../systems/index.js';
import { DEFAULT_SAMPLER, METHODS, SAMPLERS, type Sampler } from './methods.js';

/** How a simulation goes; everything but `n` and `seed` has a default. */
export interface SamplingOptions {
  /** Configurations in all, over all chains. */
  readonly n: number;
  readonly seed: number;
  /** Independent chains; 1 gives one trajectory. */
  readonly chains?: number;
  readonly sampler?: Sampler;
  /** Leapfrog steps of one step of HMC. */
  readonly leapfrogSteps?: number;
  /** Steps before recording starts, and between two records of a chain. */
  readonly warmUp?: number;
  readonly stride?: number;
  /** Fixed step size; without it the warm-up adapts one from the system's own. */
  readonly stepSize?: number;
  readonly kT?: number;
}

/** What was used, defaults filled in. */
export interface SimulationSettings {
  readonly seed: number;
  readonly chains: number;
  readonly sampler: Sampler;
  /** 1 for Metropolis and MALA. */
  readonly leapfrogSteps: number;
  readonly warmUp: number;
  readonly stride: number;
  /** The step size given, or the first guess of the adaptation; `Simulation.stepSizes` has what was used. */
  readonly stepSize: number;
  /** Whether the warm-up adapted the step size. It does unless one is given or there is no warm-up. */
  readonly adapted: boolean;
  readonly kT: number;
}

/** @throws UsageError for settings out of range */
export function resolveSettings(system: System, options: SamplingOptions): SimulationSettings {
  const { n, seed, leapfrogSteps, stepSize } = options;
  const sampler = options.sampler ?? DEFAULT_SAMPLER;
  if (!SAMPLERS.includes(sampler)) {
    throw new UsageError(`simulate: sampler is '${sampler}', expected one of ${SAMPLERS.join(', ')}`);
  }
  if (leapfrogSteps !== undefined && sampler !== 'hmc') {
    throw new UsageError(`simulate: leapfrog steps are for hmc, expected none for ${sampler}`);
  }
  const { defaults } = METHODS[sampler];
  const chains = options.chains ?? Math.min(64, n);
  const warmUp = options.warmUp ?? defaults.warmUp;
  const stride = options.stride ?? defaults.stride;
  const settings = {
    seed,
    chains,
    sampler,
    leapfrogSteps: leapfrogSteps ?? defaults.leapfrogSteps,
    warmUp,
    stride,
    stepSize: stepSize ?? system.sampling.metropolisStep,
    adapted: stepSize === undefined && warmUp > 0,
    kT: options.kT ?? 1,
  };
  checkRanges(n, settings);
  return settings;
}

function checkRanges(n: number, settings: SimulationSettings): void {
  const { seed, chains, leapfrogSteps, warmUp, stride, stepSize, kT } = settings;
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
  integer('leapfrog steps', leapfrogSteps, 1, 10_000);
  integer('warm-up', warmUp, 0, 2 ** 31);
  integer('stride', stride, 1, 2 ** 31);
  // Steps are one word of the random numbers' counter.
  integer('number of steps', warmUp + stride * Math.ceil(n / chains), 1, 2 ** 32 - 1);
  positive('step size', stepSize);
  positive('kT', kT);
}
