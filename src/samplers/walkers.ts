import { UsageError } from '../errors.js';
import { Kernels } from '../kernels/index.js';
import { placeTerms } from '../systems/energy.js';
import type { Chains } from './chains.js';
import { METHODS } from './methods.js';

/**
 * HMC draws each step's ε from stepSize·(1 ± JITTER), because after a trajectory as long as a period of the motion a chain
 * stands where it was; a fifth either way spreads trajectories over such periods and costs little acceptance (Neal 2011,
 * §5.4.2.2).
 */
const JITTER = 0.2;

/** Dual averaging of the groups' step sizes. */
export interface StepSizeAdaptation {
  /** Takes one step with the step sizes on trial and learns from it. */
  step(number: number): void;
  /** Freezes the averaged step sizes. */
  finish(): void;
}

/** The present states of chains in kernel memory, in groups of four. */
export interface Walkers {
  /** U and the number of accepted moves of each chain, as views; the last group is filled up with further chains. */
  readonly energy: Float64Array;
  readonly accepted: Float64Array;
  /** Step size of each group, as a view. */
  readonly stepSizes: Float64Array;
  /** Takes all chains `steps` steps further, the first of which has number `firstStep`. */
  advance(firstStep: number, steps: number): void;
  /** Step sizes learnt from each group's accepted moves; see `assembly/adaptation.ts`. */
  adaptation(): StepSizeAdaptation;
  /** Configurations [chains, N, D]; a view that the next call overwrites. */
  positions(): Float64Array;
  /** x·∇U of each chain. */
  virials(): Float64Array;
}

/**
 * Places the starts of chains.
 *
 * @throws UsageError if U or ∇U is not finite where MALA or HMC would start
 */
export function placeWalkers(run: Chains): Walkers {
  const { system, chains, seed, firstChain, sampler } = run;
  const { particles, dimensions } = system;
  const C = particles * dimensions;
  const groups = Math.ceil(chains / 4);
  const padded = 4 * groups;
  const beta = 1 / run.kT;
  const { stream, targetAcceptance } = METHODS[sampler];
  const jitter = sampler === 'hmc' ? JITTER : 0;
  const k = new Kernels();
  const { terms, count } = placeTerms(k, system);
  const forceTerms = placeTerms(k, system, 'f32').terms;
  const blockBytes = padded * C * 8;
  const at = {
    rows: k.allocate(blockBytes),
    x: k.allocate(blockBytes),
    gradient: k.allocate(blockBytes),
    energy: k.allocate(padded * 8),
    spare: k.allocate(padded * 8),
    accepted: k.allocate(padded * 8),
    scratch: k.allocate(
      Math.max(k.common.metropolisScratch(particles, dimensions), k.common.hamiltonianScratch(particles, dimensions)),
    ),
    stepSizes: k.allocate(groups * 8),
    adaptation: k.allocate(groups * k.common.adaptationBytes()),
  };
  const rows = k.f64View(at.rows, padded * C);
  const energy = k.f64View(at.energy, padded);
  const accepted = k.f64View(at.accepted, padded);
  const stepSizes = k.f64View(at.stepSizes, groups).fill(run.stepSize);
  const evaluate = (energies: number) =>
    k.f64.potential(terms, count, at.x, energies, at.gradient, particles, dimensions, padded / 2, at.scratch);

  rows.set(run.start);
  for (let s = chains; s < padded; s++) rows.copyWithin(s * C, 0, C);
  k.f64.packFrom64(at.rows, at.x, padded, C);
  k.f64.removeCentroid(at.x, particles, dimensions, padded / 2);
  evaluate(at.energy);

  if (sampler !== 'metropolis') checkStart(k, at, padded, C, sampler);

  const advance = (firstStep: number, steps: number): void => {
    if (sampler === 'metropolis') {
      k.common.metropolis(
        terms,
        count,
        at.x,
        at.energy,
        at.accepted,
        particles,
        dimensions,
        groups,
        steps,
        firstStep,
        firstChain,
        seed,
        stream,
        at.stepSizes,
        beta,
        at.scratch,
      );
      return;
    }
    k.common.hamiltonian(
      terms,
      forceTerms,
      count,
      at.x,
      at.gradient,
      at.energy,
      at.accepted,
      particles,
      dimensions,
      groups,
      steps,
      firstStep,
      firstChain,
      seed,
      stream,
      run.leapfrogSteps,
      at.stepSizes,
      jitter,
      beta,
      at.scratch,
    );
  };

  const adaptation = (): StepSizeAdaptation => {
    const states = at.adaptation;
    k.common.startAdaptation(states, groups, run.stepSize);
    accepted.fill(0);
    return {
      step: (number) => {
        advance(number, 1);
        k.common.adaptStepSizes(states, groups, at.accepted, at.stepSizes, targetAcceptance);
      },
      finish: () => k.common.averagedStepSizes(states, groups, at.stepSizes),
    };
  };

  const positions = (): Float64Array => {
    k.f64.unpackTo64(at.x, at.rows, chains, C);
    return rows.subarray(0, chains * C);
  };

  const virials = (): Float64Array => {
    // Metropolis has no gradient at hand, and its energies must stay those that its moves were judged by.
    if (sampler === 'metropolis') evaluate(at.spare);
    const x = positions().slice();
    k.f64.unpackTo64(at.gradient, at.rows, chains, C);
    return Float64Array.from({ length: chains }, (_, c) => {
      let sum = 0;
      for (let i = c * C; i < (c + 1) * C; i++) sum += x[i] * rows[i];
      return sum;
    });
  };

  return { energy, accepted, stepSizes, advance, adaptation, positions, virials };
}

function checkStart(
  k: Kernels,
  at: { readonly energy: number; readonly gradient: number },
  padded: number,
  C: number,
  sampler: string,
): void {
  const finite =
    k.f64View(at.energy, padded).every(Number.isFinite) && k.f64View(at.gradient, padded * C).every(Number.isFinite);
  if (finite) return;
  throw new UsageError(
    `simulate: start has no finite U and gradient, which ${sampler} needs: expected particles apart`,
  );
}
