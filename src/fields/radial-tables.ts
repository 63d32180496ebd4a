import type { Kernels, LaneKernels, Precision } from '../kernels/index.js';
import type { ParameterSet, PreparedField, PreparedReverse, PrepareOptions } from './field.js';
import { byKernel, byPair, constantPart, importanceReverse, type RadialSizes } from './radial-columns.js';
import { type Grid, gridFor } from './radial-grid.js';
import type { SpeciesPairs } from './species.js';
import { timeFeatures, timeFeaturesReverse } from './time-features.js';

const KERNEL_FIELD = 0;
/** Keeps a power-of-two table from mapping every stage onto the same cache lines. */
const STAGE_PADDING = 64;
/** Bytes of a tile's numbers for one kernel or one column; see assembly/radial-basis.ts. */
const TILE_ENTRY = 64;
/** How far beyond the last row that a step touched the next step's tables go. */
const COVERAGE_MARGIN = 1.1;

/** The part of a kernel field that its tables depend on. */
interface RadialField {
  readonly particles: number;
  readonly parameters: ParameterSet;
  readonly species: SpeciesPairs;
}

/** Where everything stands whose size goes with the grid. */
interface Buffers {
  /** Intervals that they have room for. */
  readonly capacity: number;
  readonly tableBytes: number;
  readonly stages: number;
  readonly windows: number;
  readonly basis: number;
  readonly knots: number;
  readonly rows: number;
  /** One blend in f64, for narrower stages. */
  readonly blend: number;
  readonly stageBars: number;
  readonly rowBars: number;
  readonly knotBars: number;
}

/**
 * A kernel field's tables in kernel memory; see assembly/tables.ts for what they hold. With P pairs of species the products
 * run over P·M columns at once, and a stage holds P tables one behind the other.
 *
 * With `reverse` the tables are those of a training step: rows and their blends are in the lanes' own type, and only as many
 * are made as distances reached in the step before, see `widen`. Else rows are blended in f64.
 */
class RadialTables implements PreparedField {
  readonly code = KERNEL_FIELD;
  readonly parameters: number;
  readonly scratchBytes: number;
  readonly reverse?: PreparedReverse;
  readonly #lane: LaneKernels;
  /** Of the rows that stages are blended from. */
  readonly #rowLane: LaneKernels;
  readonly #sizes: RadialSizes;
  readonly #mu: number;
  readonly #invGamma: number;
  readonly #weights: number;
  readonly #offsets: number;
  readonly #kappa: number;
  #buffers: Buffers;
  #times: Float64Array;
  #features: Float64Array = new Float64Array(0);
  #current: ParameterSet;
  #grid: Grid;
  /** Index of the last row, where distances end up that are not covered. */
  #last = 0;
  /** Distance up to which the next tables are wanted. */
  #range = Number.POSITIVE_INFINITY;

  constructor(
    private readonly kernels: Kernels,
    private readonly precision: Precision,
    private readonly field: RadialField,
    times: Float64Array,
    private readonly options: PrepareOptions,
  ) {
    const [K, M, P] = [field.parameters.mu.length, field.parameters.muTime.length, field.species.pairs];
    const columns = (P * M + 1) & ~1;
    this.#sizes = { pairs: P, kernels: K, times: M, columns };
    this.#times = times;
    this.#current = field.parameters;
    this.#lane = kernels.lane(precision);
    this.#rowLane = options.reverse ? this.#lane : kernels.f64;
    this.parameters = kernels.allocate(24);
    this.#mu = kernels.allocate(K * 8);
    this.#invGamma = kernels.allocate(K * 8);
    this.#weights = kernels.allocate(K * columns * 8);
    this.#offsets = kernels.allocate(columns * 8);
    // One row more, for a stage that is placed by itself.
    this.#kappa = kernels.allocate((times.length + 1) * M * 8);
    this.scratchBytes = kernels.common.pairScratch(field.particles);
    this.#grid = gridFor(field.parameters, precision, options);
    this.#buffers = this.#allocate(this.#grid.intervals);
    if (options.reverse) this.reverse = this.#makeReverse();
    this.update(field.parameters);
  }

  get stages(): number {
    return this.#buffers.stages;
  }

  get stageBytes(): number {
    return this.#sizes.pairs * this.#buffers.tableBytes;
  }

