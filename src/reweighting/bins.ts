import type { HistogramAxis } from '../analysis/histogram.js';
import { type Ensemble, scaleTo, tailFactorOf } from './averages.js';
import type { WeightBlock } from './blocks.js';

/**
 * Mergeable sums over the bins of a histogram. A sample shares its weight among the values that it brings (one, or a distance of
 * every pair); c is its share in a bin. All arrays have shape [bins], weights are relative to the largest of the block.
 */
export interface BinBlock {
  /** Σwc. */
  readonly mass: Float64Array;
  /** Σw²c. */
  readonly cross: Float64Array;
  /** Σw²c². */
  readonly squares: Float64Array;
  /** Largest wc. */
  readonly largest: Float64Array;
  /** Σc. */
  readonly plainMass: Float64Array;
  /** Σc². */
  readonly plainSquares: Float64Array;
}

const empty = (bins: number): BinBlock => ({
  mass: new Float64Array(bins),
  cross: new Float64Array(bins),
  squares: new Float64Array(bins),
  largest: new Float64Array(bins),
  plainMass: new Float64Array(bins),
  plainSquares: new Float64Array(bins),
});

/**
 * @param values shape [n, values per sample]; what lies beyond the axis, and NaN, is in no bin
 * @param weights relative to the largest of the block, shape [n]
 */
export function binBlock(values: Float64Array, weights: Float64Array, axis: HistogramAxis): BinBlock {
  const perSample = values.length / weights.length;
  const block = empty(axis.bins);
  const share = new Float64Array(axis.bins);
  const touched = new Uint32Array(perSample);
  for (let i = 0; i < weights.length; i++) {
    let count = 0;
    for (let k = i * perSample; k < (i + 1) * perSample; k++) {
      const bin = binIndex(values[k], axis);
      if (bin < 0) continue;
      if (share[bin] === 0) touched[count++] = bin;
      share[bin] += 1 / perSample;
    }
    for (let t = 0; t < count; t++) {
      add(block, touched[t], weights[i], share[touched[t]]);
      share[touched[t]] = 0;
    }
  }
  return block;
}

/** Bins that are states: whether a sample belongs to each of them, [states][n]. */
export function memberBlock(members: readonly Uint8Array[], weights: Float64Array): BinBlock {
  const block = empty(members.length);
  for (const [state, member] of members.entries()) {
    for (let i = 0; i < weights.length; i++) if (member[i]) add(block, state, weights[i], 1);
  }
  return block;
}

function add({ mass, cross, squares, largest, plainMass, plainSquares }: BinBlock, bin: number, w: number, c: number) {
  mass[bin] += w * c;
  cross[bin] += w * w * c;
  squares[bin] += w * w * c * c;
  if (w * c > largest[bin]) largest[bin] = w * c;
  plainMass[bin] += c;
  plainSquares[bin] += c * c;
}

/** Index of the bin of a value, −1 if none; the last bin includes the end of the axis. */
export function binIndex(value: number, { min, max, bins }: HistogramAxis): number {
  if (!(value >= min && value <= max)) return -1;
  return Math.min(bins - 1, Math.floor(((value - min) / (max - min)) * bins));
}

/** Blocks of consecutive samples as one, `weights` being those of both together. */
export function combineBins(
  a: BinBlock,
  weightsA: WeightBlock,
  b: BinBlock,
  weightsB: WeightBlock,
  weights: WeightBlock,
): BinBlock {
  const [scaleA, scaleB] = [scaleTo(weights, weightsA), scaleTo(weights, weightsB)];
  const sum = (key: keyof BinBlock, power: number) =>
    a[key].map((value, bin) => value * scaleA ** power + b[key][bin] * scaleB ** power);
  return {
    mass: sum('mass', 1),
    cross: sum('cross', 2),
    squares: sum('squares', 2),
    largest: a.largest.map((value, bin) => Math.max(value * scaleA, b.largest[bin] * scaleB)),
    plainMass: a.plainMass.map((value, bin) => value + b.plainMass[bin]),
    plainSquares: a.plainSquares.map((value, bin) => value + b.plainSquares[bin]),
  };
}

/** What is known of one bin: its share of the weight, and how much of it. */
export interface BinShare {
  /** Share of the weight. */
  readonly value: number;
  readonly standardError: number;
  /** Kish's size of the samples in the bin. */
  readonly ess: number;
  /** Whether one sample holds more than half of the bin's weight. */
  readonly decided: boolean;
}

/** Share of the weight in each bin; the error is the delta method's, √(n/(n−1)·Σw̃²(c − p)²). */
export function weightedShares(block: BinBlock, ensemble: Ensemble): BinShare[] {
  const { n, sum, squaredDeviations } = ensemble.weights;
  const sumOfSquares = squaredDeviations + sum ** 2 / n;
  const factor = Math.sqrt(n / (n - 1)) * Math.max(1, tailFactorOf(ensemble));
  return Array.from(block.mass, (mass, bin) => {
    const value = mass / sum;
    const squares = block.squares[bin] - 2 * value * block.cross[bin] + value ** 2 * sumOfSquares;
    return {
      value,
      standardError: (factor * Math.sqrt(Math.max(0, squares))) / sum,
      ess: block.squares[bin] === 0 ? 0 : mass ** 2 / block.squares[bin],
      decided: block.largest[bin] > mass / 2,
    };
  });
}

/** The same of the samples as they were drawn, without their weights. */
export function plainShares(block: BinBlock, n: number): BinShare[] {
  return Array.from(block.plainMass, (mass, bin) => {
    const value = mass / n;
    const squares = block.plainSquares[bin];
    const variance = Math.max(0, squares - value * mass) / n / (n - 1);
    return {
      value,
      standardError: Math.sqrt(variance),
      ess: squares === 0 ? 0 : mass ** 2 / squares,
      decided: mass <= 1,
    };
  });
}

/** Variance of log(P_a/P_b) of two bins that share no sample. */
export function logRatioVariance(block: BinBlock, a: number, b: number, ensemble: Ensemble): number {
  const { n } = ensemble.weights;
  const part = (bin: number) => block.squares[bin] / block.mass[bin] ** 2;
  return ((part(a) + part(b)) * n * Math.max(1, tailFactorOf(ensemble)) ** 2) / (n - 1);
}
