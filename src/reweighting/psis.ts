/**
 * Pareto-smoothed importance sampling: Vehtari, Simpson, Gelman, Yao, Gabry, JMLR 25 (2024) 72. The conventions
 * (tail length, strict cutoff, truncation at the largest raw weight) are those of ArviZ's `psislw`, to compare with.
 */
import { largestLogWeights } from './blocks.js';
import { requireLogWeights, requirePositiveWeight } from './log-weights.js';

/** Logarithm of the smallest normal double: below it a weight relative to the largest is zero for the tail. */
const LOG_TINY = Math.log(2 ** -1022);

/** With fewer exceedances the fit of two parameters has no meaning; ArviZ's limit. */
const MINIMUM_TAIL = 5;

/** Weakly informative prior on k̂: ten pseudo-observations at 0.5 (Vehtari et al. 2024, appendix on the GPD fit). */
const PRIOR_OBSERVATIONS = 10;
const PRIOR_SHAPE = 0.5;

/** Number of largest weights that the tail may take: ⌈min(n/5, 3√n)⌉. */
export function tailLength(n: number): number {
  return Math.ceil(Math.min(n / 5, 3 * Math.sqrt(n)));
}

export interface ParetoFit {
  /** Shape k: moments of order 1/k and above do not exist. */
  readonly shape: number;
  readonly scale: number;
}

/** The largest of n weights, relative to the largest of them. */
export interface WeightTail {
  /** Log-weights minus their maximum that exceed the cutoff, ascending. */
  readonly relative: Float64Array;
  /** Weight at the cutoff, relative to the largest. */
  readonly cutoff: number;
  /** None if the tail is too short, or equal up to rounding. */
  readonly fit?: ParetoFit;
}

/**
 * Shape k̂ of the generalized Pareto distribution fitted to the largest weights. Below 0.5 the weights have a finite
 * variance, up to 0.7 estimates still converge usefully, above they do not.
 *
 * @param logWeight shape [n], nats, any constant offset; −Inf is a zero weight
 * @returns k̂; Infinity (which fails every threshold) if fewer than 5 weights exceed the tail's cutoff: too few
 *   samples, or ties
 * @throws DataError if the array is empty or holds NaN or +Inf
 */
export function paretoKhat(logWeight: Float64Array): number {
  requireLogWeights(logWeight, 'logWeight');
  const n = logWeight.length;
  return khatOfLargest(largestLogWeights(logWeight, tailLength(n) + 1), n);
}

/**
 * k̂ from the `tailLength(n) + 1` largest of n log-weights alone.
 *
 * @param largest descending, as `largestLogWeights` returns them
 */
export function khatOfLargest(largest: Float64Array, n: number): number {
  return weightTail(largest, n).fit?.shape ?? Number.POSITIVE_INFINITY;
}

/**
 * Log-weights whose tail is replaced by the expected order statistics of the fitted Pareto distribution, truncated at
 * the largest raw weight. Less variance than raw weights for a small bias. Unchanged if no tail can be fitted.
 *
 * @param logWeight shape [n], nats
 * @returns normalised log-weights (Σ exp = 1), shape [n], and k̂
 * @throws DataError if the array is empty, holds NaN or +Inf, or only zero weights
 */
export function smoothedLogWeights(logWeight: Float64Array): { logWeight: Float64Array; khat: number } {
  requireLogWeights(logWeight, 'logWeight');
  const n = logWeight.length;
  const largest = largestLogWeights(logWeight, tailLength(n) + 1);
  requirePositiveWeight(n, largest[0]);
  const { relative, cutoff, fit } = weightTail(largest, n);
  const smoothed = logWeight.map((l) => l - largest[0]);
  if (fit) {
    // All weights of the tail are above its cutoff, and no others are.
    const tail = indicesFrom(logWeight, largest[relative.length - 1]).sort(
      (i, j) => smoothed[i] - smoothed[j] || i - j,
    );
    for (let i = 0; i < relative.length; i++) {
      const quantile = paretoQuantile((i + 0.5) / relative.length, fit);
      smoothed[tail[i]] = Math.min(0, Math.log(quantile + cutoff));
    }
  }
  let sum = 0;
  for (const l of smoothed) sum += Math.exp(l);
  const logSum = Math.log(sum);
  return { logWeight: smoothed.map((l) => l - logSum), khat: fit?.shape ?? Number.POSITIVE_INFINITY };
}

