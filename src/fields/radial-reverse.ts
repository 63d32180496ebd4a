import type { KernelCall, KernelJob } from '../kernels/index.js';
import type { ParameterSet, PreparedReverse } from './field.js';
import { TILE_ENTRY, tileRanges } from './radial-buffers.js';
import { byPair, importanceReverse } from './radial-columns.js';
import type { RadialTables } from './radial-tables.js';
import { timeFeaturesReverse } from './time-features.js';

/** Where cotangents stand, for buffers of one capacity. */
interface BarBuffers {
  readonly capacity: number;
  readonly parts: number[];
  readonly rows: number;
  readonly knots: number;
}

/** The reverse of `RadialTables`: from the stages' cotangents, collected by parts of a batch, to those of the parameters. */
export class RadialReverse implements PreparedReverse {
  readonly maxParts = Number.POSITIVE_INFINITY;
  #bars: BarBuffers | undefined;
  /** Room for the sums of so many jobs. */
  #jobs = 0;
  #scratch = 0;
  #kappaBars = 0;
  #results = 0;

  constructor(private readonly tables: RadialTables) {}

  get stageBarBytes(): number {
    return this.tables.stageBytes;
  }

  stageBars(part: number): number {
    const { kernels, times, stageBytes } = this.tables;
    const { parts } = this.#buffers();
    while (parts.length <= part) parts.push(kernels.allocate(times.length * stageBytes));
    return parts[part];
  }

  reset(part: number): KernelJob {
    const { times, sizes, buffers, lane } = this.tables;
    const used = this.tables.usedBytes(lane.bytes);
    return [['clearRows', times.length * sizes.pairs, this.stageBars(part), buffers.tableBytes, used]];
  }

  gradient(parts: number): ParameterSet {
    const { tables } = this;
    const { kernels, sizes, current, times, features, grid } = tables;
    const { kernels: K, columns } = sizes;
    this.#pullBackStages(parts);
    const { knots: knotBars } = this.#buffers();
    const { basis, windows } = tables.buffers;
    const size = kernels.common.tableReverseScratch(K, columns);
    const ranges = tileRanges(tables.tiles, grid.intervals);
    kernels.parallel(
      ranges.map(({ from, to }, job) => {
        const sums = this.#scratch + job * size;
        const run = [K, columns, from, to, grid.spacing, knotBars, sums] as const;
        return [['tableProductsReverse', tables.mu, tables.invGamma, basis, windows, tables.weights, ...run]];
      }),
    );
    kernels.common.collectReverse(this.#scratch, ranges.length, K, columns, this.#results);
    const at = (first: number, count: number) => kernels.f64View(this.#results + first * 8, count).slice();
    const weights = byPair(at(0, K * columns), sizes);
    const bias = at(K * (columns + 2), current.bias.length);
    const featuresBar = kernels.f64View(this.#kappaBars, features.length);
    const gradient = {
      weights,
      bias,
      importance: importanceReverse(current, bias, weights, sizes),
      mu: at(K * columns, K),
      logGamma: at(K * (columns + 1), K),
      ...timeFeaturesReverse(current.muTime, current.logGammaTime, times, features, featuresBar),
    };
    this.#noteTouched();
    return gradient;
  }

  /** From the stages' cotangents to those of the knots and of the time features [stages, M], in their buffers. */
  #pullBackStages(parts: number): void {
    const { tables } = this;
    const { kernels, lane, sizes, times, buffers, kappa, last } = tables;
    const { pairs, columns, times: M } = sizes;
    const { bytes, width } = lane;
    const { tableBytes, rows } = buffers;
    const bars = this.#buffers();
    const count = times.length;
    const ranges = tileRanges(tables.tiles - 1, tables.grid.intervals);
    this.#reserve(tileRanges(tables.tiles, tables.grid.intervals).length);
    // A row that stands for what is not covered is NaN, and was not touched.
    if (!tables.complete) kernels.common.clearRows(columns, rows + last * 4 * bytes, tableBytes, 4 * bytes);
    kernels.parallel(
      ranges.map((range, job) => {
        const { start, length } = tables.rangeBytes(range, bytes);
        const sum = this.stageBars(0) + start;
        const calls: KernelCall[] = [];
        for (let part = 1; part < parts; part++) {
          calls.push([`addRows${width}`, count * pairs, tableBytes, length, sum, this.stageBars(part) + start]);
        }
        for (let p = 0; p < pairs; p++) {
          const [from, column] = [sum + p * tableBytes, p * M * tableBytes + start];
          const out = this.#kappaBars + (job * pairs + p) * count * M * 8;
          const row = [from, tables.stageBytes] as const;
          calls.push(
            [`combineRows${width}`, kappa, bytes, M * bytes, M, count, ...row, length, bars.rows + column, tableBytes],
            [`rowProducts${width}`, ...row, count, rows + column, tableBytes, M, length, out],
          );
        }
        return calls;
      }),
    );
    // Too little work to be handed out.
    lane.tableRowsReverse(bars.rows, columns, tables.tiles, last, tableBytes, bars.knots);
    const size = count * M * 8;
    for (let job = 1; job < ranges.length * pairs; job++) {
      kernels.f64.addRows(1, 0, size, this.#kappaBars, this.#kappaBars + job * size);
    }
  }

  #noteTouched(): void {
    const { kernels, lane, times, sizes, buffers } = this.tables;
    const used = this.tables.usedBytes(lane.bytes);
    const count = times.length * sizes.pairs;
    const vector = kernels.common.lastUsed(count, this.stageBars(0), buffers.tableBytes, used);
    this.tables.noteTouched(Math.floor((vector * 16) / (4 * lane.bytes)));
  }

  /** Buffers that fit the present tables. */
  #buffers(): BarBuffers {
    const { kernels, buffers, sizes } = this.tables;
    if (this.#bars?.capacity !== buffers.capacity) {
      const tiles = Math.ceil(buffers.capacity / 4) + 1;
      this.#bars = {
        capacity: buffers.capacity,
        parts: [],
        rows: kernels.allocate(sizes.columns * buffers.tableBytes),
        knots: kernels.allocate(tiles * sizes.columns * TILE_ENTRY),
      };
    }
    return this.#bars;
  }

  #reserve(jobs: number): void {
    if (jobs <= this.#jobs) return;
    const { kernels, sizes, times } = this.tables;
    const { kernels: K, columns, pairs, times: M } = sizes;
    this.#jobs = jobs;
    this.#scratch = kernels.allocate(jobs * kernels.common.tableReverseScratch(K, columns));
    // Sums work on whole vectors.
    this.#kappaBars = kernels.allocate((jobs * pairs * times.length * M + 1) * 8);
    this.#results = kernels.allocate((K * (columns + 2) + columns) * 8);
  }
}
