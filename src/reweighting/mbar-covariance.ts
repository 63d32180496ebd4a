import { linkLaplacian, type MbarData, type MbarSolution, sampledStates, solveLaplacian } from './mbar-equations.js';

/**
 * Error propagation of MBAR. Every estimate is, to first order, a sum of influences of the samples, which vary independently
 * within each state: variance = Σ_n η_n² − Σ_j N_j ⟨η⟩_j², with means over state j taken by weights. For free energies this is
 * the asymptotic covariance of Shirts and Chodera (2008), eq. 8, by way of the sampled states only, so that no [n, n] matrix or
 * singular value decomposition is needed.
 */
export interface MbarErrors {
  /** Σ_n W_nk W_nl with W_nk = e^{f_k − u_kn}/D_n, row-major [K, K]. */
  readonly gram: Float64Array;
  /** Laplacian of the links between sampled states, row-major [S, S]. */
  readonly laplacian: Float64Array;
  /** Covariance of the free energies up to a common constant, row-major [K, K]; NaN if the states fall apart. */
  readonly covariance: Float64Array;
}

export function mbarErrors(data: MbarData, solution: MbarSolution): MbarErrors {
  const gram = gramMatrix(data, solution);
  const laplacian = linkLaplacian(data, solution);
  return { gram, laplacian, covariance: covariance(data.counts, gram, laplacian) };
}

/** W_nk of all samples in state k, shape [n]; they sum to one. */
export function stateWeights(
  energy: Float64Array,
  freeEnergy: number,
  { logDenominator }: Pick<MbarSolution, 'logDenominator'>,
): Float64Array {
  return energy.map((u, n) => Math.exp(freeEnergy - u - logDenominator[n]));
}

function gramMatrix({ energies }: MbarData, solution: MbarSolution): Float64Array {
  const size = energies.length;
  const gram = new Float64Array(size * size);
  const row = new Float64Array(size);
  for (let n = 0; n < energies[0].length; n++) {
    for (let k = 0; k < size; k++) {
      row[k] = Math.exp(solution.freeEnergy[k] - energies[k][n] - solution.logDenominator[n]);
      for (let l = 0; l <= k; l++) gram[k * size + l] += row[k] * row[l];
    }
  }
  for (let k = 0; k < size; k++) for (let l = 0; l < k; l++) gram[l * size + k] = gram[k * size + l];
  return gram;
}

/**
 * Free energies move by −M·(fluctuations of Σ_n W_nk), M = 1 + G·N·L⁻·N, whose covariance is C = G − G·N·G.
 */
function covariance(counts: readonly number[], gram: Float64Array, laplacian: Float64Array): Float64Array {
  const size = counts.length;
  const sampled = sampledStates(counts);
  const response = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    response[k * size + k] = 1;
    const carried = responseOf(
      sampled.map((s) => gram[k * size + s] * counts[s]),
      laplacian,
    );
    if (carried === undefined) return new Float64Array(size * size).fill(Number.NaN);
    for (const [i, s] of sampled.entries()) response[k * size + s] += carried[i] * counts[s];
  }
  const fluctuation = gram.map((g, kl) => {
    const [k, l] = [Math.floor(kl / size), kl % size];
    return sampled.reduce((sum, s) => sum - counts[s] * gram[k * size + s] * gram[s * size + l], g);
  });
  return product(product(response, fluctuation, size), transposed(response, size), size);
}

/**
 * L⁻·right. Right sides reach here up to a constant vector, which no fluctuation sees: their mean is taken off.
 *
 * @returns undefined if the sampled states fall apart
 */
export function responseOf(right: readonly number[], laplacian: Float64Array): Float64Array | undefined {
  const mean = right.reduce((a, b) => a + b, 0) / right.length;
  return solveLaplacian(
    laplacian,
    Float64Array.from(right, (r) => r - mean),
  );
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const result = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      for (let j = 0; j < size; j++) result[i * size + j] += a[i * size + k] * b[k * size + j];
    }
  }
  return result;
}

const transposed = (a: Float64Array, size: number) => a.map((_, ij) => a[(ij % size) * size + Math.floor(ij / size)]);
