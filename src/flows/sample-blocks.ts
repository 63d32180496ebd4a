import type { Kernels, LaneKernels, Precision } from '../kernels/index.js';

/** Bytes of positions that a chunk should have: every chunk reads all stage tables once, so many samples share that, yet stay in L2. */
const CHUNK_BYTES = 262144;
/** More blocks than this no longer amortise anything. */
const MAX_BLOCKS = 512;

/** How many samples of `coordinates` numbers are worked on at a time. A multiple of four, so of the lanes of either width. */
export function chunkSamples(precision: Precision, coordinates: number): number {
  const blocks = Math.min(MAX_BLOCKS, Math.max(4, Math.floor(CHUNK_BYTES / (coordinates * 16))));
  return precision === 'f32' ? 4 * blocks : 2 * (blocks & ~1);
}

/**
 * As many for an adaptive integrator: it meets hundreds of stages, each read anew by the samples that have come to its time,
 * so that more samples share each; the blocks of `sample` are as large.
 */
export const ADAPTIVE_CHUNK = 4096;

/** Room in kernel memory for the positions of up to `capacity` samples as blocks of lanes, and the way in and out. */
export class SampleBlocks {
  readonly positions: number;
  readonly #lane: LaneKernels;
  readonly #double: number;
  readonly #rows: number;
  readonly #coordinates: number;

  constructor(
    private readonly kernels: Kernels,
    private readonly precision: Precision,
    private readonly particles: number,
    private readonly dimensions: number,
    readonly capacity: number,
  ) {
    this.#coordinates = particles * dimensions;
    this.#lane = kernels.lane(precision);
    const bytes = capacity * this.#coordinates * 8;
    this.#rows = kernels.allocate(bytes);
    this.#double = kernels.allocate(bytes);
    this.positions = precision === 'f64' ? this.#double : kernels.allocate(bytes / 2);
  }

  /** Blocks that hold `n` samples. */
  blocks(n: number): number {
    return Math.ceil(n / this.#lane.lanes);
  }

  /**
   * Brings in samples `first` … `first + n − 1` of `x` [*, N, D] with their centroids removed (in f64), and fills the last
   * block's idle lanes with copies of the last sample.
   */
  load(x: Float32Array | Float64Array, first: number, n: number): void {
    const C = this.#coordinates;
    const rows = this.kernels.f64View(this.#rows, this.capacity * C);
    rows.set(x.subarray(first * C, (first + n) * C));
    const padded = Math.ceil(n / 4) * 4;
    for (let s = n; s < padded; s++) rows.copyWithin(s * C, (n - 1) * C, n * C);
    this.kernels.f64.packFrom64(this.#rows, this.#double, padded, C);
    this.kernels.f64.removeCentroid(this.#double, this.particles, this.dimensions, padded / 2);
    this.#narrow(padded);
  }

  /** Fills with prior samples of global indices `first` … ; reproducible from (seed, stream, index). */
  drawNormals(seed: number, stream: number, first: number, n: number, scale: number): void {
    const padded = Math.ceil(n / 4) * 4;
    const [low, high] = [first >>> 0, Math.floor(first / 2 ** 32)];
    const groups = padded / 4;
    this.kernels.common.normals(seed, stream, low, high, scale, this.#coordinates, groups, this.#double, this.#rows);
    this.kernels.f64.removeCentroid(this.#double, this.particles, this.dimensions, padded / 2);
    this.#narrow(padded);
  }

  /** Writes the first `n` samples of the blocks at `from` to `out` from sample `first` on. */
  store(out: Float32Array | Float64Array, first: number, n: number, from = this.positions): void {
    const C = this.#coordinates;
    if (out instanceof Float32Array) {
      this.#lane.unpackTo32(from, this.#rows, n, C);
      out.set(this.kernels.f32View(this.#rows, n * C), first * C);
    } else {
      this.#lane.unpackTo64(from, this.#rows, n, C);
      out.set(this.kernels.f64View(this.#rows, n * C), first * C);
    }
  }

  #narrow(padded: number): void {
    if (this.precision === 'f32') {
      this.kernels.common.demote(this.#double, this.positions, this.#coordinates, padded / 4);
    }
  }
}
