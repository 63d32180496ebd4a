/**
 * The equations of MBAR (Shirts, Chodera, J. Chem. Phys. 129 (2008) 124105) in the form of a maximum-likelihood problem: p_nk is the
 * probability that sample n came from state k, and free energies are right when Σ_n p_nk equals the number of samples of k.
 */
import { solvePositiveDefinite } from './cholesky.js';

/** Self-consistent steps before the first Newton step: they leave any plateau, but converge linearly. */
const FIRST_STEPS = 8;

/** Together with self-consistent ones; a dozen is usual, and what needs more has no overlap to speak of. */
const MAXIMUM_STEPS = 300;

/** Halvings of a Newton step that does not come closer. */
const MAXIMUM_HALVINGS = 12;

/** Steps in nats, relative to max(1, |f|). */
const TOLERANCE = 1e-12;

export interface MbarData {
  /** Reduced energies u_k(x_n) of all samples in all states, [K][n]; samples of state 0 first. */
  readonly energies: readonly Float64Array[];
  /** Samples drawn from each state, shape [K]; 0 for states that were not sampled. */
  readonly counts: readonly number[];
}

export interface MbarSolution {
  /** Shape [K], state 0 at zero. */
  readonly freeEnergy: Float64Array;
  /** log Σ_j N_j e^{f_j − u_jn}, shape [n]. */
  readonly logDenominator: Float64Array;
  readonly converged: boolean;
}

/** Row of probabilities p_nk over the sampled states, and sums of them. */
interface Balance {
  /** Σ_n p_nk − N_k, shape [S]. */
  readonly excess: Float64Array;
  /** Σ_n (δ_kl p_nk − p_nk p_nl), row-major [S, S]: the Jacobian of `excess`, a graph Laplacian. */
  readonly laplacian: Float64Array;
  /** Σ_k excess²/N_k. */
  readonly norm: number;
}

/** Indices of the states with samples. */
export function sampledStates(counts: readonly number[]): number[] {
  return counts.flatMap((count, k) => (count > 0 ? [k] : []));
}

/** log Σ_j N_j e^{f_j − u_jn} of every sample, shape [n]. */
function logDenominators({ energies, counts }: MbarData, freeEnergy: Float64Array): Float64Array {
  const sampled = sampledStates(counts);
  const offsets = sampled.map((k) => Math.log(counts[k]) + freeEnergy[k]);
  const result = new Float64Array(energies[0].length);
  for (let n = 0; n < result.length; n++) {
    let maximum = Number.NEGATIVE_INFINITY;
    for (let s = 0; s < sampled.length; s++) maximum = Math.max(maximum, offsets[s] - energies[sampled[s]][n]);
    let sum = 0;
    for (let s = 0; s < sampled.length; s++) sum += Math.exp(offsets[s] - energies[sampled[s]][n] - maximum);
    result[n] = maximum + Math.log(sum);
  }
  return result;
}

/**
 * Laplacian of the links between the sampled states, L_kl = −Σ_n p_nk p_nl off the diagonal, row-major [S, S]. The diagonal is
 * the sum of the links, which keeps weak ones that a difference of large numbers would lose.
 */
export function linkLaplacian(data: MbarData, { freeEnergy, logDenominator }: MbarSolution): Float64Array {
  return balance(data, freeEnergy, logDenominator).laplacian;
}

/** −log Σ_n e^{−u_n}/D_n, the free energy of one state given the denominators. */
function freeEnergyOf(energy: Float64Array, logDenominator: Float64Array): number {
  let maximum = Number.NEGATIVE_INFINITY;
  for (let n = 0; n < energy.length; n++) maximum = Math.max(maximum, -energy[n] - logDenominator[n]);
  if (maximum === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let n = 0; n < energy.length; n++) sum += Math.exp(-energy[n] - logDenominator[n] - maximum);
  return -maximum - Math.log(sum);
}

