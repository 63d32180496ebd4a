import { DataError } from '../errors.js';
import { meanAutocovariance } from './fourier.js';
import { normalScores } from './ranks.js';
import { quantile } from './statistics.js';

/** Thresholds of Vehtari et al. (2021), §4: what they recommend before any other figure of a run is read. */
const MAXIMUM_R_HAT = 1.01;
const MINIMUM_ESS = 400;
/** Shorter chains cannot be split in two and have a variance in each half. */
const MINIMUM_DRAWS = 4;

/** How well chains agree, and how many independent draws they are worth. */
export interface Convergence {
  /** Rank-normalised split R̂, the larger of bulk and folded; NaN where there is nothing to compare. */
  readonly rHat: number;
  /** Effective number of independent draws for the location of the bulk, and for the 5 % and 95 % quantiles (the smaller). */
  readonly bulkEss: number;
  readonly tailEss: number;
  /** Values in all chains together. */
  readonly n: number;
  readonly chains: number;
  /** R̂ ≤ 1.01 and both effective numbers at least 400. */
  readonly converged: boolean;
  readonly status: string;
}

/**
 * Convergence diagnostics of one observable (Vehtari, Gelman, Simpson, Carpenter, Bürkner, Bayesian Anal. 16 (2021) 667), as
 * ArviZ computes them; but NaN, not the number of draws, where the observable is constant.
 *
 * R̂ compares chains with one another and early with late halves. Chains that all start in one place and all stay in its
 * neighbourhood agree: a good R̂ of such chains is no proof.
 *
 * @param chains values in order of steps, one array of equal length per chain; discard equilibration first
 * @throws DataError if there is no value, lengths differ or a value is not finite
 */
export function convergence(chains: readonly Float64Array[]): Convergence {
  checkChains(chains);
  const draws = chains[0].length;
  const n = chains.length * draws;
  const common = { n, chains: chains.length };
  if (draws < MINIMUM_DRAWS || isConstant(chains)) {
    const status =
      draws < MINIMUM_DRAWS
        ? `${draws} values per chain say nothing of convergence: record at least ${MINIMUM_DRAWS}, better hundreds.`
        : `All ${n} values are equal: either the observable is a constant or the sampler never moved. Check its acceptance.`;
    return { ...common, rHat: Number.NaN, bulkEss: Number.NaN, tailEss: Number.NaN, converged: false, status };
  }
  const halves = split(chains);
  const scores = transformed(halves, normalScores);
  const rHat = Math.max(potentialScaleReduction(scores), potentialScaleReduction(transformed(halves, foldedScores)));
  const bulkEss = effectiveSampleSize(scores);
  // Of all chains as they are: splitting an odd number of values drops the middle one.
  const all = concatenated(chains);
  const tailEss = Math.min(
    ...[0.05, 0.95].map((probability) => {
      const bound = quantile(all, probability);
      return effectiveSampleSize(halves.map((chain) => chain.map((value) => (value <= bound ? 1 : 0))));
    }),
  );
  const converged = rHat <= MAXIMUM_R_HAT && bulkEss >= MINIMUM_ESS && tailEss >= MINIMUM_ESS;
  return { ...common, rHat, bulkEss, tailEss, converged, status: statusText(rHat, bulkEss, tailEss) };
}

function statusText(rHat: number, bulkEss: number, tailEss: number): string {
  const smaller = Math.min(bulkEss, tailEss);
  if (Number.isNaN(rHat) || Number.isNaN(smaller)) {
    return 'The observable takes too few distinct values to judge: check the acceptance.';
  }
  const worth = `R̂ ${rHat.toFixed(3)}, effective samples ${bulkEss.toFixed(0)} in the bulk and ${tailEss.toFixed(0)} in the tails`;
  if (rHat > MAXIMUM_R_HAT) {
    return `Not converged: ${worth}. R̂ above ${MAXIMUM_R_HAT} says that chains or their halves disagree: run longer, after a longer warm-up.`;
  }
  if (smaller < MINIMUM_ESS) {
    return `Too short: ${worth}, below ${MINIMUM_ESS}. Run at least ${(MINIMUM_ESS / smaller).toFixed(1)} times as long.`;
  }
  return `${worth}.`;
}

