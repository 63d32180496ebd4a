/* Measurements as Markdown tables that can be read without a guide. */
import type { Check } from './checks.js';
import { type Measurement, type SuiteResult, withBaseline } from './measurement.js';
import type { Peak } from './peak.js';
import type { Timing } from './timing.js';

export function significant(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}

export function duration(seconds: number): string {
  if (seconds < 1e-6) return `${significant(seconds * 1e9)} ns`;
  if (seconds < 1e-3) return `${significant(seconds * 1e6)} µs`;
  return seconds < 1 ? `${significant(seconds * 1e3)} ms` : `${significant(seconds)} s`;
}

/** Half the interquartile range as a share of the median. */
export function relativeSpread({ median, lower, upper }: Timing): number {
  return (upper - lower) / (2 * median);
}

const HEADER = ['', 'who', 'time', 'spread', 'per second', 'compared'];

function cells(own: Measurement, baseline: Measurement): string[] {
  const { subject, contender, unit, seconds, share, roofline, note } = own;
  const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
  const ratio = seconds.median / baseline.seconds.median;
  const compared = ratio >= 1 ? `${significant(ratio)}× the time` : `${significant(1 / ratio)}× as fast`;
  return [
    subject,
    contender,
    `${duration(seconds.median)}/${unit}`,
    `±${(100 * relativeSpread(seconds)).toFixed(0)} %`,
    significant(1 / seconds.median),
    [
      own === baseline ? '' : compared,
      share === undefined ? '' : `${percent(share)} of peak`,
      roofline === undefined ? '' : `${percent(roofline.share)} of the roofline (${roofline.resource})`,
      note ?? '',
    ]
      .filter((text) => text !== '')
      .join(', '),
  ];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADER.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i < 2 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(HEADER), rule, ...rows.map(line)];
}

/** One table per group. A subject stands in the first of its rows. */
export function markdownTables(measurements: readonly Measurement[]): string {
  const groups = new Map<string, string[][]>();
  for (const { own, baseline } of withBaseline(measurements)) {
    const rows = groups.get(own.group) ?? [];
    groups.set(own.group, rows);
    const row = cells(own, baseline);
    rows.push(own === baseline ? row : ['', ...row.slice(1)]);
  }
  return [...groups].map(([group, rows]) => `**${group}**\n\n${table(rows).join('\n')}\n`).join('\n');
}

/** Tables, and what is to be said about them. */
export function resultText({ measurements, notes, skipped }: SuiteResult): string {
  const remarks = [...notes, ...skipped.map(({ what, why }) => `skipped: ${what}: ${why}`)];
  return [markdownTables(measurements), ...remarks.map((text) => `- ${text}`)].join('\n');
}

export function checksLine(checks: readonly Check[]): string {
  return `${checks.length} correctness checks against the plain TypeScript twin and between f32 and f64: all passed.`;
}

export function failureLines(failed: readonly Check[]): string {
  const lines = failed.map(({ name, error, bound }) => `  ${name}: error ${error.toExponential(1)}, bound ${bound}`);
  return `Correctness checks failed; nothing was timed.\n${lines.join('\n')}`;
}

export function peakText(peak: Peak): string {
  const [f32, f64] = [peak.f32, peak.f64].map((rate) => `${(rate / 1e9).toFixed(1)} GF/s`);
  return `Peak of one thread, multiply + add in WebAssembly: f32x4 ${f32}, f64x2 ${f64}.`;
}

/** What the columns of all tables mean. */
export const LEGEND = [
  'How to read the tables: "time" is a median, lower is better, "spread" half the interquartile range around it; "compared" is',
  'with the first row of the same work. Times are processor time of one thread unless a table says "by the clock".',
].join('\n');
