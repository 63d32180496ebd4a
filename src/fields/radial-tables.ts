import { NumericalError, UsageError } from '../errors.js';
import type { Kernels, Precision } from '../kernels/index.js';
import type { ParameterSet, PreparedField, PreparedReverse, PrepareOptions } from './field.js';
import type { SpeciesPairs } from './species.js';
import { timeFeatures, timeFeaturesReverse } from './time-features.js';

const KERNEL_FIELD = 0;
/** The radial basis is below e^−36 of its height six widths beyond its last centre; the tables end there. */
const REACH_IN_WIDTHS = 6;
const MIN_INTERVALS = 128;
const MAX_INTERVALS = 8192;
/** Keeps a power-of-two table from mapping every stage onto the same cache lines. */
const STAGE_PADDING = 64;
/** Knots per narrowest width that keep |Δ log q| of a trained DW4 flow near f32 rounding, and well below it in f64. */
const DEFAULT_RESOLUTION: Record<Precision, number> = { f32: 32, f64: 128 };

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

/** The part of a kernel field that its tables depend on. */
interface RadialField {
  readonly particles: number;
  readonly parameters: ParameterSet;
  readonly species: SpeciesPairs;
}

/**
 * Lays out a kernel field's tables in kernel memory; see assembly/tables.ts for what they hold. With P pairs of species the
 * products run over P·M columns at once, and a stage holds P tables one behind the other.
 */