  update(parameters: ParameterSet, times: Float64Array = this.#times): void {
    const { kernels } = this;
    const { common } = kernels;
    const { kernels: K, columns } = this.#sizes;
    this.#current = parameters;
    this.#times = times;
    this.#grid = gridFor(parameters, this.precision, this.options);
    const { intervals, spacing } = this.#grid;
    if (intervals > this.#buffers.capacity) this.#buffers = this.#allocate(Math.ceil(1.5 * intervals));
    const { windows, basis, knots, rows, tableBytes } = this.#buffers;
    const last = Math.min(intervals, Math.ceil(this.#range / spacing));
    this.#last = last;
    const tiles = this.#tiles;
    kernels.f64View(this.parameters, 2).set([1 / spacing, last - 0.25]);
    kernels.f64View(this.#mu, K).set(parameters.mu);
    kernels.f64View(this.#invGamma, K).set(parameters.logGamma.map((value) => Math.exp(-value)));
    kernels.f64View(this.#weights, K * columns).set(byKernel(parameters.weights, this.#sizes));
    kernels.f64View(this.#offsets, columns).set(constantPart(parameters, this.#sizes));
    common.basisWindows(this.#mu, this.#invGamma, K, tiles, spacing, windows);
    common.radialBasis(this.#mu, this.#invGamma, K, tiles, spacing, windows, basis);
    common.tableProducts(basis, windows, this.#weights, this.#offsets, K, columns, tiles, spacing, knots);
    this.#rowLane.tableRows(knots, columns, tiles, last, last === intervals, this.#rowStride(tableBytes), rows);
    this.#features = timeFeatures(parameters.muTime, parameters.logGammaTime, times);
    kernels.view(this.#rowPrecision, this.#kappa, this.#features.length).set(this.#features);
    if (this.#rowLane === this.#lane) this.#blend();
    else this.#blendNarrow();
  }

  placeStage(offset: number, t: number): void {
    if (this.reverse) throw new Error('a field that is prepared for training has its stages at fixed times');
    const { times: M } = this.#sizes;
    const { muTime, logGammaTime } = this.#current;
    const features = this.#kappa + this.#times.length * M * 8;
    this.kernels.f64View(features, M).set(timeFeatures(muTime, logGammaTime, Float64Array.of(t)));
    this.#blendStage(features, offset);
  }

  widen(): boolean {
    if (this.#last === this.#grid.intervals) return false;
    this.#range = Number.POSITIVE_INFINITY;
    this.update(this.#current);
    return true;
  }

  /** Tiles of four knots: as many as the intervals before the last row touch, and one that has the last knot. */
  get #tiles(): number {
    return Math.ceil(this.#last / 4) + 1;
  }

  get #rowPrecision(): Precision {
    return this.#rowLane === this.#lane ? this.precision : 'f64';
  }

  /** Rows of f64 take twice the bytes of f32 stages. */
  #rowStride(tableBytes: number): number {
    return (tableBytes * this.#rowLane.bytes) / this.#lane.bytes;
  }

  #blend(): void {
    const { pairs, times: M } = this.#sizes;
    const { rows, stages, tableBytes } = this.#buffers;
    const { bytes } = this.#lane;
    for (let p = 0; p < pairs; p++) {
      this.#lane.combineRows(
        this.#kappa,
        M * bytes,
        bytes,
        this.#times.length,
        M,
        rows + p * M * tableBytes,
        tableBytes,
        this.#usedBytes(bytes),
        stages + p * tableBytes,
        this.stageBytes,
      );
    }
  }

  /** Blends in f64 what f32 lanes read. */
  #blendNarrow(): void {
    const { times: M } = this.#sizes;
    for (let s = 0; s < this.#times.length; s++) {
      this.#blendStage(this.#kappa + s * M * 8, this.#buffers.stages + s * this.stageBytes);
    }
  }

  #blendStage(features: number, stage: number): void {
    const { pairs, times: M } = this.#sizes;
    const { rows, tableBytes, blend } = this.#buffers;
    const stride = this.#rowStride(tableBytes);
    const bytes = this.#usedBytes(8);
    for (let p = 0; p < pairs; p++) {
      this.kernels.f64.combineRows(features, 0, 8, 1, M, rows + p * M * stride, stride, bytes, blend, 0);
      const to = stage + p * tableBytes;
      if (this.precision === 'f32') this.kernels.common.narrow(blend, to, bytes / 8);
      else this.kernels.u8View(to, bytes).set(this.kernels.u8View(blend, bytes));
    }
  }

  /** Bytes of the rows in use, of four numbers of `bytes` each. */
  #usedBytes(bytes: number): number {
    return Math.ceil(((this.#last + 1) * 4 * bytes) / 64) * 64;
  }

  #allocate(capacity: number): Buffers {
    const { kernels } = this;
    const { pairs, kernels: K, columns } = this.#sizes;
    const tiles = Math.ceil(capacity / 4) + 1;
    // Rows come in fours behind one another, and the last may stand behind those.
    const tableBytes = (4 * tiles + 4) * 4 * this.#lane.bytes + STAGE_PADDING;
    const stageBytes = this.#times.length * pairs * tableBytes;
    const withReverse = this.options.reverse === true;
    const buffers = {
      capacity,
      tableBytes,
      windows: kernels.allocate(tiles * 8),
      basis: kernels.allocate(tiles * K * TILE_ENTRY),
      knots: kernels.allocate(tiles * columns * TILE_ENTRY),
      rows: kernels.allocate(columns * this.#rowStride(tableBytes)),
      blend: withReverse ? 0 : kernels.allocate(this.#rowStride(tableBytes)),
      stages: kernels.allocate(stageBytes),
      stageBars: withReverse ? kernels.allocate(stageBytes) : 0,
      rowBars: withReverse ? kernels.allocate(columns * tableBytes) : 0,
      knotBars: withReverse ? kernels.allocate(tiles * columns * TILE_ENTRY) : 0,
    };
    const shifts = pairs === 1 ? 0 : placeShifts(kernels, this.field, tableBytes);
    kernels.u32View(this.parameters, 6)[4] = shifts;
    return buffers;
  }

  #makeReverse(): PreparedReverse {
    const { kernels } = this;
    const { kernels: K, columns, times: M } = this.#sizes;
    const scratch = kernels.allocate(kernels.common.tableReverseScratch(K, columns));
    const weightsBar = kernels.allocate(K * columns * 8);
    const offsetsBar = kernels.allocate(columns * 8);
    const muBar = kernels.allocate(K * 8);
    const logGammaBar = kernels.allocate(K * 8);
    const kappaBar = kernels.allocate(this.#times.length * M * 8);
    const tables = this;
    return {
      get stageBars() {
        return tables.#buffers.stageBars;
      },
      get stageBarBytes() {
        return tables.stageBytes;
      },
      reset: () => {
        const { stageBars, tableBytes } = this.#buffers;
        const count = this.#times.length * this.#sizes.pairs;
        kernels.common.clearRows(count, stageBars, tableBytes, this.#usedBytes(this.#lane.bytes));
      },
      gradient: () => {
        const muTime = this.#pullBackStages(kappaBar);
        const { basis, windows, knotBars } = this.#buffers;
        kernels.common.tableProductsReverse(
          this.#mu,
          this.#invGamma,
          basis,
          windows,
          this.#weights,
          K,
          columns,
          this.#tiles,
          this.#grid.spacing,
          knotBars,
          scratch,
          weightsBar,
          offsetsBar,
          muBar,
          logGammaBar,
        );
        const bias = kernels.f64View(offsetsBar, this.#current.bias.length).slice();
        const weights = byPair(kernels.f64View(weightsBar, K * columns), this.#sizes);
        const importance = importanceReverse(this.#current, bias, weights, this.#sizes);
        const mu = kernels.f64View(muBar, K).slice();
        const logGamma = kernels.f64View(logGammaBar, K).slice();
        this.#noteRange();
        return { weights, bias, importance, mu, logGamma, ...muTime };
      },
    };
  }

  /** From the stages' cotangents to those of the knots, in their buffer, and of the time kernels. */
  #pullBackStages(kappaBar: number): { muTime: Float64Array; logGammaTime: Float64Array } {
    const { kernels } = this;
    const { pairs, columns, times: M } = this.#sizes;
    const { rows, stageBars, rowBars, knotBars, tableBytes } = this.#buffers;
    const { bytes } = this.#lane;
    const count = this.#times.length;
    const used = this.#usedBytes(bytes);
    const last = this.#last;
    // A row that stands for what is not covered is NaN, and was not touched.
    if (last < this.#grid.intervals) kernels.common.clearRows(columns, rows + last * 4 * bytes, tableBytes, 4 * bytes);
    const featuresBar = new Float64Array(count * M);
    for (let p = 0; p < pairs; p++) {
      const bars = stageBars + p * tableBytes;
      const columnsOf = p * M * tableBytes;
      this.#lane.combineRows(
        this.#kappa,
        bytes,
        M * bytes,
        M,
        count,
        bars,
        this.stageBytes,
        used,
        rowBars + columnsOf,
        tableBytes,
      );
      this.#lane.rowProducts(bars, this.stageBytes, count, rows + columnsOf, tableBytes, M, used, kappaBar);
      const products = kernels.f64View(kappaBar, count * M);
      for (let i = 0; i < products.length; i++) featuresBar[i] += products[i];
    }
    this.#lane.tableRowsReverse(rowBars, columns, this.#tiles, last, tableBytes, knotBars);
    const { muTime, logGammaTime } = this.#current;
    return timeFeaturesReverse(muTime, logGammaTime, this.#times, this.#features, featuresBar);
  }

  /** The next step will hardly go much further than this one. */
  #noteRange(): void {
    const { stageBars, tableBytes } = this.#buffers;
    const { bytes } = this.#lane;
    const count = this.#times.length * this.#sizes.pairs;
    const vector = this.kernels.common.lastUsed(count, stageBars, tableBytes, this.#usedBytes(bytes));
    const row = Math.floor((vector * 16) / (4 * bytes)) + 1;
    this.#range = COVERAGE_MARGIN * row * this.#grid.spacing;
  }
}

/** Lays out a kernel field's tables in kernel memory. */
export function prepareRadialTables(
  kernels: Kernels,
  precision: Precision,
  field: RadialField,
  times: Float64Array,
  options: PrepareOptions,
): PreparedField {
  return new RadialTables(kernels, precision, field, times, options);
}

/** Places, for every pair of particles, how far the table of its species is behind the first one. */
function placeShifts(kernels: Kernels, { particles: N, species }: RadialField, tableBytes: number): number {
  const shifts = kernels.allocate(N * N * 4);
  kernels
    .u32View(shifts, N * N)
    .set(Array.from({ length: N * N }, (_, at) => tableBytes * species.of(Math.floor(at / N), at % N)));
  return shifts;
}
