import type { Positions } from '../flows/index.js';
import type { Precision } from '../kernels/index.js';

/** Samples with all that a reweighting needs. */
export interface SampleBlock {
  readonly x: Positions;
  readonly logQ: Float64Array;
  /** U of the positions as they are stored, in f64. */
  readonly energy: Float64Array;
  /** −U/kT − log q. */
  readonly logWeight: Float64Array;
}

/** What decides the size of a block. */
export interface BlockShape {
  readonly n: number;
  /** Numbers of a sample. */
  readonly coordinates: number;
  readonly precision: Precision;
}

/**
 * Memory of a block that a worker fills and its consumer reads, and that serves the next block then: between threads nothing is
 * copied, and nothing is allocated or collected as blocks go by.
 */
export function blockRoom({ n, coordinates, precision }: BlockShape): SharedArrayBuffer {
  return new SharedArrayBuffer(n * (3 * 8 + coordinates * (precision === 'f32' ? 4 : 8)));
}

/** The arrays of a block in a room that is large enough for it. */
export function blockIn(room: ArrayBufferLike, { n, coordinates, precision }: BlockShape): SampleBlock {
  const vector = (place: number) => new Float64Array(room, place * n * 8, n);
  const [start, length] = [3 * n * 8, n * coordinates];
  const x = precision === 'f32' ? new Float32Array(room, start, length) : new Float64Array(room, start, length);
  return { logQ: vector(0), energy: vector(1), logWeight: vector(2), x };
}
