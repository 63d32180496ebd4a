import { Kernels, STREAM } from '../kernels/index.js';
import { placeTerms } from '../systems/energy.js';
import type { System } from '../systems/index.js';

/** Chains to run, numbered globally so that a split over workers changes nothing. */
export interface MetropolisChains {
  readonly system: System;
  readonly kT: number;
  readonly seed: number;
  /** Number of the first chain; a multiple of 4 where runs are split. */
  readonly firstChain: number;
  /** Starting configurations [chains, N, D], mean-free. */
  readonly start: Float64Array;
  readonly chains: number;
  /** Standard deviation of the all-particle normal moves. */
  readonly stepSize: number;
  /** Steps before recording starts, steps between records, records per chain. */
  readonly warmUp: number;
  readonly stride: number;
  readonly records: number;
}

/** What the chains visited. Row r of chain c stands at [c, r]. */
export interface MetropolisRun {
  /** Configurations [chains, records, N, D], mean-free. */
  readonly x: Float64Array;
  /** U [chains, records]. */
  readonly energy: Float64Array;
  /** Accepted fraction of the recorded steps, per chain. */
  readonly acceptance: Float64Array;
}

/** Steps per call into the kernels, so that long runs can report and be stopped. */
const STEPS_PER_CALL = 4096;

/**
 * Metropolis Monte Carlo with all-particle normal moves on the mean-free subspace (Metropolis et al. 1953): the sampler of
 * the paper. Random numbers depend on (seed, chain, step) alone. No adaptation: the step is the caller's.
 */
export function runMetropolis(run: MetropolisChains, onSteps?: (done: number) => void): MetropolisRun {
  const { system, chains, records } = run;
  const { particles, dimensions } = system;
  const C = particles * dimensions;
  const groups = Math.ceil(chains / 4);
  const padded = 4 * groups;
  const k = new Kernels();
  const { terms, count } = placeTerms(k, system);
  const rows = k.allocate(padded * C * 8);
  const x = k.allocate(padded * C * 8);
  const energy = k.allocate(padded * 8);
  const accepted = k.allocate(padded * 8);
  const scratch = k.allocate(k.common.metropolisScratch(C));

  const start = k.f64View(rows, padded * C);
  start.set(run.start);
  for (let s = chains; s < padded; s++) start.copyWithin(s * C, 0, C);
  k.f64.packFrom64(rows, x, padded, C);
  k.f64.removeCentroid(x, particles, dimensions, padded / 2);
  k.f64.potential(terms, count, x, energy, 0, particles, dimensions, padded / 2, scratch);

  let step = 0;
  const advance = (steps: number) => {
    for (let left = steps; left > 0; left -= STEPS_PER_CALL) {
      const now = Math.min(left, STEPS_PER_CALL);
      k.common.metropolis(
        terms,
        count,
        x,
        energy,
        accepted,
        particles,
        dimensions,
        groups,
        now,
        step,
        run.firstChain,
        run.seed,
        STREAM.metropolis,
        run.stepSize,
        1 / run.kT,
        scratch,
      );
      step += now;
    }
    onSteps?.(step);
  };

  advance(run.warmUp);
  k.f64View(accepted, padded).fill(0);
  const out = { x: new Float64Array(chains * records * C), energy: new Float64Array(chains * records) };
  for (let r = 0; r < records; r++) {
    advance(run.stride);
    k.f64.unpackTo64(x, rows, chains, C);
    const now = k.f64View(rows, chains * C);
    const energies = k.f64View(energy, chains);
    for (let c = 0; c < chains; c++) {
      out.x.set(now.subarray(c * C, (c + 1) * C), (c * records + r) * C);
      out.energy[c * records + r] = energies[c];
    }
  }
  const recorded = records * run.stride;
  return { ...out, acceptance: k.f64View(accepted, chains).map((count) => count / recorded) };
}
