import { DataError } from '../errors.js';
import { readInput } from './files.js';
import { decodeNpy, type NpyArray } from './npy.js';
import { NPY_MAGIC } from './npy-header.js';
import { decodeNpzArray } from './npz.js';
import { formatShape } from './shape.js';
import { isZip } from './zip.js';

/** Configurations in f64. */
export interface Configurations {
  /** Number of samples; may be 0. */
  readonly n: number;
  /** Shape [n, N, D]. */
  readonly x: Float64Array;
}

const AXES = ['x', 'y', 'z'];

/**
 * Reads an array from a `.npy` file, or the array `name` from a `.npz` file. The first bytes decide, not the suffix.
 *
 * @throws InputError, IoError as `readInput`
 * @throws DataError if the file is neither, or as `decodeNpy` and `decodeNpzArray`
 */
export async function readArray(path: string, name = 'x'): Promise<NpyArray> {
  const bytes = await readInput(path);
  if (isZip(bytes)) return decodeNpzArray(bytes, name, path);
  if (bytes.length > 0 && NPY_MAGIC.every((byte, i) => i >= bytes.length || bytes[i] === byte)) {
    return decodeNpy(bytes, path);
  }
  throw new DataError(`${path}: neither a .npy nor a .npz file${bytes.length === 0 ? ': it is empty' : ''}`);
}

/**
 * Reads configurations of shape [n, N, D] or [n, N·D] with N = `particles` and D = `dimensions` from a `.npy` file or
 * from `x` of a `.npz` file.
 *
 * @throws DataError for another shape, or for NaN or Inf, naming the first sample, particle and axis from zero
 */
export async function readConfigurations(path: string, particles: number, dimensions: number): Promise<Configurations> {
  const { shape, data } = await readArray(path);
  const size = particles * dimensions;
  const flat = shape.length === 2 && shape[1] === size;
  const full = shape.length === 3 && shape[1] === particles && shape[2] === dimensions;
  if (!flat && !full) {
    const expected = `[n, ${particles}, ${dimensions}] or [n, ${size}]`;
    throw new DataError(`${path}: x has shape ${formatShape(shape)}, expected ${expected}`);
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const within = bad % size;
    const axis = within % dimensions;
    const place = `sample ${Math.floor(bad / size)}, particle ${Math.floor(within / dimensions)}`;
    throw new DataError(`${path}: x is ${data[bad]} at ${place}, axis ${AXES[axis] ?? axis}, expected a finite number`);
  }
  return { n: shape[0], x: data instanceof Float64Array ? data : new Float64Array(data) };
}
