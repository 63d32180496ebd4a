import { NumericalError, UsageError } from '../errors.js';
import type { Kernels, Precision } from '../kernels/index.js';
import type { Field, ParameterSet, PreparedField, PreparedReverse, PrepareOptions } from './field.js';
import { timeFeatures, timeFeaturesReverse } from './time-features.js';

const KERNEL_FIELD = 0;
/** The radial basis is below e^−36 of its height six widths beyond its last centre; the tables end there. */
const REACH_IN_WIDTHS = 6;
const MIN_INTERVALS = 128;
const MAX_INTERVALS = 8192;
/** Keeps a power-of-two table from mapping every stage onto the same cache lines. */
const STAGE_PADDING = 64;
/** Knots per narrowest width that keep |Δ log q| of a trained DW4 flow near f32 rounding, and well below it in f64. */
const DEFAULT_RESOLUTION: Record<Precision, number> = { f32: 48, f64: 128 };

/** The uniform grid of the radial tables: knots at j·maxDistance/intervals. */
interface Grid {
  readonly intervals: number;
  readonly maxDistance: number;
}

function gridFor(parameters: ParameterSet, resolution: number, capacity: number): Grid {
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
  const wanted = Math.ceil((maxDistance * resolution) / narrowest);
  return { intervals: Math.min(Math.max(wanted, MIN_INTERVALS), capacity), maxDistance };
}

/** Knots are stored two to a vector. */
function evenKnots(intervals: number): number {
  return (intervals + 2) & ~1;
}

