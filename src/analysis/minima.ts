import { DataError, UsageError } from '../errors.js';
import type { EnergyAndGradient } from './minimize.js';

/** How near two minimised configurations must be to count as the same. */
export interface SameStructure {
  /** Largest difference of U. Default 1e-5. */
  readonly energyTolerance?: number;
  /** Largest difference of any pair distance. Default 1e-3: soft modes leave more than the gradient norm suggests. */
  readonly distanceTolerance?: number;
  /** Species of each particle; equal numbers are exchangeable. Default: all equal. */
  readonly species?: readonly number[];
}

export interface DistinctMinimaOptions extends SameStructure {
  /** U and ∇U: every distinct structure is tested for being a minimum rather than a saddle. */
  readonly energyAndGradient: EnergyAndGradient;
  /** 1 for samples to look at, [n]; default: all. Pass `Minimization.converged`. */
  readonly converged?: Uint8Array;
}

/** Distinct minima, lowest first. */
export interface DistinctMinima {
  /** U [minima] of the representatives. */
  readonly energy: Float64Array;
  /** One configuration of each [minima, N, D]: the first sample that fell into it. */
  readonly representative: Float64Array;
  /** Samples in each [minima]. */
  readonly count: Int32Array;
  /** Minimum of each sample [n]; −1 for saddles and for samples not converged. */
  readonly index: Int32Array;
}

/** A class of configurations that differ by translation and O(D) only: particles are told apart. */
export interface LabelledArrangements {
  /** Arrangement of each sample [n], numbered in order of appearance; −1 where `index` was −1. */
  readonly index: Int32Array;
  /** Samples in each [arrangements]. */
  readonly count: Int32Array;
}

const SAME = { energyTolerance: 1e-5, distanceTolerance: 1e-3 };

/**
 * Groups minimised configurations into distinct minima up to translation, O(D) and exchange of equal particles: same U and
 * same sorted pair distances within every pair of species. Structures of equal energy and different distances stay apart,
 * mirror images do not. Saddles, at which a minimisation can end by symmetry, are left out.
 *
 * @param x minimised configurations [n, N, D]
 * @param energy U [n]
 * @throws DataError for arrays of the wrong length
 */
export function distinctMinima(
  x: Float64Array,
  energy: Float64Array,
  n: number,
  N: number,
  D: number,
  options: DistinctMinimaOptions,
): DistinctMinima {
  requireShape(x, energy, n, N, D);
  const { energyAndGradient, converged } = options;
  const { energyTolerance, distanceTolerance } = { ...SAME, ...options };
  const distancesOf = sortedDistances(N, D, options.species);
  const dof = N * D;
  const found: { sample: number; energy: number; distances: Float64Array; count: number; minimum: boolean }[] = [];
  const foundBy = new Int32Array(n).fill(-1);
  const distances = new Float64Array((N * (N - 1)) / 2);
  for (let s = 0; s < n; s++) {
    if (converged && !converged[s]) continue;
    distancesOf(x, s * dof, distances);
    let f = found.findIndex(
      (other) =>
        Math.abs(other.energy - energy[s]) <= energyTolerance && near(other.distances, distances, distanceTolerance),
    );
    if (f < 0) {
      const minimum = isMinimum(energyAndGradient, x.subarray(s * dof, (s + 1) * dof));
      f = found.push({ sample: s, energy: energy[s], distances: distances.slice(), count: 0, minimum }) - 1;
    }
    found[f].count++;
    foundBy[s] = f;
  }
  const kept = found.filter((f) => f.minimum).sort((a, b) => a.energy - b.energy);
  const rank = found.map((f) => kept.indexOf(f));
  const representative = new Float64Array(kept.length * dof);
  kept.forEach((f, m) => {
    representative.set(x.subarray(f.sample * dof, (f.sample + 1) * dof), m * dof);
  });
  return {
    energy: Float64Array.from(kept, (f) => f.energy),
    representative,
    count: Int32Array.from(kept, (f) => f.count),
    index: foundBy.map((f) => (f < 0 ? -1 : rank[f])),
  };
}

