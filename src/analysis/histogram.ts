import { DataError, UsageError } from '../errors.js';

/** Equal bins on [min, max]; the last bin includes max. */
export interface HistogramAxis {
  readonly min: number;
  readonly max: number;
  readonly bins: number;
}

/** A density histogram of one variable. */
export interface Histogram {
  /** Bin edges, shape [bins + 1]. */
  readonly edges: Float64Array;
  /** Probability per unit of the axis, shape [bins]; integrates to 1 − outside, so that cropping rescales nothing. */
  readonly density: Float64Array;
  /** Sum of weights per bin (counts without weights), shape [bins]. */
  readonly mass: Float64Array;
  /** Fraction of the total weight beyond the axis. */
  readonly outside: number;
  readonly n: number;
}

/** A density histogram of two variables on a grid. */
export interface Histogram2d {
  readonly xEdges: Float64Array;
  readonly yEdges: Float64Array;
  /** Probability per unit area, row-major [xBins, yBins]; integrates to 1 − outside. */
  readonly density: Float64Array;
  /** Sum of weights per bin, row-major [xBins, yBins]. */
  readonly mass: Float64Array;
  readonly outside: number;
  readonly n: number;
}

/**
 * Density histogram of one variable.
 *
 * @param values shape [n]; ±Inf counts as outside
 * @param weights linear weights ≥ 0 of any scale, shape [n]; all 1 if absent
 * @throws UsageError for an axis without extent or bins; DataError for NaN, bad weights or no samples
 */
export function histogram(values: ArrayLike<number>, axis: HistogramAxis, weights?: ArrayLike<number>): Histogram {
  requireAxis('axis', axis);
  const mass = new Float64Array(axis.bins);
  const { inside, total } = accumulate(mass, values.length, weights, (i) => binOf(values[i], axis, 'values', i));
  const width = (axis.max - axis.min) / axis.bins;
  return {
    edges: edgesOf(axis),
    density: mass.map((m) => m / (total * width)),
    mass,
    outside: 1 - inside / total,
    n: values.length,
  };
}

/**
 * Density histogram of two variables.
 *
 * @param x shape [n]; ±Inf counts as outside
 * @param y shape [n]
 * @param weights linear weights ≥ 0 of any scale, shape [n]; all 1 if absent
 * @throws UsageError for an axis without extent or bins; DataError for NaN, bad weights, differing lengths or no samples
 */
export function histogram2d(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  xAxis: HistogramAxis,
  yAxis: HistogramAxis,
  weights?: ArrayLike<number>,
): Histogram2d {
  requireAxis('xAxis', xAxis);
  requireAxis('yAxis', yAxis);
  if (x.length !== y.length) throw new DataError(`x has ${x.length} values and y has ${y.length}, expected as many`);
  const mass = new Float64Array(xAxis.bins * yAxis.bins);
  const { inside, total } = accumulate(mass, x.length, weights, (i) => {
    const row = binOf(x[i], xAxis, 'x', i);
    const column = binOf(y[i], yAxis, 'y', i);
    return row < 0 || column < 0 ? -1 : row * yAxis.bins + column;
  });
  const area = ((xAxis.max - xAxis.min) / xAxis.bins) * ((yAxis.max - yAxis.min) / yAxis.bins);
  return {
    xEdges: edgesOf(xAxis),
    yEdges: edgesOf(yAxis),
    density: mass.map((m) => m / (total * area)),
    mass,
    outside: 1 - inside / total,
    n: x.length,
  };
}

function accumulate(
  mass: Float64Array,
  n: number,
  weights: ArrayLike<number> | undefined,
  bin: (i: number) => number,
): { inside: number; total: number } {
  if (weights && weights.length !== n) {
    throw new DataError(`weights has ${weights.length} entries, expected ${n}, one per value`);
  }
  let total = 0;
  let inside = 0;
  for (let i = 0; i < n; i++) {
    const weight = weights ? weights[i] : 1;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new DataError(`weights: ${weight} at index ${i}, expected a finite number ≥ 0`);
    }
    const index = bin(i);
    total += weight;
    if (index < 0) continue;
    mass[index] += weight;
    inside += weight;
  }
  if (!(total > 0)) throw new DataError(`histogram: total weight ${total} of ${n} values, expected a positive weight`);
  return { inside, total };
}

/** Index of the bin that holds a value, −1 if none. */
function binOf(value: number, { min, max, bins }: HistogramAxis, name: string, i: number): number {
  if (Number.isNaN(value)) throw new DataError(`${name}: NaN at index ${i}, expected a number`);
  if (value < min || value > max) return -1;
  return Math.min(bins - 1, Math.floor(((value - min) / (max - min)) * bins));
}

/** @throws UsageError for an axis without extent or bins */
export function requireAxis(name: string, { min, max, bins }: HistogramAxis): void {
  if (!(max > min) || !Number.isFinite(max - min)) {
    throw new UsageError(`${name}: [${min}, ${max}], expected finite min < max`);
  }
  if (!Number.isInteger(bins) || bins < 1) throw new UsageError(`${name}: ${bins} bins, expected a positive integer`);
}

function edgesOf({ min, max, bins }: HistogramAxis): Float64Array {
  return Float64Array.from({ length: bins + 1 }, (_, i) => (i === bins ? max : min + ((max - min) * i) / bins));
}