/** Lays out a kernel field's tables in kernel memory; see assembly/tables.ts for what they hold. */
export function prepareRadialTables(
  kernels: Kernels,
  precision: Precision,
  field: Field,
  times: Float64Array,
  options: PrepareOptions,
): PreparedField {
  const lane = kernels.lane(precision);
  const { common } = kernels;
  const K = field.parameters.mu.length;
  const M = field.parameters.muTime.length;
  const resolution = options.resolution ?? DEFAULT_RESOLUTION[precision];
  const fixed = options.grid;
  if (
    fixed &&
    !(Number.isInteger(fixed.intervals) && fixed.intervals >= 4 && fixed.intervals <= 65536 && fixed.maxDistance > 0)
  ) {
    throw new UsageError(
      `table grid: ${fixed.intervals} intervals to ${fixed.maxDistance}, expected 4 to 65536 to a positive distance`,
    );
  }
  // A training run's widths change, so its tables may grow up to twice what they start with.
  const initial = fixed ?? gridFor(field.parameters, resolution, MAX_INTERVALS);
  const capacity = options.reverse && !fixed ? Math.min(2 * initial.intervals, MAX_INTERVALS) : initial.intervals;
  const knotBytes = evenKnots(capacity) * 8;

  const header = kernels.allocate(16);
  const mu = kernels.allocate(K * 8);
  const gamma = kernels.allocate(K * 8);
  const weights = kernels.allocate(K * M * 8);
  const offsets = kernels.allocate(M * 8);
  const basis = kernels.allocate(K * knotBytes);
  const basisSlopes = kernels.allocate(K * knotBytes);
  const values = kernels.allocate(M * knotBytes);
  const slopes = kernels.allocate(M * knotBytes);
  const kappa = kernels.allocate(times.length * M * 8);
  const scratch = kernels.allocate(Math.max(3 * K * 16, 2 * knotBytes));
  const stageBytes = Math.ceil(((capacity + 1) * 4 * lane.bytes) / 64) * 64 + STAGE_PADDING;
  const stages = kernels.allocate(times.length * stageBytes);

  let current: ParameterSet = field.parameters;
  let grid: Grid = initial;

  function update(parameters: ParameterSet): void {
    current = parameters;
    grid = fixed ?? gridFor(parameters, resolution, capacity);
    const knots = evenKnots(grid.intervals);
    const spacing = grid.maxDistance / grid.intervals;
    kernels.f64View(header, 2).set([1 / spacing, grid.intervals - 0.25]);
    kernels.f64View(mu, K).set(parameters.mu);
    kernels.f64View(gamma, K).set(parameters.logGamma.map(Math.exp));
    kernels.f64View(weights, K * M).set(parameters.weights);
    kernels.f64View(offsets, M).set(constantPart(parameters, K, M));
    common.radialBasis(mu, gamma, K, knots, spacing, basis, basisSlopes, scratch);
    common.tableProducts(basis, basisSlopes, weights, offsets, K, M, knots, spacing, values, slopes);
    const features = kernels.f64View(kappa, times.length * M);
    for (let s = 0; s < times.length; s++) {
      features.set(timeFeatures(parameters.muTime, parameters.logGammaTime, times[s]), s * M);
    }
    for (let s = 0; s < times.length; s++) {
      const stage = stages + s * stageBytes;
      lane.stageTable(values, slopes, kappa + s * M * 8, M, knots, grid.intervals, scratch, stage);
    }
  }

  function makeReverse(): PreparedReverse {
    const stageBars = kernels.allocate(times.length * stageBytes);
    const valuesBar = kernels.allocate(M * knotBytes);
    const slopesBar = kernels.allocate(M * knotBytes);
    const kappaBar = kernels.allocate(M * 8);
    const weightsBar = kernels.allocate(K * M * 8);
    const totals = kernels.allocate(M * 8);
    const muBar = kernels.allocate(K * 8);
    const logGammaBar = kernels.allocate(K * 8);

    function gradient(): ParameterSet {
      const knots = evenKnots(grid.intervals);
      const spacing = grid.maxDistance / grid.intervals;
      const muTimeBar = new Float64Array(M);
      const logGammaTimeBar = new Float64Array(M);
      kernels.f64View(valuesBar, M * knots).fill(0);
      kernels.f64View(slopesBar, M * knots).fill(0);
      for (let s = 0; s < times.length; s++) {
        const [bar, features] = [stageBars + s * stageBytes, kappa + s * M * 8];
        lane.stageTableReverse(
          bar,
          values,
          slopes,
          features,
          M,
          knots,
          grid.intervals,
          scratch,
          valuesBar,
          slopesBar,
          kappaBar,
        );
        const featuresBar = kernels.f64View(kappaBar, M);
        const { muTime, logGammaTime } = current;
        timeFeaturesReverse(muTime, logGammaTime, times[s], featuresBar, muTimeBar, logGammaTimeBar);
      }
      common.tableProductsReverse(basis, basisSlopes, K, M, knots, spacing, valuesBar, slopesBar, weightsBar, totals);
      common.radialBasisReverse(
        mu,
        gamma,
        weights,
        basis,
        K,
        M,
        knots,
        spacing,
        valuesBar,
        slopesBar,
        muBar,
        logGammaBar,
        scratch,
      );
      const bias = kernels.f64View(totals, M).slice();
      const importance = new Float64Array(K);
      const weightGradient = kernels.f64View(weightsBar, K * M).slice();
      for (let k = 0; k < K; k++) {
        const s = current.importance[k];
        for (let m = 0; m < M; m++) {
          weightGradient[k * M + m] += s * s * bias[m];
          importance[k] += 2 * s * current.weights[k * M + m] * bias[m];
        }
      }
      return {
        weights: weightGradient,
        bias,
        importance,
        mu: kernels.f64View(muBar, K).slice(),
        logGamma: kernels.f64View(logGammaBar, K).slice(),
        muTime: muTimeBar,
        logGammaTime: logGammaTimeBar,
      };
    }

    return {
      stageBars,
      stageBarBytes: stageBytes,
      reset: () => void kernels.u32View(stageBars, (times.length * stageBytes) / 4).fill(0),
      gradient,
    };
  }

  update(field.parameters);
  return {
    code: KERNEL_FIELD,
    parameters: header,
    stages,
    stageBytes,
    scratchBytes: common.pairScratch(field.particles),
    update,
    ...(options.reverse ? { reverse: makeReverse() } : {}),
  };
}

/** Σ_k s_k² W_km + b_m, the part of F_m that does not depend on distance. */
function constantPart(parameters: ParameterSet, K: number, M: number): Float64Array {
  const offsets = parameters.bias.slice();
  for (let k = 0; k < K; k++) {
    const s2 = parameters.importance[k] ** 2;
    for (let m = 0; m < M; m++) offsets[m] += s2 * parameters.weights[k * M + m];
  }
  return offsets;
}
