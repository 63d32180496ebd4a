import Benchmark from 'benchmark';

/** How long a measurement may take. */
export interface Effort {
  /** Seconds of measuring, unless fewer than `minSamples` samples have come in by then. */
  readonly maxTime: number;
  /** Seconds that one sample lasts at least; shorter functions are repeated. */
  readonly minTime: number;
  readonly minSamples: number;
  /** Milliseconds of calls before the first sample, so that the optimising compiler is done. */
  readonly warmUp: number;
}

export const FULL: Effort = { maxTime: 0.4, minTime: 0.01, minSamples: 7, warmUp: 150 };
export const QUICK: Effort = { maxTime: 0.06, minTime: 0.004, minSamples: 3, warmUp: 40 };
/** The peak is compared with everything and is wanted from an undisturbed moment, so it gets many short samples. */
export const PEAK_EFFORT: Effort = { maxTime: 0.4, minTime: 0.002, minSamples: 50, warmUp: 100 };

/** Seconds per call: fastest, quartiles and median of `samples` samples. */
export interface Timing {
  readonly fastest: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  readonly samples: number;
}

let sink = 0;

/** Times `body`, whose result is kept so that no compiler can leave the work out. */
export function time(body: () => number, { maxTime, minTime, minSamples, warmUp }: Effort): Timing {
  for (const start = performance.now(); performance.now() - start < warmUp; ) sink += body();
  const benchmark = new Benchmark({
    fn: () => {
      sink += body();
    },
    async: false,
    maxTime,
    minTime,
    minSamples,
  });
  benchmark.run();
  if (benchmark.error) throw benchmark.error;
  if (Number.isNaN(sink)) throw new Error('a benchmark computed NaN');
  return timingOf(benchmark.stats.sample as number[]);
}

/** Order statistics of measured seconds. */
export function timingOf(seconds: readonly number[]): Timing {
  const sample = seconds.toSorted((a, b) => a - b);
  return {
    fastest: sample[0],
    lower: quantile(sample, 0.25),
    median: quantile(sample, 0.5),
    upper: quantile(sample, 0.75),
    samples: sample.length,
  };
}

export function perUnit({ fastest, lower, median, upper, samples }: Timing, units: number): Timing {
  return { fastest: fastest / units, lower: lower / units, median: median / units, upper: upper / units, samples };
}

function quantile(sorted: readonly number[], fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
