import { DataError } from '../errors.js';
import type { Estimate } from '../estimate.js';
import { fourierTransform } from './fourier.js';

/** Sokal's window constant: summation stops at the first lag M ≥ c·τ(M). Five balances bias e⁻⁵ against noise. */
const WINDOW_FACTOR = 5;

/**
 * emcee's rule of thumb: below 50 τ in all, τ itself is not known. It is applied to τ plus its standard error, because
 * short chains that underestimate τ would otherwise be the very ones that pass.
 */
const MINIMUM_LENGTH_IN_TAU = 50;

/** Each chain must hold the window and as much again, or lags that matter were never seen. */
const MINIMUM_CHAIN_IN_TAU = 2 * WINDOW_FACTOR;

/** Means of fewer chains give a variance too noisy to use (25 % at eight). */
const MINIMUM_CHAINS = 8;

/** Integrated autocorrelation time of an observable along chains of equal length. */
export interface AutocorrelationTime {
  /** τ = 1 + 2Σρ(t) in steps between stored values, at least 1; NaN if the series is constant. */
  readonly tau: number;
  /** One standard deviation of tau (Sokal): τ·√(2(2M+1)/n). */
  readonly tauError: number;
  /** Number of independent values that give the same error of the mean, n/τ; 0 if the series is constant. */
  readonly effectiveSamples: number;
  /** Lag M at which the sum stops. */
  readonly window: number;
  /** Values in all chains together. */
  readonly n: number;
  readonly chains: number;
  readonly mean: number;
  /** Variance of the observable, corrected for the estimated mean. */
  readonly variance: number;
  /** False if the chains are too short for tau to be believed; then no error bar may be built on it. */
  readonly reliable: boolean;
  /** What to make of it and what to do next. */
  readonly status: string;
}

/**
 * Integrated autocorrelation time of an observable along one chain or several independent chains of one process.
 *
 * Autocovariances are averaged over chains about the common mean, so that chains stuck in different states show as a
 * long τ. Summed up to Sokal's automatic window (Sokal 1997, "Monte Carlo methods in statistical mechanics", §3; c = 5)
 * and corrected for the bias of the estimated mean, 1 + (2M+1)/n (Wolff, Comput. Phys. Commun. 156 (2004) 143). A gain
 * from anticorrelation is not claimed: τ < 1 is returned as 1.
 *
 * @param chains values in order of steps, one array per chain, lengths may differ
 * @throws DataError if there is no value or one is not finite, naming chain and index
 */
export function integratedAutocorrelationTime(chains: readonly Float64Array[]): AutocorrelationTime {
  const { n, mean } = pooledMean(chains);
  const shortest = Math.min(...chains.map((chain) => chain.length));
  const common = { n, chains: chains.length, mean };
  const covariance = autocovariance(chains, mean);
  // A variance at the rounding of the mean is a constant series.
  if (!(covariance[0] > (4 * Number.EPSILON * mean) ** 2)) {
    return {
      ...common,
      tau: Number.NaN,
      tauError: Number.NaN,
      effectiveSamples: 0,
      window: 0,
      variance: 0,
      reliable: false,
      status: `All ${n} values are equal: either the observable is a constant or the sampler never moved. Check its acceptance.`,
    };
  }

  const maximumLag = Math.floor(covariance.length / 2);
  let sum = 1;
  let window = 0;
  // The floor of 1 keeps a first, negative ρ from closing the window before slower modes are seen.
  while (window < maximumLag && window < WINDOW_FACTOR * Math.max(1, sum)) {
    window++;
    sum += (2 * covariance[window]) / covariance[0];
  }
  const closed = window >= WINDOW_FACTOR * Math.max(1, sum);
  const longRunVariance = Math.max(0, covariance[0] * sum * (1 + (2 * window + 1) / n));
  const variance = covariance[0] + longRunVariance / n;
  const tau = Math.max(1, longRunVariance / variance);
  const tauError = tau * Math.sqrt((2 * (2 * window + 1)) / n);
  const needed = Math.ceil(MINIMUM_LENGTH_IN_TAU * (tau + tauError));
  const neededPerChain = Math.ceil(MINIMUM_CHAIN_IN_TAU * (tau + tauError));
  const reliable = closed && n >= needed && shortest >= neededPerChain;
  return {
    ...common,
    tau,
    tauError,
    effectiveSamples: n / tau,
    window,
    variance,
    reliable,
    status: reliable
      ? `The chains are ${(n / tau).toFixed(0)} autocorrelation times long in all.`
      : `Too short: ${n} values in all and ${shortest} in the shortest chain, but τ appears to be ${tau.toPrecision(3)} or more. Expect to need ${needed} values in all and ${neededPerChain} per chain, then check again.`,
  };
}

