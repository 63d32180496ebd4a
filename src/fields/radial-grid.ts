import { NumericalError, UsageError } from '../errors.js';
import type { Precision } from '../kernels/index.js';
import type { ParameterSet, PrepareOptions } from './field.js';

/** The radial basis is below e^−36 of its height six widths beyond its last centre; the tables end there. */
const REACH_IN_WIDTHS = 6;
const MIN_INTERVALS = 64;
const MAX_INTERVALS = 65536;
/** Knots per narrowest width that keep |Δ log q| of a trained DW4 flow near f32 rounding, and well below it in f64. */
const DEFAULT_RESOLUTION: Record<Precision, number> = { f32: 32, f64: 128 };
/** So fine are tables for sampling at most, which keeps the narrowest widths from deciding about memory. */
const MAX_DEFAULT_INTERVALS = 8192;

/** The uniform grid of the radial tables: knots at j·spacing, the last at the end of the radial functions' reach. */
export interface Grid {
  readonly intervals: number;
  readonly spacing: number;
}

/**
 * The grid that parameters ask for, or the fixed one of the options.
 * @throws NumericalError for centres or widths that no table covers; UsageError for a fixed grid out of range.
 */
export function gridFor(parameters: ParameterSet, precision: Precision, { resolution, grid }: PrepareOptions): Grid {
  if (grid !== undefined) {
    const { intervals, maxDistance } = grid;
    if (!(Number.isInteger(intervals) && intervals >= 4 && intervals <= MAX_INTERVALS && maxDistance > 0)) {
      throw new UsageError(
        `table grid: ${intervals} intervals to ${maxDistance}, expected 4 to ${MAX_INTERVALS} to a positive distance`,
      );
    }
    return { intervals, spacing: maxDistance / intervals };
  }
  const { mu, logGamma } = parameters;
  let maxDistance = 0;
  let narrowest = Number.POSITIVE_INFINITY;
  for (let k = 0; k < mu.length; k++) {
    const width = Math.exp(logGamma[k]);
    maxDistance = Math.max(maxDistance, mu[k] + REACH_IN_WIDTHS * width);
    narrowest = Math.min(narrowest, width);
  }
  if (!(maxDistance > 0 && Number.isFinite(maxDistance) && narrowest > 0)) {
    throw new NumericalError(`kernel field: radial centres and widths give a table of length ${maxDistance}`);
  }
  const most = resolution === undefined ? MAX_DEFAULT_INTERVALS : MAX_INTERVALS;
  const wanted = Math.ceil((maxDistance * (resolution ?? DEFAULT_RESOLUTION[precision])) / narrowest);
  const intervals = Math.min(Math.max(wanted, MIN_INTERVALS), most);
  return { intervals, spacing: maxDistance / intervals };
}
