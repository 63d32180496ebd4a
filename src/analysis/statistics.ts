import { DataError, UsageError } from '../errors.js';
import type { Estimate } from '../estimate.js';

/**
 * Arithmetic mean.
 *
 * @throws DataError if there are no values
 */
export function mean(values: ArrayLike<number>): number {
  requireValues(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Unbiased variance (divisor n − 1); NaN for a single value. */
export function variance(values: ArrayLike<number>): number {
  const centre = mean(values);
  let squares = 0;
  let rest = 0;
  for (let i = 0; i < values.length; i++) {
    const deviation = values[i] - centre;
    squares += deviation ** 2;
    rest += deviation;
  }
  // The second term removes the rounding of the mean (corrected two-pass algorithm).
  return (squares - rest ** 2 / values.length) / (values.length - 1);
}

/** Standard error of the mean of independent values; NaN for a single value. Chains need `meanWithError`. */
export function standardErrorOfMean(values: ArrayLike<number>): number {
  return Math.sqrt(variance(values) / values.length);
}

/**
 * Quantile with linear interpolation between order statistics (type 7 of Hyndman and Fan 1996, numpy's default).
 *
 * @throws UsageError if the probability is not in [0, 1]; DataError for no values or NaN
 */
export function quantile(values: ArrayLike<number>, probability: number): number {
  if (!(probability >= 0 && probability <= 1)) throw new UsageError(`probability: ${probability}, expected 0 to 1`);
  requireValues(values);
  const sorted = Float64Array.from(values).sort();
  // Typed arrays sort NaN to the end.
  if (Number.isNaN(sorted[sorted.length - 1])) throw new DataError('quantile: the values hold NaN, expected numbers');
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const fraction = position - below;
  return fraction === 0 ? sorted[below] : sorted[below] * (1 - fraction) + sorted[below + 1] * fraction;
}

/**
 * Fraction of successes among independent trials.
 *
 * The error is the standard deviation of the Jeffreys posterior Beta(k + ½, n − k + ½): the binomial one for large
 * counts, and not zero where nothing, or everything, was seen (Brown, Cai, DasGupta, Stat. Sci. 16 (2001) 101).
 *
 * @throws UsageError unless 0 ≤ successes ≤ n are integers and n ≥ 1
 */
export function binomialFraction(successes: number, n: number): Estimate {
  if (!Number.isInteger(n) || n < 1) throw new UsageError(`n: ${n}, expected a positive integer`);
  if (!Number.isInteger(successes) || successes < 0 || successes > n) {
    throw new UsageError(`successes: ${successes}, expected an integer from 0 to ${n}`);
  }
  return { value: successes / n, standardError: jeffreysError(successes, n), n, diagnostics: { successes } };
}

/**
 * Weighted fraction Σ_members w/Σw of independent samples, for example the population of a minimum.
 *
 * The error is the larger of the delta method's and the binomial one (Jeffreys) at Kish's effective size; the latter
 * speaks where few members, or none, were seen and the delta method tends to zero.
 *
 * @param member truthy for members, shape [n]
 * @param weights linear weights ≥ 0 of any scale, shape [n]
 * @throws DataError if the lengths differ, a weight is negative or not finite, or the total weight is zero
 */
export function weightedFraction(member: ArrayLike<number | boolean>, weights: ArrayLike<number>): Estimate {
  const n = weights.length;
  if (member.length !== n) throw new DataError(`weights has ${n} entries, expected ${member.length}, one per sample`);
  let total = 0;
  for (let i = 0; i < n; i++) {
    if (!(weights[i] >= 0 && weights[i] < Number.POSITIVE_INFINITY)) {
      throw new DataError(`weights: ${weights[i]} at index ${i}, expected a finite number ≥ 0`);
    }
    total += weights[i];
  }
  if (!(total > 0)) throw new DataError(`weights: total ${total} of ${n} samples, expected a positive weight`);
  let value = 0;
  let squares = 0;
  let squaresInside = 0;
  for (let i = 0; i < n; i++) {
    const share = weights[i] / total;
    squares += share ** 2;
    if (!member[i]) continue;
    value += share;
    squaresInside += share ** 2;
  }
  value = Math.min(1, value);
  const ess = 1 / squares;
  const deltaSquared = (1 - value) ** 2 * squaresInside + value ** 2 * (squares - squaresInside);
  const delta = Math.sqrt((deltaSquared * n) / (n - 1));
  return {
    value,
    standardError: n < 2 ? Number.NaN : Math.max(delta, jeffreysError(value * ess, ess)),
    n,
    diagnostics: { ess },
  };
}

/** Standard deviation of the Jeffreys posterior of a fraction, see `binomialFraction`; the counts need not be integers. */
export function jeffreysError(successes: number, n: number): number {
  const a = successes + 0.5;
  const b = n - successes + 0.5;
  return Math.sqrt((a * b) / ((n + 1) ** 2 * (n + 2)));
}

function requireValues(values: ArrayLike<number>): void {
  if (values.length === 0) throw new DataError('values: none given, expected at least one');
}
