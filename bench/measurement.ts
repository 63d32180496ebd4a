/* What all suites report: times per unit of work, lower is better. */
import type { Timing } from './timing.js';

export interface Measurement {
  /** Heading of the table that it stands in. */
  readonly group: string;
  /** What is computed; measurements of equal group and subject are contenders for the same work. */
  readonly subject: string;
  /** Who computes it. The first of its subject is what the others are compared with. */
  readonly contender: string;
  /** What `seconds` are per. */
  readonly unit: string;
  /** Seconds per unit. */
  readonly seconds: Timing;
  /** Somebody else's program, which is no business of a regression test. */
  readonly peer?: true;
  /** Share of the work that the machine could have done in that time, 0 … 1, and of what. */
  readonly share?: number;
  /** The least time that the counted operations take over the measured one, and the resource that sets it. */
  readonly roofline?: { readonly share: number; readonly resource: string };
  /** A further figure, for the last column of a table. */
  readonly note?: string;
  /** Measured with all threads by the clock, where the others count processor time of one. */
  readonly clock?: true;
}

/** Why something that was asked for is not among the measurements. */
export interface Skipped {
  readonly what: string;
  readonly why: string;
}

export interface SuiteResult {
  readonly measurements: readonly Measurement[];
  /** Sentences under the tables: fitted exponents, verdicts, what bounds a figure. */
  readonly notes: readonly string[];
  readonly skipped: readonly Skipped[];
}

/** Identifies a measurement across runs. */
export function keyOf({ group, subject, contender }: Measurement): string {
  return `${group} | ${subject} | ${contender}`;
}

/** Every measurement with the first of its group and subject. */
export function withBaseline(measurements: readonly Measurement[]): { own: Measurement; baseline: Measurement }[] {
  const first = new Map<string, Measurement>();
  return measurements.map((own) => {
    const key = `${own.group} | ${own.subject}`;
    if (!first.has(key)) first.set(key, own);
    return { own, baseline: first.get(key)! };
  });
}
