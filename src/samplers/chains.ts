import type { System } from '../systems/index.js';
import type { Sampler } from './methods.js';
import { placeWalkers, type Walkers } from './walkers.js';

/** Chains to run, numbered globally so that a split over workers changes nothing. */
export interface Chains {
  readonly system: System;
  readonly kT: number;
  readonly seed: number;
  /** Number of the first chain; a multiple of 4 where runs are split. */
  readonly firstChain: number;
  /** Starting configurations [chains, N, D], mean-free. */
  readonly start: Float64Array;
  readonly chains: number;
  readonly sampler: Sampler;
  /** Leapfrog steps of one step of HMC; 1 for the other samplers. */
  readonly leapfrogSteps: number;
  /** Metropolis: standard deviation of the moves per coordinate; MALA and HMC: ε of the leapfrog steps. */
  readonly stepSize: number;
  /** Whether `stepSize` is a first guess that the warm-up improves on. */
  readonly adapt: boolean;
  /** Steps before recording starts, steps between records, records per chain. */
  readonly warmUp: number;
  readonly stride: number;
  readonly records: number;
}

/** What the chains visited. Row r of chain c stands at [c, r]. */
export interface ChainsRun {
  /** Configurations [chains, records, N, D], mean-free. */
  readonly x: Float64Array;
  /** U [chains, records]. */
  readonly energy: Float64Array;
  /** x·∇U [chains, records]. */
  readonly virial: Float64Array;
  /** Accepted fraction of the recorded steps, per chain. */
  readonly acceptance: Float64Array;
  /** Step size of the recorded steps, per chain. */
  readonly stepSizes: Float64Array;
}

/** Steps per call into the kernels, so that long runs can report and be stopped. */
const STEPS_PER_CALL = 4096;

/**
 * Runs Markov chains that leave exp(−U/kT) on the mean-free subspace invariant. Random numbers depend on (seed, sampler,
 * chain, step) alone; adapted step sizes on the four chains 4k … 4k+3, which share one and always run together.
 *
 * @param onSteps called with the number of steps that every chain has done
 * @throws UsageError if MALA or HMC cannot start because U or ∇U is not finite
 */
export function runChains(run: Chains, onSteps?: (done: number) => void): ChainsRun {
  const { chains, records, warmUp, stride } = run;
  const C = run.system.particles * run.system.dimensions;
  const walkers = placeWalkers(run);
  if (run.adapt) adaptStepSizes(walkers, warmUp, onSteps);
  else advance(walkers, 0, warmUp, onSteps);
  walkers.accepted.fill(0);

  const x = new Float64Array(chains * records * C);
  const energy = new Float64Array(chains * records);
  const virial = new Float64Array(chains * records);
  for (let r = 0; r < records; r++) {
    advance(walkers, warmUp + r * stride, stride, onSteps);
    const now = walkers.positions();
    for (let c = 0; c < chains; c++) x.set(now.subarray(c * C, (c + 1) * C), (c * records + r) * C);
    const virials = walkers.virials();
    for (let c = 0; c < chains; c++) {
      energy[c * records + r] = walkers.energy[c];
      virial[c * records + r] = virials[c];
    }
  }
  return {
    x,
    energy,
    virial,
    acceptance: walkers.accepted.slice(0, chains).map((count) => count / (records * stride)),
    stepSizes: Float64Array.from({ length: chains }, (_, c) => walkers.stepSizes[c >> 2]),
  };
}

/** All chains by `steps` steps, numbered from `first`. */
function advance(walkers: Walkers, first: number, steps: number, onSteps?: (done: number) => void): void {
  const end = first + steps;
  for (let step = first; step < end; step += STEPS_PER_CALL) {
    const now = Math.min(end - step, STEPS_PER_CALL);
    walkers.advance(step, now);
    onSteps?.(step + now);
  }
}

/** Steps 0 … warmUp − 1 with step sizes on trial, then frozen. */
function adaptStepSizes(walkers: Walkers, warmUp: number, onSteps?: (done: number) => void): void {
  const adaptation = walkers.adaptation();
  for (let first = 0; first < warmUp; first += STEPS_PER_CALL) {
    const end = Math.min(warmUp, first + STEPS_PER_CALL);
    for (let step = first; step < end; step++) adaptation.step(step);
    onSteps?.(end);
  }
  adaptation.finish();
}