export interface MeanEstimate extends Estimate {
  /** False: the chains are too short and `standardError` is NaN. */
  readonly reliable: boolean;
  readonly status: string;
}

/**
 * Mean of an observable over correlated chains, with an error bar or an honest refusal.
 *
 * The standard error is √(variance·τ/n); with eight or more chains also the one between chain means, of which the
 * larger counts. It is NaN if the chains are too short for τ to be known (see `integratedAutocorrelationTime`).
 * Diagnostics: tau, effectiveSamples, window, chains, withinStandardError, betweenStandardError (NaN below eight chains).
 *
 * @param chains values in order of steps, one array per independent chain; discard equilibration first
 * @throws DataError if there is no value or one is not finite
 */
export function meanWithError(chains: readonly Float64Array[]): MeanEstimate {
  const time = integratedAutocorrelationTime(chains);
  const { n, mean, tau, effectiveSamples, window, reliable, status } = time;
  const withinStandardError = Math.sqrt((time.variance * tau) / n);
  const betweenStandardError = betweenChains(chains, mean, n);
  const larger = Math.max(withinStandardError, Number.isNaN(betweenStandardError) ? 0 : betweenStandardError);
  return {
    value: mean,
    standardError: reliable ? larger : Number.NaN,
    n,
    diagnostics: {
      tau,
      effectiveSamples,
      window,
      chains: chains.length,
      withinStandardError,
      betweenStandardError,
    },
    reliable,
    status,
  };
}

/** Standard error of the pooled mean from the scatter of chain means, weighted by length; NaN for few chains. */
function betweenChains(chains: readonly Float64Array[], mean: number, n: number): number {
  const m = chains.length;
  if (m < MINIMUM_CHAINS) return Number.NaN;
  let sum = 0;
  for (const chain of chains) {
    const chainMean = chain.reduce((a, b) => a + b, 0) / chain.length;
    sum += ((chain.length / n) * (chainMean - mean)) ** 2;
  }
  return Math.sqrt((sum * m) / (m - 1));
}

function pooledMean(chains: readonly Float64Array[]): { n: number; mean: number } {
  if (chains.length === 0) throw new DataError('chains: none given, expected at least one');
  let n = 0;
  let sum = 0;
  for (const [c, chain] of chains.entries()) {
    if (chain.length === 0) throw new DataError(`chains: chain ${c} is empty, expected at least one value`);
    for (let i = 0; i < chain.length; i++) {
      if (!Number.isFinite(chain[i])) {
        throw new DataError(`chains: ${chain[i]} in chain ${c} at step ${i}, expected a finite value`);
      }
      sum += chain[i];
    }
    n += chain.length;
  }
  const mean = sum / n;
  // A second pass removes the rounding of a long sum, which would look like a slow mode.
  let rest = 0;
  for (const chain of chains) for (const x of chain) rest += x - mean;
  return { n, mean: mean + rest / n };
}

/**
 * Autocovariance c(t) about a given mean for t = 0 … longest − 1, averaged over all pairs of values t apart.
 *
 * By FFT, padded so that nothing wraps around. Two chains ride in one transform as real and imaginary part: the real
 * part of the complex autocorrelation is the sum of both autocorrelations.
 */
function autocovariance(chains: readonly Float64Array[], mean: number): Float64Array {
  const longest = Math.max(...chains.map((chain) => chain.length));
  let size = 2;
  while (size < 2 * longest) size *= 2;
  const power = new Float64Array(size);
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let c = 0; c < chains.length; c += 2) {
    re.fill(0).set(chains[c].map((x) => x - mean));
    im.fill(0).set((chains[c + 1] ?? new Float64Array(0)).map((x) => x - mean));
    fourierTransform(re, im);
    for (let k = 0; k < size; k++) power[k] += re[k] ** 2 + im[k] ** 2;
  }
  // The real part of a transform of real numbers is even: forward and inverse transform agree up to 1/size.
  im.fill(0);
  fourierTransform(power, im);
  const covariance = new Float64Array(longest);
  for (let t = 0; t < longest; t++) {
    let pairs = 0;
    for (const chain of chains) pairs += Math.max(0, chain.length - t);
    covariance[t] = power[t] / size / pairs;
  }
  return covariance;
}
