import { DataError, UsageError } from '../errors.js';
import type { Estimate } from '../estimate.js';
import { MAX_SEED, randomWords } from '../kernels/index.js';

/** Philox stream of the resampling, apart from all those that samples are drawn from. */
const STREAM_OF_RESAMPLING = 64;

/** With 199 replicates the exceedance moves in steps of 1/200, so that a level of 1 % is met exactly. */
const REPLICATES = 199;

/** Chance of calling two samples of one distribution distinguishable. */
const FALSE_ALARM = 0.01;

/** How the distance that two samples of one distribution would show is found: by resampling. */
export interface NoiseFloorOptions {
  /** Seed of the resampling; default 1. */
  readonly seed?: number;
  /** Pairs of samples drawn from the reference, at least 99; default 199. */
  readonly replicates?: number;
}

/** How many independent samples of equal weight a sample is worth. */
export interface SampleWorth {
  /** Linear weights ≥ 0 of any scale, one per sample; all 1 if absent. */
  readonly weights?: ArrayLike<number>;
  /** Independent samples that the n correlated ones are worth, n/τ for chains; default n. Weights come on top. */
  readonly independentSamples?: number;
}

/** Values of a distance between samples of one distribution, by resampling a reference. */
export interface NoiseFloor {
  readonly mean: number;
  /** Standard deviation of one replicate, not of the mean. */
  readonly spread: number;
  /** Shape [replicates]. */
  readonly replicates: Float64Array;
}

export type DistanceDiagnostics = Record<
  'noiseFloor' | 'noiseFloorSpread' | 'exceedance' | 'effectiveSamples' | 'referenceEffectiveSamples',
  number
>;

/**
 * A distance between two samples beside the value that chance alone gives it. Distances between samples are never zero:
 * only what lies above the noise floor speaks of the distributions.
 *
 * Diagnostics: noiseFloor and noiseFloorSpread, mean and standard deviation of the distance between two independent samples
 * of the reference of these effective sizes; exceedance, the share of such distances at or above the one found,
 * (1 + count)/(1 + replicates); effectiveSamples of both sides.
 */
export interface DistanceEstimate extends Estimate<DistanceDiagnostics> {
  /** True if the exceedance is at most 1 %. */
  readonly distinguishable: boolean;
  /** What to make of it. */
  readonly status: string;
}

/**
 * Independent samples of equal weight that a sample is worth: Kish's (Σw)²/Σw² times what correlation leaves.
 *
 * @throws DataError for weights of the wrong number, negative, not finite or all zero; UsageError for bad independentSamples
 */
export function effectiveSamples(name: string, n: number, { weights, independentSamples }: SampleWorth): number {
  if (n === 0) throw new DataError(`${name}: no samples, expected at least one`);
  const independent = independentSamples ?? n;
  if (!(independent > 0 && independent <= n)) {
    throw new UsageError(`${name}: independentSamples ${independent}, expected more than 0 and at most ${n}`);
  }
  if (weights === undefined) return independent;
  if (weights.length !== n) {
    throw new DataError(`${name}: weights has ${weights.length} entries, expected ${n}, one per sample`);
  }
  let largest = 0;
  for (let i = 0; i < n; i++) {
    if (!(weights[i] >= 0 && weights[i] < Number.POSITIVE_INFINITY)) {
      throw new DataError(`${name}: weights: ${weights[i]} at index ${i}, expected a finite number ≥ 0`);
    }
    largest = Math.max(largest, weights[i]);
  }
  if (largest === 0) throw new DataError(`${name}: weights: all ${n} are zero, expected a positive weight`);
  return (kishSize(n, (i) => weights[i] / largest) * independent) / n;
}

/** Variance of a mean over that of independent samples: n by the independent samples that n are worth. */
export function correlationFactor(n: number, { independentSamples }: SampleWorth): number {
  return n / (independentSamples ?? n);
}

/** (Σw)²/Σw² of weights whose scale is near one. */
export function kishSize(n: number, weight: (i: number) => number): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    sum += weight(i);
    squares += weight(i) ** 2;
  }
  return sum ** 2 / squares;
}

/**
 * Distances between pairs of samples drawn with replacement from one distribution (the bootstrap of Efron and Tibshirani
 * 1993, chapter 16: the null distribution of a two-sample statistic), by fixed random numbers.
 *
 * @param atoms number of values that each side draws from
 * @param draws how many of them each side draws; at least one is drawn
 * @param distance of two samples given as the number of times that each atom was drawn, shapes [atoms[0]] and [atoms[1]]
 * @throws UsageError for a seed or a number of replicates out of range
 */
export function noiseFloor(
  atoms: readonly [number, number],
  draws: readonly [number, number],
  distance: (first: Float64Array, second: Float64Array) => number,
  options: NoiseFloorOptions,
): NoiseFloor {
  const { seed = 1, replicates = REPLICATES } = options;
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) {
    throw new UsageError(`seed: ${seed}, expected an integer from 0 to ${MAX_SEED}`);
  }
  if (!Number.isInteger(replicates) || replicates < 99) {
    throw new UsageError(`replicates: ${replicates}, expected an integer of at least 99, to resolve 1 %`);
  }
  const [m1, m2] = draws.map((m) => Math.max(1, Math.round(m)));
  const [first, second] = atoms.map((n) => new Float64Array(n));
  const [scale1, scale2] = atoms.map((n) => n / 2 ** 32);
  const values = new Float64Array(replicates);
  for (let r = 0; r < replicates; r++) {
    const words = randomWords(seed, STREAM_OF_RESAMPLING, m1 + m2, r);
    first.fill(0);
    second.fill(0);
    for (let k = 0; k < m1; k++) first[Math.floor(words[k] * scale1)]++;
    for (let k = m1; k < m1 + m2; k++) second[Math.floor(words[k] * scale2)]++;
    values[r] = distance(first, second);
  }
  const mean = values.reduce((sum, v) => sum + v, 0) / replicates;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, spread: Math.sqrt(squares / (replicates - 1)), replicates: values };
}

/** Puts a distance beside its noise floor and says what they mean together. */
export function distanceEstimate(
  measured: { readonly value: number; readonly standardError: number; readonly n: number },
  floor: NoiseFloor,
  effective: readonly [number, number],
): DistanceEstimate {
  const { value } = measured;
  const above = floor.replicates.reduce((count, v) => count + (v >= value ? 1 : 0), 0);
  const exceedance = (1 + above) / (1 + floor.replicates.length);
  const distinguishable = exceedance <= FALSE_ALARM;
  const sizes = effective.map((size) => size.toFixed(0));
  const chance = `${floor.mean.toPrecision(3)} ± ${floor.spread.toPrecision(2)}, of ${sizes[0]} and ${sizes[1]} effective samples`;
  return {
    ...measured,
    diagnostics: {
      noiseFloor: floor.mean,
      noiseFloorSpread: floor.spread,
      exceedance,
      effectiveSamples: effective[0],
      referenceEffectiveSamples: effective[1],
    },
    distinguishable,
    status: distinguishable
      ? `Distinguishable: ${value.toPrecision(3)} is above the noise floor of ${chance}.`
      : `Not distinguishable: ${value.toPrecision(3)} is within the noise floor of ${chance}. A smaller difference needs more of them.`,
  };
}
