import { integratedAutocorrelationTime } from '../analysis/autocorrelation.js';
import { variance } from '../analysis/statistics.js';
import { DataError } from '../errors.js';

/**
 * Samples that are not independent: lengths of the consecutive chains that the arrays hold one after another, in order of
 * steps, as `simulate` records them. They add up to the number of samples.
 */
export type ChainLengths = readonly number[];

/** What a sum of per-sample influences varies by: the delta method for correlated samples. */
export interface InfluenceVariance {
  /** Variance of the sum if the samples were independent, n·var; NaN for a single sample. */
  readonly independent: number;
  /** Integrated autocorrelation time of the influence; 1 for independent samples and for a constant. */
  readonly tau: number;
  /** False if the chains are too short for tau to be believed. */
  readonly reliable: boolean;
}

/**
 * Variance of Σ_i φ_i about its mean, where φ_i is what sample i contributes to an estimate to first order. The
 * autocorrelation time is that of the influence itself, not of the energy: nothing else decides the error of this estimate.
 *
 * @param influence shape [n]
 * @param chains absent for independent samples
 */
export function influenceVariance(influence: Float64Array, chains?: ChainLengths): InfluenceVariance {
  const n = influence.length;
  const independent = n < 2 ? Number.NaN : n * variance(influence);
  if (chains === undefined || n < 2) return { independent, tau: 1, reliable: true };
  const { tau, reliable } = integratedAutocorrelationTime(splitChains(influence, chains, 'influence'));
  // A constant has no fluctuation to be correlated, and adds nothing to the error.
  return Number.isNaN(tau) ? { independent, tau: 1, reliable: true } : { independent, tau, reliable };
}

/**
 * The chains as views of one array.
 *
 * @throws DataError if the lengths are not positive integers that add up to the number of entries
 */
export function splitChains(values: Float64Array, chains: ChainLengths, name: string): Float64Array[] {
  let start = 0;
  const views = chains.map((length, c) => {
    if (!Number.isInteger(length) || length < 1) {
      throw new DataError(`${name}: chain ${c} has length ${length}, expected a positive integer`);
    }
    start += length;
    return values.subarray(start - length, start);
  });
  if (start !== values.length) {
    throw new DataError(`${name}: chains hold ${start} samples together, expected ${values.length}`);
  }
  return views;
}
