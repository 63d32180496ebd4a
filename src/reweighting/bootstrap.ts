import { integratedAutocorrelationTime } from '../analysis/autocorrelation.js';
import { quantile, variance } from '../analysis/statistics.js';
import { DataError, UsageError } from '../errors.js';
import type { Estimate } from '../estimate.js';
import { MAX_SEED, randomWords, STREAM } from '../kernels/index.js';
import { type ChainLengths, splitChains } from './influence.js';

/** The standard error itself is then known to 1/√(2·400) = 3.5 %, and 10 replicates lie beyond each end of the 95 % interval. */
const REPLICATES = 400;
const FEWEST_REPLICATES = 20;

/** Resampling with fewer blocks says little: the variance of so many has a relative error of a third. */
const FEWEST_BLOCKS = 20;

/** How samples are drawn anew. */
export interface BootstrapOptions {
  /** Seed of the resampling; equal seeds give equal bits. */
  readonly seed: number;
  /** Resampled data sets, at least 20; default 400. */
  readonly replicates?: number;
  /** Consecutive samples that are drawn together; default `blockLength` of the series that needs the longest; 1 if independent. */
  readonly blockLength?: number;
  /** Lengths of the consecutive chains in the series; default one chain. Blocks never cross from one to the next. */
  readonly chains?: ChainLengths;
}

export type BootstrapDiagnostics = Record<'replicates' | 'blockLength' | 'blocks' | 'bias' | 'failed', number>;

/** Diagnostics: bias, mean of the replicates minus the value; failed, replicates whose estimate was not finite. */
export interface BootstrapEstimate extends Estimate<BootstrapDiagnostics> {
  /** Percentile interval of 68.27 %; NaN where the standard error is. */
  readonly interval68: readonly [number, number];
  /** Percentile interval of 95 %. */
  readonly interval95: readonly [number, number];
}

/**
 * Error of any estimator by resampling blocks of samples: the circular block bootstrap of Politis and Romano (1992), which is
 * Efron's bootstrap at block length 1. All series are resampled together, so that values keep their weights.
 *
 * The standard error is the standard deviation of the replicates. It is NaN if a replicate's estimate was not finite, or if the
 * samples make up fewer than 20 blocks.
 *
 * @param series arrays of equal length n, one entry a sample, in order of steps
 * @param estimator number from resampled series, of the same lengths as those given; it must not keep or change them
 * @throws UsageError for bad options; DataError if there are no series, they are empty, or differ in length
 */
export function blockBootstrap(
  series: readonly Float64Array[],
  estimator: (series: readonly Float64Array[]) => number,
  options: BootstrapOptions,
): BootstrapEstimate {
  const n = requireSeries(series);
  const { seed, replicates = REPLICATES, chains = [n] } = options;
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) {
    throw new UsageError(`seed: ${seed}, expected an integer from 0 to ${MAX_SEED}`);
  }
  if (!Number.isInteger(replicates) || replicates < FEWEST_REPLICATES) {
    throw new UsageError(`replicates: ${replicates}, expected an integer ≥ ${FEWEST_REPLICATES}`);
  }
  const length = options.blockLength ?? Math.max(...series.map((values) => blockLength(values, chains)));
  if (!Number.isInteger(length) || length < 1 || length > n) {
    throw new UsageError(`blockLength: ${length}, expected an integer from 1 to ${n}`);
  }
  const next = successors(splitChains(series[0], chains, 'series').map((chain) => chain.length));
  const value = estimator(series);
  const resampled = series.map(() => new Float64Array(n));
  const found = Float64Array.from({ length: replicates }, (_, draw) => {
    const words = randomWords(seed, STREAM.resampling, Math.ceil(n / length), draw);
    let from = 0;
    for (let i = 0; i < n; i++) {
      from = i % length === 0 ? Math.floor((words[i / length] / 2 ** 32) * n) : next[from];
      for (let s = 0; s < series.length; s++) resampled[s][i] = series[s][from];
    }
    return estimator(resampled);
  });
  const finite = found.filter(Number.isFinite);
  const failed = replicates - finite.length;
  const known = failed === 0 && n >= FEWEST_BLOCKS * length;
  const percentiles = (low: number): [number, number] =>
    known ? [quantile(found, low), quantile(found, 1 - low)] : [Number.NaN, Number.NaN];
  const mean = finite.reduce((a, b) => a + b, 0) / finite.length;
  return {
    value,
    standardError: known ? Math.sqrt(variance(found)) : Number.NaN,
    n,
    diagnostics: { replicates, blockLength: length, blocks: Math.ceil(n / length), bias: mean - value, failed },
    interval68: percentiles(0.15865525393145707),
    interval95: percentiles(0.025),
  };
}

/**
 * Block length of least error for the variance of a mean, ∛(3/8·n·((τ² − 1)/τ)²): the rule of Politis and White, Econom. Rev. 23
 * (2004) 53 (circular blocks), for correlations that decay exponentially with the autocorrelation time τ of the series.
 *
 * @param chains lengths of the consecutive chains in `series`; default one chain
 * @returns from 1 (independent or constant values) to the length of the series
 * @throws DataError if a value is not finite or chains do not fit
 */
export function blockLength(series: Float64Array, chains: ChainLengths = [series.length]): number {
  const { tau } = integratedAutocorrelationTime(splitChains(series, chains, 'series'));
  if (Number.isNaN(tau)) return 1;
  const length = Math.ceil(Math.cbrt((3 / 8) * series.length * ((tau ** 2 - 1) / tau) ** 2));
  return Math.min(series.length, Math.max(1, length));
}

/** The sample after each one, the first of a chain after its last. */
function successors(chains: ChainLengths): Uint32Array {
  const next = Uint32Array.from({ length: chains.reduce((a, b) => a + b, 0) }, (_, i) => i + 1);
  let start = 0;
  for (const length of chains) {
    next[start + length - 1] = start;
    start += length;
  }
  return next;
}

function requireSeries(series: readonly Float64Array[]): number {
  if (series.length === 0 || series[0].length === 0) throw new DataError('series: no samples, expected at least one');
  const n = series[0].length;
  for (const [s, values] of series.entries()) {
    if (values.length !== n)
      throw new DataError(`series ${s} has ${values.length} entries, expected ${n} as the first`);
  }
  return n;
}