/** First and last half of each chain as chains of their own. */
function split(chains: readonly Float64Array[]): Float64Array[] {
  const half = Math.floor(chains[0].length / 2);
  return [
    ...chains.map((chain) => chain.subarray(0, half)),
    ...chains.map((chain) => chain.subarray(chain.length - half)),
  ];
}

function concatenated(chains: readonly Float64Array[]): Float64Array {
  const { length } = chains[0];
  const all = new Float64Array(chains.length * length);
  chains.forEach((chain, c) => {
    all.set(chain, c * length);
  });
  return all;
}

/** Chains of a function of all their values together. */
function transformed(chains: readonly Float64Array[], map: (values: Float64Array) => Float64Array): Float64Array[] {
  const { length } = chains[0];
  const all = map(concatenated(chains));
  return chains.map((_, c) => all.subarray(c * length, (c + 1) * length));
}

/** Scores of the distance from the median: chains of equal location but different scale differ in them. */
function foldedScores(values: Float64Array): Float64Array {
  const median = quantile(values, 0.5);
  return normalScores(values.map((value) => Math.abs(value - median)));
}

interface Moments {
  /** Mean of the chains' variances (divisor n − 1), and variance of the chains' means. */
  readonly within: number;
  readonly between: number;
}

function moments(chains: readonly Float64Array[]): Moments {
  const stats = chains.map((chain) => {
    const mean = chain.reduce((sum, value) => sum + value, 0) / chain.length;
    const squares = chain.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { mean, variance: squares / (chain.length - 1) };
  });
  const grand = stats.reduce((sum, { mean }) => sum + mean, 0) / chains.length;
  return {
    within: stats.reduce((sum, { variance }) => sum + variance, 0) / chains.length,
    between: stats.reduce((sum, { mean }) => sum + (mean - grand) ** 2, 0) / (chains.length - 1),
  };
}

/** R̂ of chains as they are (Gelman and Rubin 1992): √((between + within·(n − 1)/n) / within). */
function potentialScaleReduction(chains: readonly Float64Array[]): number {
  const { within, between } = moments(chains);
  const n = chains[0].length;
  return Math.sqrt(between / within + (n - 1) / n);
}

/**
 * Effective sample size of chains as they are: autocorrelations combined over chains, summed over Geyer's initial monotone
 * sequence (Vehtari et al. §3.2; Geyer, Stat. Sci. 7 (1992) 473). At most n·log₁₀ n, since anticorrelation is noisy; NaN for
 * constants.
 */
function effectiveSampleSize(chains: readonly Float64Array[]): number {
  if (isConstant(chains)) return Number.NaN;
  const draws = chains[0].length;
  const n = chains.length * draws;
  const covariance = meanAutocovariance(chains);
  const { between } = moments(chains);
  const within = (covariance[0] * draws) / (draws - 1);
  const total = covariance[0] + between;
  const correlation = (lag: number) => 1 - (within - covariance[lag]) / total;

  // Sums of an even lag and the next are positive and fall in a reversible chain; the first that is not ends the sequence.
  const pairs = [{ even: 1, sum: 1 + correlation(1) }];
  for (let lag = 2; lag < draws - 2 && pairs[pairs.length - 1].sum > 0; lag += 2) {
    const even = correlation(lag);
    pairs.push({ even, sum: even + correlation(lag + 1) });
  }
  // Of the last pair counts the even lag alone, once.
  const last = pairs.pop()!;
  const rest = last.sum >= 0 ? last.even : Math.max(0, last.even);
  let bound = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (const pair of pairs) {
    bound = Math.min(bound, pair.sum);
    sum += bound;
  }
  const tau = -1 + 2 * sum + rest;
  return n / Math.max(tau, 1 / Math.log10(n));
}

function isConstant(chains: readonly Float64Array[]): boolean {
  return chains.every((chain) => chain.every((value) => value === chains[0][0]));
}

function checkChains(chains: readonly Float64Array[]): void {
  if (chains.length === 0 || chains[0].length === 0) throw new DataError('chains: no values, expected at least one');
  chains.forEach((chain, c) => {
    if (chain.length !== chains[0].length) {
      throw new DataError(
        `chains: chain ${c} has ${chain.length} values, expected ${chains[0].length} as in the first`,
      );
    }
    const bad = chain.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new DataError(`chains: ${chain[bad]} in chain ${c} at step ${bad}, expected a finite value`);
  });
}
