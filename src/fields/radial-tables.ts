import type { KernelCall, Kernels, LaneKernels, Precision } from '../kernels/index.js';
import type { ParameterSet, PreparedField, PreparedReverse, PrepareOptions } from './field.js';
import { allocateRadial, type RadialBuffers, type TileRange, tileRanges } from './radial-buffers.js';
import { byKernel, constantPart, type RadialSizes } from './radial-columns.js';
import { type Grid, gridFor } from './radial-grid.js';
import { RadialReverse } from './radial-reverse.js';
import type { SpeciesPairs } from './species.js';
import { timeFeatures } from './time-features.js';

const KERNEL_FIELD = 0;
/** How far beyond the last row that a step touched the next step's tables go. */
const COVERAGE_MARGIN = 1.1;

/** The part of a kernel field that its tables depend on. */
interface RadialField {
  readonly particles: number;
  readonly parameters: ParameterSet;
  readonly species: SpeciesPairs;
}

/**
 * A kernel field's tables in kernel memory; see assembly/tables.ts for what they hold. With P pairs of species the products
 * run over P·M columns at once, and a stage holds P tables one behind the other.
 *
 * With `reverse` the tables are those of a training step: rows and their blends are in the lanes' own type, and only as many
 * are made as distances reached in the step before, see `widen`. Else rows are blended in f64.
 */
export class RadialTables implements PreparedField {
  readonly code = KERNEL_FIELD;
  readonly parameters: number;
  readonly scratchBytes: number;
  readonly reverse?: PreparedReverse;
  readonly lane: LaneKernels;
  readonly sizes: RadialSizes;
  readonly mu: number;
  readonly invGamma: number;
  readonly weights: number;
  /** Time features of the stages [stages, M], of the rows' type. */
  readonly kappa: number;
  readonly #offsets: number;
  /** Of the rows that stages are blended from. */
  readonly #rowPrecision: Precision;
  #buffers: RadialBuffers;
  #times: Float64Array;
  #features: Float64Array = new Float64Array(0);
  #current: ParameterSet;
  #grid: Grid;
  /** Index of the last row, where distances end up that are not covered. */
  #last = 0;
  /** Distance up to which the next tables are wanted. */
  #range = Number.POSITIVE_INFINITY;

  constructor(
    readonly kernels: Kernels,
    private readonly precision: Precision,
    private readonly field: RadialField,
    times: Float64Array,
    private readonly options: PrepareOptions,
  ) {
    const [K, M, P] = [field.parameters.mu.length, field.parameters.muTime.length, field.species.pairs];
    const columns = (P * M + 1) & ~1;
    this.sizes = { pairs: P, kernels: K, times: M, columns };
    this.#times = times;
    this.#current = field.parameters;
    this.lane = kernels.lane(precision);
    this.#rowPrecision = options.reverse ? precision : 'f64';
    this.parameters = kernels.allocate(24);
    this.mu = kernels.allocate(K * 8);
    this.invGamma = kernels.allocate(K * 8);
    this.weights = kernels.allocate(K * columns * 8);
    this.#offsets = kernels.allocate(columns * 8);
    // One row more, for a stage that is placed by itself.
    this.kappa = kernels.allocate((times.length + 1) * M * 8);
    this.scratchBytes = kernels.common.pairScratch(field.particles);
    this.#grid = gridFor(field.parameters, precision, options);
    this.#buffers = this.#allocate(this.#grid.intervals);
    if (options.reverse) this.reverse = new RadialReverse(this);
    this.update(field.parameters);
  }

  get stages(): number {
    return this.#buffers.stages;
  }

  get stageBytes(): number {
    return this.sizes.pairs * this.#buffers.tableBytes;
  }

  get times(): Float64Array {
    return this.#times;
  }

  get features(): Float64Array {
    return this.#features;
  }

  get current(): ParameterSet {
    return this.#current;
  }

  get grid(): Grid {
    return this.#grid;
  }

  get buffers(): RadialBuffers {
    return this.#buffers;
  }

  get last(): number {
    return this.#last;
  }