/**
 * Finds each sample among known minima by U and sorted pair distances.
 *
 * @param x minimised configurations [n, N, D]
 * @param energy U [n]
 * @param known minima with coordinates [N, D], flat
 * @returns index into `known` per sample [n], −1 for none of them
 * @throws DataError for arrays of the wrong length
 */
export function classifyMinima(
  x: Float64Array,
  energy: Float64Array,
  n: number,
  N: number,
  D: number,
  known: readonly { readonly energy: number; readonly x: ArrayLike<number> }[],
  options: SameStructure = {},
): Int32Array {
  requireShape(x, energy, n, N, D);
  const { energyTolerance, distanceTolerance } = { ...SAME, ...options };
  const distancesOf = sortedDistances(N, D, options.species);
  const pairs = (N * (N - 1)) / 2;
  const wanted = known.map((minimum, m) => {
    if (minimum.x.length !== N * D) {
      throw new DataError(`known[${m}].x: length ${minimum.x.length}, expected N·D = ${N}·${D}`);
    }
    const distances = new Float64Array(pairs);
    distancesOf(minimum.x, 0, distances);
    return { energy: minimum.energy, distances };
  });
  const distances = new Float64Array(pairs);
  const index = new Int32Array(n);
  for (let s = 0; s < n; s++) {
    distancesOf(x, s * N * D, distances);
    index[s] = wanted.findIndex(
      (other) =>
        Math.abs(other.energy - energy[s]) <= energyTolerance && near(other.distances, distances, distanceTolerance),
    );
  }
  return index;
}

/**
 * Groups minimised configurations by their labelled distance matrix: classes up to translation and O(D) only. A model that
 * is not permutation-equivariant lives in few of them.
 *
 * @param x minimised configurations [n, N, D]
 * @param minimum index of each sample's minimum [n], from `distinctMinima` or `classifyMinima`; −1 leaves a sample out
 * @param options `species` plays no part: every particle is told apart
 * @throws DataError for arrays of the wrong length
 */
export function labelledArrangements(
  x: Float64Array,
  minimum: Int32Array,
  n: number,
  N: number,
  D: number,
  options: Pick<SameStructure, 'distanceTolerance'> = {},
): LabelledArrangements {
  requireShape(x, minimum, n, N, D);
  const { distanceTolerance } = { ...SAME, ...options };
  const distances = new Float64Array((N * (N - 1)) / 2);
  const found: { minimum: number; distances: Float64Array; count: number }[] = [];
  const index = new Int32Array(n).fill(-1);
  for (let s = 0; s < n; s++) {
    if (minimum[s] < 0) continue;
    pairDistances(x, s * N * D, N, D, distances);
    let f = found.findIndex(
      (other) => other.minimum === minimum[s] && near(other.distances, distances, distanceTolerance),
    );
    if (f < 0) f = found.push({ minimum: minimum[s], distances: distances.slice(), count: 0 }) - 1;
    found[f].count++;
    index[s] = f;
  }
  return { index, count: Int32Array.from(found, (f) => f.count) };
}

/** Step of the finite differences: between the error h²·U⁗ of stiff bonds and the rounding of the gradient by h. */
const DIFFERENCE = 1e-5;
/** Curvatures this small beside the largest one count as zero: translations and rotations, and rounding. */
const FLAT = 1e-5;

/**
 * Whether a stationary point is a minimum: no eigenvalue of the Hessian, taken by central differences of the gradient, is
 * negative. Translations and rotations, which cost nothing, do not count.
 *
 * @param x stationary configuration [dof]
 */
