/* The tables that are printed. */
import type { Check } from './checks.js';
import type { Comparison } from './pytorch.js';
import type { Peak, Row, SamplingResult } from './suite.js';
import type { Timing } from './timing.js';

function significant(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}

function operations(count: number): string {
  if (count < 1e4) return `${significant(count)} flop`;
  return count < 1e6 ? `${significant(count / 1e3)} kflop` : `${significant(count / 1e6)} Mflop`;
}

function duration(seconds: number): string {
  if (seconds < 1e-6) return `${significant(seconds * 1e9)} ns`;
  return seconds < 1e-3 ? `${significant(seconds * 1e6)} µs` : `${significant(seconds * 1e3)} ms`;
}

/** Interquartile range as a share of the median. */
function spread({ median, lower, upper }: Timing): string {
  return `±${((50 * (upper - lower)) / median).toFixed(0)} %`;
}

function line(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
}

const ROW_WIDTHS = [20, 5, 24, 6, 14];

export function checksLine(checks: readonly Check[]): string {
  return `${checks.length} correctness checks against the plain TypeScript twin and between f32 and f64: all passed.`;
}

export function failureLines(failed: readonly Check[]): string {
  const lines = failed.map(({ name, error, bound }) => `  ${name}: error ${error.toExponential(1)}, bound ${bound}`);
  return `Correctness checks failed; nothing was timed.\n${lines.join('\n')}`;
}

export function peakLines(peak: Peak): string {
  const [f32, f64] = [peak.f32, peak.f64].map((rate) => `${(rate / 1e9).toFixed(1)} GF/s`);
  return [
    `Peak of one thread, multiply + add in WebAssembly: f32x4 ${f32}, f64x2 ${f64}`,
    'Times are medians ± half the interquartile range. "at peak" is the number of floating-point operations that the',
    'peak loop does in that time: a cost that can be compared between machines.',
  ].join('\n');
}

export function rowHeader(group: string): string {
  return `\n${group}\n${line(['', 'lanes', 'median', 'spread', 'at peak'], ROW_WIDTHS)}`;
}

export function rowLine({ subject, precision, unit, seconds, flopsAtPeak }: Row): string {
  const time = `${duration(seconds.median)}/${unit}`;
  return line([subject, precision, time, spread(seconds), operations(flopsAtPeak)], ROW_WIDTHS);
}

const SAMPLING_WIDTHS = [16, 5, 11, 6, 12, 16, 26];

export function samplingLines(results: readonly (SamplingResult & { pytorch: Comparison })[], f32Peak: number): string {
  const header = ['', 'lanes', 'samples/s', 'spread', '× twin', '× PyTorch library', 'required (f32)'];
  const lines = results.map(
    ({ system, precision, batch, seconds, samplesPerSecond, twinSamplesPerSecond, pytorch }) => {
      const verdict = `${pytorch.required}×: ${pytorch.met ? 'MET' : 'NOT MET'}`;
      const cells = [
        `${system}, batch ${batch}`,
        precision,
        significant(samplesPerSecond),
        spread(seconds),
        significant(samplesPerSecond / twinSamplesPerSecond),
        significant(pytorch.ratio),
        precision === 'f32' ? verdict : '',
      ];
      return line(cells, SAMPLING_WIDTHS);
    },
  );
  return [
    '\nsampling with exact log q, one thread, RK4×20, K = 50, M = 10',
    line(header, SAMPLING_WIDTHS),
    ...lines,
    'The twin is the same flow in plain TypeScript (f64, no tables, no SIMD), timed in this run. The PyTorch library was',
    `timed elsewhere; its rate is scaled by f32x4 peak here (${(f32Peak / 1e9).toFixed(1)} GF/s) / 54 GF/s there. Peak is the fastest sample,`,
    'sampling the median: on a busy machine the verdict can only be too strict.',
  ].join('\n');
}