  /** Tiles of four knots: as many as the intervals before the last row touch, and one that has the last knot. */
  get tiles(): number {
    return Math.ceil(this.#last / 4) + 1;
  }

  /** Whether the last row stands for all distances beyond the table, and not for ones that are not covered. */
  get complete(): boolean {
    return this.#last === this.#grid.intervals;
  }

  /** Bytes of a table's rows in use, of four numbers of `bytes` each. */
  usedBytes(bytes: number): number {
    return Math.ceil(((this.#last + 1) * 4 * bytes) / 64) * 64;
  }

  /** The bytes of a table that belong to a range of tiles; the last range has what is behind the last full tile too. */
  rangeBytes({ from, to }: TileRange, bytes: number): { readonly start: number; readonly length: number } {
    const start = from * 16 * bytes;
    const end = to === this.tiles - 1 ? this.usedBytes(bytes) : to * 16 * bytes;
    return { start, length: end - start };
  }

  update(parameters: ParameterSet, times: Float64Array = this.#times): void {
    const { kernels } = this;
    const { kernels: K, columns } = this.sizes;
    this.#current = parameters;
    this.#times = times;
    this.#grid = gridFor(parameters, this.precision, this.options);
    const { intervals, spacing } = this.#grid;
    if (intervals > this.#buffers.capacity) this.#buffers = this.#allocate(Math.ceil(1.5 * intervals));
    this.#last = Math.min(intervals, Math.ceil(this.#range / spacing));
    kernels.f64View(this.parameters, 2).set([1 / spacing, this.#last - 0.25]);
    kernels.f64View(this.mu, K).set(parameters.mu);
    kernels.f64View(this.invGamma, K).set(parameters.logGamma.map((value) => Math.exp(-value)));
    kernels.f64View(this.weights, K * columns).set(byKernel(parameters.weights, this.sizes));
    kernels.f64View(this.#offsets, columns).set(constantPart(parameters, this.sizes));
    this.#features = timeFeatures(parameters.muTime, parameters.logGammaTime, times);
    kernels.view(this.#rowPrecision, this.kappa, this.#features.length).set(this.#features);
    const { windows, basis, knots } = this.#buffers;
    kernels.common.basisWindows(this.mu, this.invGamma, K, this.tiles, spacing, windows);
    kernels.parallel(
      tileRanges(this.tiles, intervals).map(({ from, to }) => [
        ['radialBasis', this.mu, this.invGamma, K, from, to, spacing, windows, basis],
        ['tableProducts', basis, windows, this.weights, this.#offsets, K, columns, from, to, spacing, knots],
      ]),
    );
    kernels.parallel(tileRanges(this.tiles - 1, intervals).map((range) => this.#rowCalls(range)));
    if (!this.options.reverse) this.#blendNarrow();
  }

  placeStage(offset: number, t: number): void {
    if (this.reverse) throw new Error('a field that is prepared for training has its stages at fixed times');
    const { times: M } = this.sizes;
    const { muTime, logGammaTime } = this.#current;
    const features = this.kappa + this.#times.length * M * 8;
    this.kernels.f64View(features, M).set(timeFeatures(muTime, logGammaTime, Float64Array.of(t)));
    this.#blendStage(features, offset);
  }

  widen(): boolean {
    if (this.complete) return false;
    this.#range = Number.POSITIVE_INFINITY;
    this.update(this.#current);
    return true;
  }

  /** Notes the last row that a step touched: the next one will hardly go much further. */
  noteTouched(row: number): void {
    this.#range = COVERAGE_MARGIN * (row + 1) * this.#grid.spacing;
  }

  /** Makes the rows of a range of tiles and, for training, blends them for all stages. */
  #rowCalls(range: TileRange): KernelCall[] {
    const { pairs, times: M, columns } = this.sizes;
    const { knots, rows, rowBytes, stages, tableBytes } = this.#buffers;
    const { width, bytes } = this.kernels.lane(this.#rowPrecision);
    const { from, to } = range;
    const calls: KernelCall[] = [[`tableRows${width}`, knots, columns, from, to, rowBytes, rows]];
    if (to === this.tiles - 1) {
      calls.push([`lastRows${width}`, knots, columns, this.#last, Number(this.complete), rowBytes, rows]);
    }
    if (!this.options.reverse) return calls;
    const { start, length } = this.rangeBytes(range, bytes);
    for (let p = 0; p < pairs; p++) {
      const input = rows + p * M * rowBytes + start;
      const out = stages + p * tableBytes + start;
      const blend = [input, rowBytes, length, out, this.stageBytes] as const;
      calls.push([`combineRows${width}`, this.kappa, M * bytes, bytes, this.#times.length, M, ...blend]);
    }
    return calls;
  }

  /** Blends in f64 what lanes of either type read. */
  #blendNarrow(): void {
    const { times: M } = this.sizes;
    for (let s = 0; s < this.#times.length; s++) {
      this.#blendStage(this.kappa + s * M * 8, this.#buffers.stages + s * this.stageBytes);
    }
  }

  #blendStage(features: number, stage: number): void {
    const { pairs, times: M } = this.sizes;
    const { rows, rowBytes, tableBytes, blend } = this.#buffers;
    const bytes = this.usedBytes(8);
    for (let p = 0; p < pairs; p++) {
      const out = stage + p * tableBytes;
      const to = this.precision === 'f64' ? out : blend;
      this.kernels.f64.combineRows(features, 0, 8, 1, M, rows + p * M * rowBytes, rowBytes, bytes, to, 0);
      if (to === blend) this.kernels.common.narrow(blend, out, bytes / 8);
    }
  }

  #allocate(capacity: number): RadialBuffers {
    const { kernels, sizes, lane } = this;
    const bytes = { stages: lane.bytes, rows: kernels.lane(this.#rowPrecision).bytes };
    const buffers = allocateRadial(kernels, sizes, this.#times.length, capacity, bytes);
    const shifts = sizes.pairs === 1 ? 0 : placeShifts(kernels, this.field, buffers.tableBytes);
    kernels.u32View(this.parameters, 6)[4] = shifts;
    return buffers;
  }
}

/** Places, for every pair of particles, how far the table of its species is behind the first one. */
function placeShifts(kernels: Kernels, { particles: N, species }: RadialField, tableBytes: number): number {
  const shifts = kernels.allocate(N * N * 4);
  kernels
    .u32View(shifts, N * N)
    .set(Array.from({ length: N * N }, (_, at) => tableBytes * species.of(Math.floor(at / N), at % N)));
  return shifts;
}
