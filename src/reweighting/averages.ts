import { DataError } from '../errors.js';
import type { Estimate } from '../estimate.js';
import { foldBlocks, relativeWeight, type WeightBlock, weightBlocks } from './blocks.js';
import { requirePositiveWeight, requireSameLength } from './log-weights.js';
import { importanceWeights, type WeightReport } from './weights.js';

/**
 * Mergeable sums over values f and weights w of consecutive samples, weights relative to the largest as in `WeightBlock`. All
 * squares are kept as deviations from means, so that neither a large mean nor nearly equal weights cost digits.
 */
export interface AverageBlock {
  /** Σwf/Σw; samples of zero weight are not looked at. */
  readonly mean: number;
  /** Σw²(f − mean). */
  readonly cross: number;
  /** Σw²(f − mean)². */
  readonly squares: number;
  /** Mean of f without weights; infinite if a value is. */
  readonly plainMean: number;
  /** Σ(w − w̄)(f − plainMean). */
  readonly plainCross: number;
  /** Σ(f − plainMean)². */
  readonly plainSquares: number;
}

/**
 * @param values f, shape [n]
 * @param weights relative to the largest of the block, shape [n]
 * @param sum Σ weights
 */
export function averageBlock(values: Float64Array, weights: Float64Array, sum: number): AverageBlock {
  const n = values.length;
  let weighted = 0;
  let total = 0;
  for (let i = 0; i < n; i++) {
    total += values[i];
    if (weights[i] > 0) weighted += weights[i] * values[i];
  }
  const mean = sum > 0 ? weighted / sum : 0;
  const plainMean = total / n;
  const meanWeight = sum / n;
  let [cross, squares, plainCross, plainSquares] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const w = weights[i];
    const plain = values[i] - plainMean;
    plainCross += (w - meanWeight) * plain;
    plainSquares += plain * plain;
    if (w === 0) continue;
    const deviation = w * (values[i] - mean);
    cross += w * deviation;
    squares += deviation * deviation;
  }
  return { mean, cross, squares, plainMean, plainCross, plainSquares };
}

/**
 * Blocks of consecutive samples as one.
 *
 * @param a with its weights, then the samples that follow with theirs
 * @param weights of both together
 */
export function combineAverages(
  a: AverageBlock,
  weightsA: WeightBlock,
  b: AverageBlock,
  weightsB: WeightBlock,
  weights: WeightBlock,
): AverageBlock {
  const [scaleA, scaleB] = [scaleTo(weights, weightsA), scaleTo(weights, weightsB)];
  const mean = blend(a.mean, b.mean, weights.sum > 0 ? (weightsB.sum * scaleB) / weights.sum : 0);
  const moved = (block: AverageBlock, of: WeightBlock, scale: number) => {
    const shift = block.mean - mean;
    const sumOfSquares = of.n === 0 ? 0 : of.squaredDeviations + of.sum ** 2 / of.n;
    return {
      cross: scale ** 2 * (block.cross + shift * sumOfSquares),
      squares: scale ** 2 * (block.squares + 2 * shift * block.cross + shift ** 2 * sumOfSquares),
    };
  };
  const [movedA, movedB] = [moved(a, weightsA, scaleA), moved(b, weightsB, scaleB)];
  const pairs = (weightsA.n * weightsB.n) / weights.n;
  const apart = b.plainMean - a.plainMean;
  const weightsApart = (weightsB.sum * scaleB) / weightsB.n - (weightsA.sum * scaleA) / weightsA.n;
  return {
    mean,
    cross: movedA.cross + movedB.cross,
    squares: movedA.squares + movedB.squares,
    plainMean: blend(a.plainMean, b.plainMean, weightsB.n / weights.n),
    plainCross: scaleA * a.plainCross + scaleB * b.plainCross + apart * weightsApart * pairs,
    plainSquares: a.plainSquares + b.plainSquares + apart ** 2 * pairs,
  };
}

/** Factor from weights relative to the largest of a part to weights relative to the largest of all. */
export function scaleTo(all: WeightBlock, part: WeightBlock): number {
  return part.sum === 0 ? 0 : Math.exp(part.maximum - all.maximum);
}

/** Between a and b; an infinite side stays. */
function blend(a: number, b: number, share: number): number {
  if (a === b || share === 0) return a;
  return Number.isFinite(a) ? a + (b - a) * share : a + b;
}

/** What an estimate from all samples needs besides its block. */
export interface Ensemble {
  readonly weights: WeightBlock;
  readonly report: WeightReport;
}

/**
 * How log Z adds to an average: with which sign, and whether it fluctuates with the same samples, which correlates the errors. A
 * given one brings its own error, in quadrature.
 */
