import type { WeightBlock } from './blocks.js';
import { type ParetoFit, weightTail } from './psis.js';

/**
 * Times the number of tail samples to which the fitted tail is followed, and standard errors by which its shape is raised. The
 * sample variance misses what lies beyond the largest weight seen, the more so the heavier the tail; these two restore the
 * coverage of 68 % and 95 % intervals for harmonic oscillators and Gaussian work up to k̂ 0.6 without widening those of light
 * tails (docs/reweighting.md has the measurement, the tests hold it).
 */
const DEPTH = 10;
const SHAPE_MARGIN = 0.4;

/** Cells of the tail, even in the logarithm of the exceedance probability: errors of 1e-4. */
const CELLS = 400;

/**
 * Relative standard error of the mean of independent weights: the delta method with the second moment of the largest weights from
 * the generalized Pareto distribution fitted to them, instead of from the few that were seen. The plain delta method where
 * no tail can be fitted.
 *
 * @param total of all n weights, not all zero
 * @param largest the `tailLength(n) + 1` largest log-weights, descending
 * @returns NaN for a single sample
 */
export function relativeErrorOfMean(total: WeightBlock, largest: Float64Array): number {
  const { n } = total;
  const tail = weightTail(largest, n);
  // Without a tail beyond the cutoff there is nothing to follow.
  const squares = tail.fit === undefined ? total.squaredDeviations : fittedSquares(total, tail, tail.fit);
  return n < 2 ? Number.NaN : Math.sqrt(squares / n / (n - 1)) / (total.sum / n);
}

/** Σ (w − mean)² relative to the largest weight, the tail's part from its fit. */
function fittedSquares(
  { n, sum, squaredDeviations }: WeightBlock,
  { relative, cutoff }: { relative: Float64Array; cutoff: number },
  { shape, scale }: ParetoFit,
): number {
  const mean = sum / n;
  let seen = 0;
  for (const l of relative) seen += (Math.exp(l) - mean) ** 2;
  const k = shape + (SHAPE_MARGIN * (1 + shape)) / Math.sqrt(relative.length);
  const end = -Math.log(DEPTH * relative.length);
  let expected = 0;
  for (let i = 0; i < CELLS; i++) {
    const share = Math.exp((end * i) / CELLS) - Math.exp((end * (i + 1)) / CELLS);
    const exponential = (-end * (i + 0.5)) / CELLS;
    const quantile = Math.abs(k) < Number.EPSILON ? exponential : Math.expm1(k * exponential) / k;
    expected += share * (cutoff + scale * quantile - mean) ** 2;
  }
  return Math.max(0, squaredDeviations - seen) + expected * relative.length;
}