export function prepareRadialTables(
  kernels: Kernels,
  precision: Precision,
  field: RadialField,
  initialTimes: Float64Array,
  options: PrepareOptions,
): PreparedField {
  let times = initialTimes;
  const lane = kernels.lane(precision);
  const { common } = kernels;
  const K = field.parameters.mu.length;
  const M = field.parameters.muTime.length;
  const P = field.species.pairs;
  const PM = P * M;
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

  const header = kernels.allocate(24);
  const mu = kernels.allocate(K * 8);
  const gamma = kernels.allocate(K * 8);
  const weights = kernels.allocate(K * PM * 8);
  const offsets = kernels.allocate(PM * 8);
  const basis = kernels.allocate(K * knotBytes);
  const basisSlopes = kernels.allocate(K * knotBytes);
  const values = kernels.allocate(PM * knotBytes);
  const slopes = kernels.allocate(PM * knotBytes);
  const kappa = kernels.allocate(times.length * M * 8);
  const scratch = kernels.allocate(Math.max(3 * K * 16, 2 * knotBytes));
  const tableBytes = Math.ceil(((capacity + 1) * 4 * lane.bytes) / 64) * 64 + STAGE_PADDING;
  const stageBytes = P * tableBytes;
  const stages = kernels.allocate(times.length * stageBytes);
  kernels.u32View(header, 6)[4] = P === 1 ? 0 : placeShifts(kernels, field, tableBytes);

  let current: ParameterSet = field.parameters;
  let grid: Grid = initial;

  function update(parameters: ParameterSet, movedTimes: Float64Array = times): void {
    current = parameters;
    times = movedTimes;
    grid = fixed ?? gridFor(parameters, resolution, capacity);
    const knots = evenKnots(grid.intervals);
    const spacing = grid.maxDistance / grid.intervals;
    kernels.f64View(header, 2).set([1 / spacing, grid.intervals - 0.25]);
    kernels.f64View(mu, K).set(parameters.mu);
    kernels.f64View(gamma, K).set(parameters.logGamma.map(Math.exp));
    kernels.f64View(weights, K * PM).set(byKernel(parameters.weights, P, K, M));
    kernels.f64View(offsets, PM).set(constantPart(parameters, P, K, M));
    common.radialBasis(mu, gamma, K, knots, spacing, basis, basisSlopes, scratch);
    common.tableProducts(basis, basisSlopes, weights, offsets, K, PM, knots, spacing, values, slopes);
    const features = kernels.f64View(kappa, times.length * M);
    for (let s = 0; s < times.length; s++) {
      features.set(timeFeatures(parameters.muTime, parameters.logGammaTime, times[s]), s * M);
    }
    forEachTable(knots, (s, p, rows) => {
      const table = stages + s * stageBytes + p * tableBytes;
      const features = kappa + s * M * 8;
      lane.stageTable(values + rows, slopes + rows, features, M, knots, grid.intervals, scratch, table);
    });
  }

  /** Every table of every stage: stage, pair of species, and the offset of the pair's M rows of knots. */
  function forEachTable(knots: number, body: (stage: number, pair: number, rows: number) => void): void {
    for (let s = 0; s < times.length; s++) for (let p = 0; p < P; p++) body(s, p, p * M * knots * 8);
  }

  function makeReverse(): PreparedReverse {
    const stageBars = kernels.allocate(times.length * stageBytes);
    const valuesBar = kernels.allocate(PM * knotBytes);
    const slopesBar = kernels.allocate(PM * knotBytes);
    const kappaBar = kernels.allocate(M * 8);
    const weightsBar = kernels.allocate(K * PM * 8);
    const totals = kernels.allocate(PM * 8);
    const muBar = kernels.allocate(K * 8);
    const logGammaBar = kernels.allocate(K * 8);

    function gradient(): ParameterSet {
      const knots = evenKnots(grid.intervals);
      const spacing = grid.maxDistance / grid.intervals;
      const muTimeBar = new Float64Array(M);
      const logGammaTimeBar = new Float64Array(M);
      const { muTime, logGammaTime } = current;
      kernels.f64View(valuesBar, PM * knots).fill(0);
      kernels.f64View(slopesBar, PM * knots).fill(0);
      forEachTable(knots, (s, p, rows) => {
        lane.stageTableReverse(
          stageBars + s * stageBytes + p * tableBytes,
          values + rows,
          slopes + rows,
          kappa + s * M * 8,
          M,
          knots,
          grid.intervals,
          scratch,
          valuesBar + rows,
          slopesBar + rows,
          kappaBar,
        );
        timeFeaturesReverse(muTime, logGammaTime, times[s], kernels.f64View(kappaBar, M), muTimeBar, logGammaTimeBar);
      });
      common.tableProductsReverse(basis, basisSlopes, K, PM, knots, spacing, valuesBar, slopesBar, weightsBar, totals);
      common.radialBasisReverse(
        mu,
        gamma,
        weights,
        basis,
        K,
        PM,
        knots,
        spacing,
        valuesBar,
        slopesBar,
        muBar,
        logGammaBar,
        scratch,
      );
      const bias = kernels.f64View(totals, PM).slice();
      const weightGradient = byPair(kernels.f64View(weightsBar, K * PM), P, K, M);
      return {
        weights: weightGradient,
        bias,
        importance: importanceReverse(current, bias, weightGradient, P, K, M),
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

/** Places, for every pair of particles, how far the table of its species is behind the first one. */
function placeShifts(kernels: Kernels, { particles: N, species }: RadialField, tableBytes: number): number {
  const shifts = kernels.allocate(N * N * 4);
  kernels
    .u32View(shifts, N * N)
    .set(Array.from({ length: N * N }, (_, at) => tableBytes * species.of(Math.floor(at / N), at % N)));
  return shifts;
}

/** [P, K, M] → [K, P·M], as the table products take it. */
function byKernel(weights: Float64Array, P: number, K: number, M: number): Float64Array {
  const out = new Float64Array(weights.length);
  for (let p = 0; p < P; p++) {
    for (let k = 0; k < K; k++) out.set(weights.subarray((p * K + k) * M, (p * K + k + 1) * M), (k * P + p) * M);
  }
  return out;
}

/** [K, P·M] → [P, K, M]. */
function byPair(weights: Float64Array, P: number, K: number, M: number): Float64Array {
  return byKernel(weights, K, P, M);
}

/** Σ_k s_k² W_km + b_m for each pair of species [P, M], the part of F_m that does not depend on distance. */
function constantPart(parameters: ParameterSet, P: number, K: number, M: number): Float64Array {
  const offsets = parameters.bias.slice();
  for (let row = 0; row < P * K; row++) {
    const s2 = parameters.importance[row % K] ** 2;
    const at = Math.floor(row / K) * M;
    for (let m = 0; m < M; m++) offsets[at + m] += s2 * parameters.weights[row * M + m];
  }
  return offsets;
}

/** Reverse of `constantPart`: adds to the weights' cotangents and returns those of the importance [K]. */
function importanceReverse(
  { importance, weights }: ParameterSet,
  offsetsBar: Float64Array,
  weightsBar: Float64Array,
  P: number,
  K: number,
  M: number,
): Float64Array {
  const importanceBar = new Float64Array(K);
  for (let row = 0; row < P * K; row++) {
    const s = importance[row % K];
    const at = Math.floor(row / K) * M;
    for (let m = 0; m < M; m++) {
      weightsBar[row * M + m] += s * s * offsetsBar[at + m];
      importanceBar[row % K] += 2 * s * weights[row * M + m] * offsetsBar[at + m];
    }
  }
  return importanceBar;
}