/** Where values are `lowest` or more. */
function indicesFrom(values: Float64Array, lowest: number): number[] {
  const indices: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] >= lowest) indices.push(i);
  return indices;
}

/**
 * The tail of n weights and its fit.
 *
 * @param largest the `tailLength(n) + 1` largest log-weights, descending
 */
export function weightTail(largest: Float64Array, n: number): WeightTail {
  const length = Math.min(tailLength(n), largest.length - 1);
  const maximum = largest[0];
  const logCutoff = Math.max(largest[length] - maximum, LOG_TINY);
  const relative = largest
    .map((l) => l - maximum)
    .filter((l) => l > logCutoff)
    .reverse();
  const cutoff = Math.exp(logCutoff);
  if (relative.length < MINIMUM_TAIL) return { relative, cutoff };
  const fit = fitGeneralizedPareto(relative.map((l) => Math.exp(l) - cutoff));
  return fit ? { relative, cutoff, fit } : { relative, cutoff };
}

/**
 * Generalized Pareto distribution of positive exceedances by the quasi-Bayesian estimator of Zhang and Stephens,
 * Technometrics 51 (2009) 316, with the shape drawn towards 0.5 as in PSIS.
 *
 * @param exceedances ascending, shape [n]
 * @returns undefined if the lower quartile is zero (values equal up to rounding) or the estimate is not finite
 */
function fitGeneralizedPareto(exceedances: Float64Array): ParetoFit | undefined {
  const n = exceedances.length;
  const lowerQuartile = exceedances[Math.floor(n / 4 + 0.5) - 1];
  if (!(lowerQuartile > 0)) return undefined;
  const candidates = 30 + Math.floor(Math.sqrt(n));
  const b = new Float64Array(candidates);
  const profile = new Float64Array(candidates);
  for (let j = 0; j < candidates; j++) {
    b[j] = (1 - Math.sqrt(candidates / (j + 0.5))) / (3 * lowerQuartile) + 1 / exceedances[n - 1];
    const k = meanLog1p(-b[j], exceedances);
    profile[j] = n * (Math.log(-b[j] / k) - k - 1);
  }
  // Posterior weight of each candidate; the ones below ten roundings of the whole are dropped, as in ArviZ.
  let total = 0;
  let mean = 0;
  for (let j = 0; j < candidates; j++) {
    let inverse = 0;
    for (let l = 0; l < candidates; l++) inverse += Math.exp(profile[l] - profile[j]);
    if (!(1 / inverse >= 10 * Number.EPSILON)) continue;
    total += 1 / inverse;
    mean += b[j] / inverse;
  }
  mean /= total;
  const shape = meanLog1p(-mean, exceedances);
  const scale = -shape / mean;
  const shrunk = (n * shape + PRIOR_OBSERVATIONS * PRIOR_SHAPE) / (n + PRIOR_OBSERVATIONS);
  return Number.isFinite(shrunk) && scale > 0 ? { shape: shrunk, scale } : undefined;
}

function meanLog1p(factor: number, values: Float64Array): number {
  let sum = 0;
  for (const x of values) sum += Math.log1p(factor * x);
  return sum / values.length;
}

function paretoQuantile(probability: number, { shape, scale }: ParetoFit): number {
  const exponential = -Math.log1p(-probability);
  if (Math.abs(shape) < Number.EPSILON) return scale * exponential;
  return (scale * Math.expm1(shape * exponential)) / shape;
}
