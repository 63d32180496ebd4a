import { UsageError } from '../errors.js';
import type { TabulatedTerm } from './system.js';

/** Any pair potential u(d). */
export type PairFunction = (d: number) => number;

/** Domain and resolution of a table, and the term that it becomes. */
export interface PairTableOptions {
  /** Domain of the table: a linear core below dMin, constant beyond dMax. */
  readonly dMin: number;
  readonly dMax: number;
  /** Intervals of the piecewise cubic. */
  readonly intervals?: number;
  readonly scale?: number;
  readonly species?: readonly [number, number];
}

/** A tabulated pair term and how far it is from the function, found at five points inside each interval. */
export interface PairTable {
  readonly term: TabulatedTerm;
  /** Largest |u_table − u| on [dMin, dMax], and where. */
  readonly error: { readonly value: number; readonly distance: number };
}

/**
 * Tabulates a pair potential as a piecewise cubic. Slopes are taken by fourth-order differences of `u` on a spacing far
 * below the table's, one-sided at the ends, so `u` is only ever asked within the domain.
 *
 * @throws UsageError for a domain that is not positive and ascending, or a `u` that is not finite on it, naming where.
 */
export function tabulatePair(u: PairFunction, options: PairTableOptions): PairTable {
  const { dMin, dMax, intervals = 2048, scale = 1, species } = options;
  if (!(dMin > 0 && dMax > dMin && Number.isFinite(dMax))) {
    throw new UsageError(
      `pair table: domain [${dMin}, ${dMax}], expected positive distances, the first below the second`,
    );
  }
  if (!Number.isInteger(intervals) || intervals < 8 || intervals > 1e6) {
    throw new UsageError(`pair table: intervals ${intervals}, expected an integer from 8 to 1000000`);
  }
  const h = (dMax - dMin) / intervals;
  const value = (d: number) => {
    const result = u(d);
    if (!Number.isFinite(result))
      throw new UsageError(`pair table: u(${d}) is ${result}, expected a finite number on [${dMin}, ${dMax}]`);
    return result;
  };
  const knots = Array.from({ length: intervals + 1 }, (_, j) => (j === intervals ? dMax : dMin + j * h));
  const values = knots.map(value);
  const slopes = knots.map((d) => slopeWithin(value, d, h / 16, dMin, dMax));
  const term: TabulatedTerm = { kind: 'tabulated', scale, dMin, dMax, values, slopes, ...(species ? { species } : {}) };
  return { term, error: largestError(value, term) };
}

/** A tabulated term through given points (d ascending, u), by the natural cubic spline resampled on even knots. */
export function tabulatePoints(
  distances: readonly number[],
  energies: readonly number[],
  options: Omit<PairTableOptions, 'dMin' | 'dMax'> = {},
): PairTable {
  const n = distances.length;
  if (n < 4 || energies.length !== n || distances.some((d, i) => !(d > (i === 0 ? 0 : distances[i - 1])))) {
    throw new UsageError(
      `pair table: ${n} distances and ${energies.length} energies, expected as many of each, at least 4, distances positive and ascending`,
    );
  }
  const spline = naturalSpline(distances, energies);
  return tabulatePair(spline, { dMin: distances[0], dMax: distances[n - 1], ...options });
}

/** du/dd by differences of fourth order, shifted inwards where the stencil would leave the domain. */
function slopeWithin(u: PairFunction, d: number, step: number, dMin: number, dMax: number): number {
  if (d - 2 * step >= dMin && d + 2 * step <= dMax) {
    return (8 * (u(d + step) - u(d - step)) - (u(d + 2 * step) - u(d - 2 * step))) / (12 * step);
  }
  const s = d - 2 * step < dMin ? step : -step;
  return (-25 * u(d) + 48 * u(d + s) - 36 * u(d + 2 * s) + 16 * u(d + 3 * s) - 3 * u(d + 4 * s)) / (12 * s);
}

/** Largest deviation of the table from u between its knots. */
function largestError(u: PairFunction, term: TabulatedTerm): PairTable['error'] {
  const rows = pairTableRows(term);
  const intervals = term.values.length - 1;
  const h = (term.dMax - term.dMin) / intervals;
  let worst = { value: 0, distance: term.dMin };
  for (let j = 0; j < intervals; j++) {
    // The error of a cubic is largest in the middle where the function is smooth, elsewhere where it is not.
    for (const fraction of [-0.4, -0.2, 0, 0.2, 0.4]) {
      const [c0, c1, c2, c3] = rows.subarray(4 * (j + 1), 4 * (j + 2));
      const d = term.dMin + (j + 0.5 + fraction) * h;
      const deviation = Math.abs(((c3 * fraction + c2) * fraction + c1) * fraction + c0 - u(d));
      if (deviation > worst.value) worst = { value: deviation, distance: d };
    }
  }
  return worst;
}

/**
 * The rows c0 … c3 of a tabulated term as the kernels read them, for f(s) = c0 + c1 s + c2 s² + c3 s³ with s ∈ [−½, ½]
 * across an interval: the linear core, the intervals, the constant.
 */
export function pairTableRows({ dMin, dMax, values, slopes }: TabulatedTerm): Float64Array {
  const intervals = values.length - 1;
  const h = (dMax - dMin) / intervals;
  const rows = new Float64Array(4 * (intervals + 2));
  rows.set([values[0] - 0.5 * h * slopes[0], h * slopes[0], 0, 0]);
  for (let j = 0; j < intervals; j++) {
    const [f0, f1, s0, s1] = [values[j], values[j + 1], h * slopes[j], h * slopes[j + 1]];
    rows.set(
      [
        0.5 * (f0 + f1) + 0.125 * (s0 - s1),
        1.5 * (f1 - f0) - 0.25 * (s0 + s1),
        0.5 * (s1 - s0),
        s0 + s1 - 2 * (f1 - f0),
      ],
      4 * (j + 1),
    );
  }
  rows[4 * (intervals + 1)] = values[intervals];
  return rows;
}

/** The natural cubic spline through the points (tridiagonal system, Press et al., Numerical Recipes §3.3). */
function naturalSpline(x: readonly number[], y: readonly number[]): PairFunction {
  const n = x.length;
  const curvature = new Float64Array(n);
  const reduced = new Float64Array(n);
  for (let i = 1; i < n - 1; i++) {
    const ratio = (x[i] - x[i - 1]) / (x[i + 1] - x[i - 1]);
    const pivot = ratio * curvature[i - 1] + 2;
    curvature[i] = (ratio - 1) / pivot;
    const bend = (y[i + 1] - y[i]) / (x[i + 1] - x[i]) - (y[i] - y[i - 1]) / (x[i] - x[i - 1]);
    reduced[i] = ((6 * bend) / (x[i + 1] - x[i - 1]) - ratio * reduced[i - 1]) / pivot;
  }
  curvature[n - 1] = 0;
  for (let i = n - 2; i >= 0; i--) curvature[i] = curvature[i] * curvature[i + 1] + reduced[i];
  return (d) => {
    let low = 0;
    let high = n - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (x[middle] > d) high = middle;
      else low = middle;
    }
    const h = x[high] - x[low];
    const [a, b] = [(x[high] - d) / h, (d - x[low]) / h];
    return a * y[low] + b * y[high] + (((a ** 3 - a) * curvature[low] + (b ** 3 - b) * curvature[high]) * h * h) / 6;
  };
}