function balance(data: MbarData, freeEnergy: Float64Array, logDenominator: Float64Array): Balance {
  const { energies, counts } = data;
  const sampled = sampledStates(counts);
  const size = sampled.length;
  const sums = new Float64Array(size);
  const laplacian = new Float64Array(size * size);
  const p = new Float64Array(size);
  const offsets = sampled.map((k) => Math.log(counts[k]) + freeEnergy[k]);
  for (let n = 0; n < logDenominator.length; n++) {
    for (let s = 0; s < size; s++) {
      p[s] = Math.exp(offsets[s] - energies[sampled[s]][n] - logDenominator[n]);
      sums[s] += p[s];
      for (let r = 0; r < s; r++) laplacian[s * size + r] -= p[s] * p[r];
    }
  }
  for (let s = 0; s < size; s++) {
    for (let r = 0; r < s; r++) {
      const link = laplacian[s * size + r];
      laplacian[r * size + s] = link;
      laplacian[s * size + s] -= link;
      laplacian[r * size + r] -= link;
    }
  }
  const excess = sums.map((sum, s) => sum - counts[sampled[s]]);
  const norm = excess.reduce((total, e, s) => total + e ** 2 / counts[sampled[s]], 0);
  return { excess, laplacian, norm };
}

/**
 * A vector y with L·y = right for a Laplacian L and a right side that sums to zero: the first entry is 0, the rest unique.
 *
 * @returns shape [S], or undefined if the states fall apart into groups without a link
 */
export function solveLaplacian(laplacian: Float64Array, right: Float64Array): Float64Array | undefined {
  const size = right.length;
  const reduced = new Float64Array((size - 1) ** 2);
  for (let i = 1; i < size; i++) {
    reduced.set(laplacian.subarray(i * size + 1, (i + 1) * size), (i - 1) * (size - 1));
  }
  const rest = solvePositiveDefinite(reduced, right.subarray(1));
  if (rest === undefined) return undefined;
  const result = new Float64Array(size);
  result.set(rest, 1);
  return result;
}

/**
 * Solves the equations: self-consistent iteration to come near, then Newton's method on the convex objective, each step halved
 * until Σ excess²/N falls, and a self-consistent step where none does.
 */
export function solveMbar(data: MbarData): MbarSolution {
  const { energies, counts } = data;
  const sampled = sampledStates(counts);
  let freeEnergy = startingPoint(data);
  let converged = sampled.length === 1;
  for (let step = 0; step < MAXIMUM_STEPS && !converged; step++) {
    const logDenominator = logDenominators(data, freeEnergy);
    const next =
      (step >= FIRST_STEPS && newtonStep(data, freeEnergy, logDenominator)) ||
      selfConsistent(data, sampled, logDenominator);
    let moved = 0;
    for (const k of sampled) {
      moved = Math.max(moved, Math.abs(next[k] - freeEnergy[k]) / Math.max(1, Math.abs(next[k])));
    }
    freeEnergy = next;
    // Self-consistent steps are small long before their goal: they count only where Newton's method cannot come closer.
    converged = step >= FIRST_STEPS && moved <= TOLERANCE;
  }
  const logDenominator = logDenominators(data, freeEnergy);
  const all = energies.map((energy, k) => (counts[k] > 0 ? freeEnergy[k] : freeEnergyOf(energy, logDenominator)));
  // State 0 is the zero of free energy; the denominators move along.
  return {
    freeEnergy: Float64Array.from(all, (f) => f - all[0]),
    logDenominator: logDenominator.map((l) => l - all[0]),
    converged,
  };
}

/** The mean energy of each state's own samples: right up to an entropy, whatever constants the energies carry. */
function startingPoint({ energies, counts }: MbarData): Float64Array {
  const result = new Float64Array(counts.length);
  let first = 0;
  for (const [k, count] of counts.entries()) {
    for (let n = first; n < first + count; n++) result[k] += energies[k][n] / count;
    first += count;
  }
  return result;
}

/** Relative to the first sampled state, as all iterates are. */
function selfConsistent(data: MbarData, sampled: readonly number[], logDenominator: Float64Array): Float64Array {
  const next = new Float64Array(data.counts.length);
  for (const k of sampled) next[k] = freeEnergyOf(data.energies[k], logDenominator);
  const zero = next[sampled[0]];
  for (const k of sampled) next[k] -= zero;
  return next;
}

function newtonStep(data: MbarData, freeEnergy: Float64Array, logDenominator: Float64Array): Float64Array | undefined {
  const sampled = sampledStates(data.counts);
  const { excess, laplacian, norm } = balance(data, freeEnergy, logDenominator);
  const direction = solveLaplacian(laplacian, excess);
  if (direction === undefined) return undefined;
  for (let halving = 0; halving < MAXIMUM_HALVINGS; halving++) {
    const trial = freeEnergy.slice();
    for (const [s, k] of sampled.entries()) trial[k] -= direction[s] / 2 ** halving;
    const closer = balance(data, trial, logDenominators(data, trial)).norm < norm;
    if (closer || norm === 0) return trial;
  }
  return undefined;
}
