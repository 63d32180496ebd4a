import { integratedAutocorrelationTime } from './autocorrelation.js';
import { mean, standardErrorOfMean } from './statistics.js';

/** Fewer values than this are not searched for a start-up phase: τ of their parts cannot be told from noise. */
const MINIMUM_VALUES = 20;

/** Starts that are tried. Finer ones would change N_eff by less than it is known to. */
const CANDIDATES = 40;

/** Longer series are averaged over neighbours first: starts need not be told more finely, and long runs stay cheap. */
const MAXIMUM_VALUES = 4096;

/** No more than half: what is judged by the rest must not outweigh it. */
const LARGEST_DISCARD = 0.5;

/** From so many chains on, the scatter between them tells the error of a drift, whatever the autocorrelations. */
const MINIMUM_CHAINS = 16;

/**
 * Standard errors by which the discarded part must differ from the rest to be called a start-up phase. The best of many starts
 * is sought, in noise too: at four, stationary series raise a false alarm in less than one of a hundred cases (tested).
 */
const SIGNIFICANCE = 4;

/** Whether a run had reached equilibrium when its recording began. */
export interface Equilibration {
  /** Records to discard, t0; 0 if none need be. NaN if it cannot be told. */
  readonly discard: number;
  /** Independent values of the chain mean's series that remain after t0; NaN if it cannot be told. */
  readonly effectiveSamples: number;
  /** Difference of the means before and after the best t0 in standard errors; 0 where that is t0 = 0. */
  readonly drift: number;
  readonly equilibrated: boolean;
  readonly status: string;
}

/**
 * Detects a start-up phase at the head of recorded chains (Chodera, J. Chem. Theory Comput. 12 (2016) 1799): the start t0 that
 * leaves most effective samples (T − t0)/τ(t0) of the mean over chains, in which a common drift stands out from each chain's
 * noise. A start counts only where means before and after it differ significantly, since the maximum is seldom at 0 exactly,
 * even in equilibrium.
 *
 * @param chains values in order of steps, one array of equal length per chain
 * @throws DataError if there is no value or one is not finite
 */
export function equilibration(chains: readonly Float64Array[]): Equilibration {
  const series = meanSeries(chains);
  const unknown = (status: string): Equilibration => ({
    discard: Number.NaN,
    effectiveSamples: Number.NaN,
    drift: Number.NaN,
    equilibrated: false,
    status,
  });
  if (series.length < MINIMUM_VALUES) {
    return unknown(
      `Equilibration cannot be judged from ${series.length} records per chain: record at least ${MINIMUM_VALUES}.`,
    );
  }
  const width = Math.ceil(series.length / MAXIMUM_VALUES);
  const blocks = blockMeans(series, width);
  const starts = candidates(blocks.length).map((discard) => ({
    discard: discard * width,
    time: integratedAutocorrelationTime([blocks.subarray(discard)]),
  }));
  const best = starts.reduce((a, b) => (b.time.effectiveSamples > a.time.effectiveSamples ? b : a));
  if (best.time.effectiveSamples === 0) return unknown('The series is constant: check the acceptance.');
  if (chains.length < MINIMUM_CHAINS && !best.time.reliable) {
    return unknown(`Equilibration cannot be judged. ${best.time.status}`);
  }
  const drift =
    best.discard === 0
      ? 0
      : headAgainstTail(chains, series, best.discard, best.time.effectiveSamples, best.time.variance);
  if (Math.abs(drift) > SIGNIFICANCE) {
    return {
      discard: best.discard,
      effectiveSamples: best.time.effectiveSamples,
      drift,
      equilibrated: false,
      status: `Warm-up too short: the first ${best.discard} of ${series.length} records per chain differ from the rest by ${Math.abs(drift).toFixed(1)} standard errors.`,
    };
  }
  return {
    discard: 0,
    effectiveSamples: starts[0].time.effectiveSamples,
    drift,
    equilibrated: true,
    status: `No drift seen in ${series.length} records per chain.`,
  };
}

/** Starts 0 … ½·length, denser towards the beginning, where start-up phases end. */
function candidates(length: number): number[] {
  const starts = Array.from({ length: CANDIDATES }, (_, i) =>
    Math.floor(LARGEST_DISCARD * length * (i / (CANDIDATES - 1)) ** 2),
  );
  return [...new Set(starts)];
}

/**
 * Difference of the means before and after `discard` in standard errors, from the scatter of chains or, where they are few,
 * from the variance of independent values and how many of them the tail is worth.
 */
function headAgainstTail(
  chains: readonly Float64Array[],
  series: Float64Array,
  discard: number,
  effectiveSamples: number,
  variance: number,
): number {
  const difference = (values: Float64Array) => mean(values.subarray(0, discard)) - mean(values.subarray(discard));
  if (chains.length >= MINIMUM_CHAINS) {
    const differences = chains.map((chain) => difference(chain.subarray(0, series.length)));
    return mean(differences) / standardErrorOfMean(differences);
  }
  // A head shorter than τ is one independent value.
  const heads = Math.max(1, (effectiveSamples * discard) / (series.length - discard));
  return difference(series) / Math.sqrt(variance * (1 / heads + 1 / effectiveSamples));
}

function blockMeans(series: Float64Array, width: number): Float64Array {
  if (width === 1) return series;
  return Float64Array.from({ length: Math.floor(series.length / width) }, (_, b) =>
    mean(series.subarray(b * width, (b + 1) * width)),
  );
}

function meanSeries(chains: readonly Float64Array[]): Float64Array {
  const length = Math.min(...chains.map((chain) => chain.length));
  const series = new Float64Array(length);
  for (const chain of chains) for (let t = 0; t < length; t++) series[t] += chain[t] / chains.length;
  return series;
}