export function isMinimum(energyAndGradient: EnergyAndGradient, x: Float64Array): boolean {
  const dof = x.length;
  const displaced = new Float64Array(2 * dof * dof);
  for (let c = 0; c < dof; c++) {
    displaced.set(x, 2 * c * dof);
    displaced.set(x, (2 * c + 1) * dof);
    displaced[2 * c * dof + c] += DIFFERENCE;
    displaced[(2 * c + 1) * dof + c] -= DIFFERENCE;
  }
  const { gradient } = energyAndGradient(displaced, 2 * dof);
  const hessian = new Float64Array(dof * dof);
  let largest = 0;
  for (let r = 0; r < dof; r++) {
    for (let c = 0; c < dof; c++) {
      const change = gradient[2 * r * dof + c] - gradient[(2 * r + 1) * dof + c];
      // Half to each triangle: the mean of both derivatives is symmetric.
      hessian[r * dof + c] += change / (4 * DIFFERENCE);
      hessian[c * dof + r] += change / (4 * DIFFERENCE);
    }
  }
  for (let c = 0; c < dof; c++) largest = Math.max(largest, Math.abs(hessian[c * dof + c]));
  for (let c = 0; c < dof; c++) hessian[c * dof + c] += FLAT * largest;
  return isPositiveDefinite(hessian, dof);
}

/** By Cholesky factorisation, which overwrites the lower triangle. */
function isPositiveDefinite(matrix: Float64Array, size: number): boolean {
  for (let r = 0; r < size; r++) {
    for (let c = 0; c <= r; c++) {
      let sum = matrix[r * size + c];
      for (let k = 0; k < c; k++) sum -= matrix[r * size + k] * matrix[c * size + k];
      if (c < r) {
        matrix[r * size + c] = sum / matrix[c * size + c];
      } else {
        if (!(sum > 0)) return false;
        matrix[r * size + r] = Math.sqrt(sum);
      }
    }
  }
  return true;
}

/** A function that writes the pair distances of one configuration, sorted within every pair of species. */
function sortedDistances(N: number, D: number, species: readonly number[] = new Array<number>(N).fill(0)) {
  if (species.length !== N) throw new UsageError(`species: length ${species.length}, expected N = ${N}`);
  const groups = new Map<string, number[]>();
  let pair = 0;
  for (let i = 0; i < N; i++) {
    for (let j = i + 1; j < N; j++) {
      const key = [species[i], species[j]].sort((a, b) => a - b).join('-');
      groups.set(key, [...(groups.get(key) ?? []), pair++]);
    }
  }
  const members = [...groups.values()];
  const all = new Float64Array(pair);
  const buffers = members.map((group) => new Float64Array(group.length));
  return (x: ArrayLike<number>, at: number, out: Float64Array): void => {
    pairDistances(x, at, N, D, all);
    let written = 0;
    members.forEach((group, g) => {
      const buffer = buffers[g];
      for (let k = 0; k < group.length; k++) buffer[k] = all[group[k]];
      out.set(buffer.sort(), written);
      written += group.length;
    });
  };
}

function pairDistances(x: ArrayLike<number>, at: number, N: number, D: number, out: Float64Array): void {
  let pair = 0;
  for (let i = 0; i < N; i++) {
    for (let j = i + 1; j < N; j++) {
      let squared = 0;
      for (let k = 0; k < D; k++) squared += (x[at + i * D + k] - x[at + j * D + k]) ** 2;
      out[pair++] = Math.sqrt(squared);
    }
  }
}

function near(a: Float64Array, b: Float64Array, tolerance: number): boolean {
  for (let k = 0; k < a.length; k++) if (!(Math.abs(a[k] - b[k]) <= tolerance)) return false;
  return true;
}

function requireShape(x: Float64Array, perSample: ArrayLike<number>, n: number, N: number, D: number): void {
  if (x.length !== n * N * D) throw new DataError(`x: length ${x.length}, expected n·N·D = ${n}·${N}·${D}`);
  if (perSample.length !== n) throw new DataError(`per-sample array: length ${perSample.length}, expected n = ${n}`);
}
