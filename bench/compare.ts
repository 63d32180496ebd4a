/* Two runs side by side, and whether anything became slower by more than noise. */
import { keyOf, type Measurement } from './measurement.js';
import type { BenchRecord } from './record.js';
import { duration, relativeSpread } from './table.js';

/** Runs on an idle machine differ by this much with nothing changed, however small their spread within. */
const FLOOR = 0.05;
/** By the clock, other processes count too. */
const CLOCK_FLOOR = 0.2;
/** Spreads beyond which a difference is not noise; a spread is half the interquartile range, two thirds of a standard deviation. */
const SPREADS = 4;

export type Verdict = 'slower' | 'faster' | 'same';

export interface Comparison {
  readonly key: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** Time after over time before, in units of the machine's peak. */
  readonly ratio: number;
  /** What the ratio may differ from 1 by. */
  readonly noise: number;
  readonly verdict: Verdict;
}

export interface ComparisonReport {
  /** Peak after over peak before: what the machine itself changed by. */
  readonly machine: number;
  readonly comparisons: readonly Comparison[];
  /** Keys that only the run before has. */
  readonly missing: readonly string[];
}

function ownMeasurements({ suites }: BenchRecord): Map<string, Measurement> {
  const own = Object.values(suites).flatMap(({ measurements }) => measurements.filter(({ peer }) => peer !== true));
  return new Map(own.map((measurement) => [keyOf(measurement), measurement]));
}

/**
 * Compares our own measurements, peers left out. Times are taken in units of the peak measured in the same run, so that a
 * machine that runs at another frequency is not mistaken for a change of the program.
 */
export function compareRecords(before: BenchRecord, after: BenchRecord): ComparisonReport {
  const machine = after.peak.f32 / before.peak.f32;
  const [old, fresh] = [ownMeasurements(before), ownMeasurements(after)];
  const comparisons = [...fresh].flatMap(([key, m]) => {
    const reference = old.get(key);
    if (reference === undefined) return [];
    const ratio = (m.seconds.median / reference.seconds.median) * machine;
    const spread = Math.hypot(relativeSpread(m.seconds), relativeSpread(reference.seconds));
    const noise = Math.max(m.clock ? CLOCK_FLOOR : FLOOR, SPREADS * spread);
    return [
      {
        key,
        unit: m.unit,
        before: reference.seconds.median,
        after: m.seconds.median,
        ratio,
        noise,
        verdict: judge(ratio, noise),
      },
    ];
  });
  return { machine, comparisons, missing: [...old.keys()].filter((key) => !fresh.has(key)) };
}

function judge(ratio: number, noise: number): Verdict {
  if (ratio > 1 + noise) return 'slower';
  return ratio < 1 / (1 + noise) ? 'faster' : 'same';
}

export function isRegression({ comparisons }: ComparisonReport): boolean {
  return comparisons.some(({ verdict }) => verdict === 'slower');
}

function percent(ratio: number): string {
  const change = 100 * (ratio - 1);
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(1)} %`;
}

/** What changed, or that nothing did. */
export function comparisonText({ machine, comparisons, missing }: ComparisonReport): string {
  const lines = [`Peak of this run against the run before: ${percent(machine)}; times are compared in units of it.`];
  for (const verdict of ['slower', 'faster'] as const) {
    for (const { key, unit, before, after, ratio, noise } of comparisons.filter((c) => c.verdict === verdict)) {
      const times = `${duration(before)}/${unit} → ${duration(after)}/${unit}`;
      lines.push(`${verdict}: ${key}: ${percent(ratio)} (noise ±${(100 * noise).toFixed(0)} %), ${times}`);
    }
  }
  const same = comparisons.filter(({ verdict }) => verdict === 'same').length;
  lines.push(`${same} of ${comparisons.length} measurements are the same within noise.`);
  if (missing.length > 0) lines.push(`Not measured this time: ${missing.length}, such as ${missing[0]}.`);
  return lines.join('\n');
}
