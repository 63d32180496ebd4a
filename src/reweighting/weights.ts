import { DataError } from '../errors.js';
import type { Estimate } from '../estimate.js';
import { foldBlocks, largestLogWeights, type WeightBlock, weightBlocks } from './blocks.js';
import { requireLogWeights, requirePositiveWeight } from './log-weights.js';
import { khatOfLargest, tailLength } from './psis.js';
import { type WeightStatus, weightStatus } from './status.js';
import { relativeErrorOfMean } from './tail-error.js';

/** What a set of importance weights is worth. The figures belong together: none of them is safe to quote alone. */
export interface WeightReport {
  readonly n: number;
  /** Kish's effective sample size (Σw)²/Σw². */
  readonly ess: number;
  /** ESS/n, between 1/n and 1. */
  readonly essFraction: number;
  /** Pareto shape of the largest weights; Infinity if it cannot be fitted. */
  readonly khat: number;
  /**
   * log mean w in nats: an estimate of log Z if q is normalised. Its error follows the fitted tail beyond the largest weight seen
   * (`relativeErrorOfMean`); diagnostics.tailFactor is that error divided by the plain delta method's.
   */
  readonly logZ: Estimate;
  /** Share of the largest weight in the sum. */
  readonly largestShare: number;
  /** Samples of weight exactly zero (infinite energy). */
  readonly zeroWeights: number;
  readonly status: WeightStatus;
}

/** What messages say. */
export interface ImportanceWeightOptions {
  /** What an error message calls the array, for example `samples.npz: logWeight`; default `logWeight`. */
  readonly source?: string;
}

/**
 * Diagnoses importance weights. The result depends on the sequence alone, never on how it was sharded.
 *
 * @param logWeight log w = −U/kT − log q, shape [n], nats; −Inf is a zero weight
 * @throws DataError if the array is empty or holds NaN or +Inf
 */
export function importanceWeights(logWeight: Float64Array, options: ImportanceWeightOptions = {}): WeightReport {
  requireLogWeights(logWeight, options.source ?? 'logWeight');
  return weightReport(
    foldBlocks(weightBlocks(logWeight)),
    largestLogWeights(logWeight, tailLength(logWeight.length) + 1),
  );
}

/**
 * The report from mergeable parts, for sets that never are in memory as a whole.
 *
 * @param total fold of all blocks in global order
 * @param largest the `tailLength(total.n) + 1` largest log-weights, descending
 * @throws DataError if there are no samples or `largest` is too short for them
 */
export function weightReport(total: WeightBlock, largest: Float64Array): WeightReport {
  const { n, sum, zeroWeights } = total;
  if (n === 0) throw new DataError('logWeight: no entries, expected at least one sample');
  const needed = Math.min(n, tailLength(n) + 1);
  if (largest.length < needed) {
    throw new DataError(`largest log-weights: ${largest.length} entries, expected ${needed} for ${n} samples`);
  }
  const mean = sum / n;
  const relativeVariance = sum > 0 ? total.squaredDeviations / n / mean ** 2 : Number.NaN;
  const ess = sum > 0 ? n / (1 + relativeVariance) : 0;
  const khat = khatOfLargest(largest, n);
  const largestShare = sum > 0 ? 1 / sum : Number.NaN;
  const standardError = sum > 0 ? relativeErrorOfMean(total, largest) : Number.NaN;
  // Equal weights have no error to follow; 0/0 for a single sample.
  const plainError = Math.sqrt(relativeVariance / (n - 1));
  const tailFactor = plainError === 0 ? 1 : standardError / plainError;
  return {
    n,
    ess,
    essFraction: ess / n,
    khat,
    logZ: {
      value: total.maximum + Math.log(mean),
      standardError,
      n,
      diagnostics: { ess, khat, largestShare, tailFactor },
    },
    largestShare,
    zeroWeights,
    status: weightStatus({ n, ess, khat, largestShare, relativeSpread: Math.sqrt(relativeVariance) }),
  };
}

/**
 * Weights that sum to one, shape [n].
 *
 * @throws DataError if the array is empty, holds NaN or +Inf, or only zero weights
 */
export function normalizedWeights(logWeight: Float64Array): Float64Array {
  requireLogWeights(logWeight, 'logWeight');
  const total = foldBlocks(weightBlocks(logWeight));
  const { n, maximum, sum } = total;
  requirePositiveWeight(n, maximum);
  return logWeight.map((l) => Math.exp(l - maximum) / sum);
}
