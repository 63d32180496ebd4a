import { DataError } from '../errors.js';

/**
 * Samples per block. Fixed, because it decides the order of additions: the same sequence of weights gives the same
 * bits for any number of workers, shards or resumed runs.
 */
export const WEIGHT_BLOCK_SIZE = 4096;

/**
 * Sums over consecutive weights, scaled by the largest of them so that nothing overflows. Squares are kept as
 * deviations from the mean: Σw² would lose all digits of the variance for a flow whose weights are nearly equal.
 */
export interface WeightBlock {
  readonly n: number;
  /** Weights that are exactly zero (log-weight −Inf). */
  readonly zeroWeights: number;
  /** Largest log-weight, −Inf if all weights are zero. */
  readonly maximum: number;
  /** Σ w/w_max. */
  readonly sum: number;
  /** Σ (w/w_max − mean)². */
  readonly squaredDeviations: number;
}

const EMPTY: WeightBlock = {
  n: 0,
  zeroWeights: 0,
  maximum: Number.NEGATIVE_INFINITY,
  sum: 0,
  squaredDeviations: 0,
};

/** Weights of the block at hand relative to its largest, so that each costs one exponential. */
const relative = new Float64Array(WEIGHT_BLOCK_SIZE);

/**
 * Summary of one block, a function of its content alone.
 *
 * @param logWeight log-weights of the block, shape [≤ WEIGHT_BLOCK_SIZE], finite or −Inf
 * @throws DataError if the block is too long, which would make the result depend on the sharding
 */
export function weightBlock(logWeight: Float64Array): WeightBlock {
  const n = logWeight.length;
  if (n > WEIGHT_BLOCK_SIZE) {
    throw new DataError(`weight block: ${n} log-weights, expected at most ${WEIGHT_BLOCK_SIZE}`);
  }
  let maximum = Number.NEGATIVE_INFINITY;
  let zeroWeights = 0;
  for (let i = 0; i < n; i++) {
    if (logWeight[i] > maximum) maximum = logWeight[i];
    if (logWeight[i] === Number.NEGATIVE_INFINITY) zeroWeights++;
  }
  if (zeroWeights === n) return { ...EMPTY, n, zeroWeights };
  let sum = 0;
  for (let i = 0; i < n; i++) {
    relative[i] = Math.exp(logWeight[i] - maximum);
    sum += relative[i];
  }
  const mean = sum / n;
  let squaredDeviations = 0;
  for (let i = 0; i < n; i++) squaredDeviations += (relative[i] - mean) ** 2;
  return { n, zeroWeights, maximum, sum, squaredDeviations };
}

/** A weight relative to the largest of its block; 0 where all are zero. */
export function relativeWeight(logWeight: number, { maximum }: WeightBlock): number {
  return maximum === Number.NEGATIVE_INFINITY ? 0 : Math.exp(logWeight - maximum);
}

/** The blocks of a whole sequence, in order; only the last may be short. */
export function* weightBlocks(logWeight: Float64Array): Generator<WeightBlock> {
  for (let start = 0; start < logWeight.length; start += WEIGHT_BLOCK_SIZE) {
    yield weightBlock(logWeight.subarray(start, start + WEIGHT_BLOCK_SIZE));
  }
}

/**
 * Combines the blocks of a sequence. The order must be the global order of the samples and every block but the last
 * must be full, as `weightBlocks` makes them: floating-point addition is not associative.
 *
 * Source of the pairwise update of squared deviations: Chan, Golub, LeVeque, Am. Stat. 37 (1983) 242.
 */
export function foldBlocks(blocks: Iterable<WeightBlock>): WeightBlock {
  let total = EMPTY;
  for (const block of blocks) total = combine(total, block);
  return total;
}

function combine(a: WeightBlock, b: WeightBlock): WeightBlock {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const zeroWeights = a.zeroWeights + b.zeroWeights;
  const maximum = Math.max(a.maximum, b.maximum);
  if (maximum === Number.NEGATIVE_INFINITY) return { ...EMPTY, n, zeroWeights };
  const scaleA = Math.exp(a.maximum - maximum);
  const scaleB = Math.exp(b.maximum - maximum);
  const sumA = a.sum * scaleA;
  const sumB = b.sum * scaleB;
  const difference = sumB / b.n - sumA / a.n;
  return {
    n,
    zeroWeights,
    maximum,
    sum: sumA + sumB,
    squaredDeviations:
      a.squaredDeviations * scaleA ** 2 + b.squaredDeviations * scaleB ** 2 + (difference ** 2 * (a.n * b.n)) / n,
  };
}

/**
 * The `keep` largest log-weights in descending order (all of them, if there are fewer). Exact and independent of
 * order, so lists of shards may be concatenated and passed in again.
 */
export function largestLogWeights(logWeight: Float64Array, keep: number): Float64Array {
  const buffer = new Float64Array(keep + Math.max(keep, WEIGHT_BLOCK_SIZE));
  let filled = 0;
  let threshold = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logWeight.length; i++) {
    const l = logWeight[i];
    if (filled >= keep && l <= threshold) continue;
    buffer[filled++] = l;
    if (filled < buffer.length) continue;
    buffer.sort();
    buffer.copyWithin(0, buffer.length - keep);
    filled = keep;
    threshold = buffer[0];
  }
  const kept = buffer.slice(0, filled).sort();
  return kept.subarray(Math.max(0, filled - keep)).reverse();
}