export interface LogZShare {
  readonly sign: -1 | 0 | 1;
  readonly logZ: { readonly value: number; readonly standardError: number };
  readonly given: boolean;
}

const NONE: LogZShare = { sign: 0, logZ: { value: 0, standardError: 0 }, given: true };

/**
 * Σwf/Σw + sign·log Z. The error is the delta method's, √(n/(n−1)·Σ(w̃(f − mean) + sign·(w̃ − 1/n))²), times what the unseen tail adds to
 * that of log Z. Without error bar if one weight holds more than half of the sum: then the mean follows that sample, its
 * deviation vanishes, and the formula would shrink as things get worse.
 */
export function weightedEstimate(block: AverageBlock, ensemble: Ensemble, share: LogZShare = NONE): Estimate {
  const { n, sum, squaredDeviations } = ensemble.weights;
  const { largestShare } = ensemble.report;
  const own = share.given ? 0 : share.sign;
  const squares = Math.max(0, block.squares + 2 * own * block.cross + own ** 2 * squaredDeviations);
  const error = (Math.sqrt((squares * n) / (n - 1)) / sum) * Math.max(1, tailFactorOf(ensemble));
  return estimate(block.mean, largestShare > 0.5 ? Number.NaN : error, ensemble, share);
}

/** The plain mean of f + sign·log Z; infinite without error bar if a value is. */
export function plainEstimate(block: AverageBlock, ensemble: Ensemble, share: LogZShare = NONE): Estimate {
  const { n, sum, squaredDeviations } = ensemble.weights;
  const own = share.given ? 0 : share.sign;
  const ofLogZ = (n / sum) ** 2 * squaredDeviations * Math.max(1, tailFactorOf(ensemble)) ** 2;
  const correlation = 2 * own * (n / sum) * block.plainCross;
  const squares = Math.max(0, block.plainSquares + correlation + own ** 2 * ofLogZ);
  return estimate(block.plainMean, Math.sqrt(squares / n / (n - 1)), ensemble, share);
}

function estimate(mean: number, error: number, { weights, report }: Ensemble, share: LogZShare): Estimate {
  const { sign, logZ, given } = share;
  const known = weights.n >= 2 && Number.isFinite(error);
  const standardError = given && sign !== 0 ? Math.hypot(error, logZ.standardError) : error;
  const { ess, khat, largestShare } = report;
  return {
    value: mean + sign * logZ.value,
    standardError: known ? standardError : Number.NaN,
    n: weights.n,
    diagnostics: { ess, khat, largestShare },
  };
}

/** NaN, where the weights have no error to speak of, changes nothing. */
export function tailFactorOf({ report }: Pick<Ensemble, 'report'>): number {
  const { tailFactor } = report.logZ.diagnostics;
  return Number.isFinite(tailFactor) ? tailFactor : 1;
}

/**
 * Self-normalised average Σwf/Σw: the expectation of f in the target ensemble.
 *
 * The error is the delta method's, √(n/(n−1)·Σ w̃²(f − mean)²), raised by what the unseen tail of the weights adds to that of log Z. It is
 * NaN when one weight holds more than half of the sum: then the mean follows that sample, its deviation vanishes, and the
 * formula would shrink as things get worse.
 *
 * @param values f(x), shape [n]; entries of zero weight are not looked at
 * @param logWeight shape [n], nats
 * @throws DataError if the lengths differ, weights are bad or all zero, or a value of positive weight is not finite
 */
export function weightedMean(values: Float64Array, logWeight: Float64Array): Estimate {
  requireSameLength('values', values, 'logWeight', logWeight);
  const report = importanceWeights(logWeight);
  const bad = values.findIndex((value, i) => !Number.isFinite(value) && logWeight[i] > Number.NEGATIVE_INFINITY);
  if (bad >= 0) {
    throw new DataError(
      `values: ${values[bad]} at index ${bad}, expected a finite number where the weight is positive`,
    );
  }
  let weights: WeightBlock | undefined;
  let average: AverageBlock | undefined;
  let start = 0;
  for (const block of weightBlocks(logWeight)) {
    const relative = logWeight.subarray(start, start + block.n).map((l) => relativeWeight(l, block));
    const next = averageBlock(values.subarray(start, start + block.n), relative, block.sum);
    const all: WeightBlock = weights === undefined ? block : foldBlocks([weights, block]);
    average = average && weights ? combineAverages(average, weights, next, block, all) : next;
    weights = all;
    start += block.n;
  }
  requirePositiveWeight(report.n, weights!.maximum);
  return weightedEstimate(average!, { weights: weights!, report });
}
