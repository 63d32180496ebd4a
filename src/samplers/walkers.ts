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

/** Dual averaging of one group's step size. */
export interface StepSizeAdaptation {
  /** Takes one step with the step size on trial and learns from it. */
  step(number: number): void;
  /** The averaged step size, to be frozen. */
  result(): number;
}

/** The present states of chains in kernel memory, in groups of four. */
export interface Walkers {
  readonly groups: number;
  /** U and the number of accepted moves of each chain, as views; the last group is filled up with further chains. */
  readonly energy: Float64Array;
  readonly accepted: Float64Array;
  /** Takes one group `steps` steps further, the first of which has number `firstStep`. */
  advance(group: number, firstStep: number, steps: number, stepSize: number): void;
  /** A step size for one group, learnt from its accepted moves; see `assembly/adaptation.ts`. */
  adaptation(group: number): StepSizeAdaptation;
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
  const groupBytes = 4 * C * 8;
  const blockBytes = groups * groupBytes;
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
    adaptation: k.allocate(groups * k.common.adaptationBytes()),
  };
  const rows = k.f64View(at.rows, padded * C);
  const energy = k.f64View(at.energy, padded);
  const accepted = k.f64View(at.accepted, padded);
  const evaluate = (energies: number) =>
    k.f64.potential(terms, count, at.x, energies, at.gradient, particles, dimensions, padded / 2, at.scratch);

  rows.set(run.start);
  for (let s = chains; s < padded; s++) rows.copyWithin(s * C, 0, C);
  k.f64.packFrom64(at.rows, at.x, padded, C);
  k.f64.removeCentroid(at.x, particles, dimensions, padded / 2);
  evaluate(at.energy);

  if (sampler !== 'metropolis') checkStart(k, at, padded, C, sampler);

  const advance = (group: number, firstStep: number, steps: number, stepSize: number): void => {
    const x = at.x + group * groupBytes;
    const energies = at.energy + group * 32;
    const counts = at.accepted + group * 32;
    const chain = firstChain + 4 * group;
    if (sampler === 'metropolis') {
      k.common.metropolis(
        terms,
        count,
        x,
        energies,
        counts,
        particles,
        dimensions,
        1,
        steps,
        firstStep,
        chain,
        seed,
        stream,
        stepSize,
        beta,
        at.scratch,
      );
      return;
    }
    k.common.hamiltonian(
      terms,
      count,
      x,
      at.gradient + group * groupBytes,
      energies,
      counts,
      particles,
      dimensions,
      1,
      steps,
      firstStep,
      chain,
      seed,
      stream,
      run.leapfrogSteps,
      stepSize,
      jitter,
      beta,
      at.scratch,
    );
  };

  const adaptation = (group: number): StepSizeAdaptation => {
    const state = at.adaptation + group * k.common.adaptationBytes();
    const [trial, averaged] = [k.f64View(state + 32, 1), k.f64View(state + 40, 1)];
    const counts = accepted.subarray(4 * group, 4 * group + 4);
    k.common.startAdaptation(state, run.stepSize);
    return {
      step: (number) => {
        counts.fill(0);
        advance(group, number, 1, trial[0]);
        const acceptance = (counts[0] + counts[1] + counts[2] + counts[3]) / 4;
        k.common.adaptStepSize(state, acceptance, targetAcceptance);
      },
      result: () => averaged[0],
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

  return { groups, energy, accepted, advance, adaptation, positions, virials };
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
