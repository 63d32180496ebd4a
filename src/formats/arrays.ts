import { gunzipSync } from 'node:zlib';
import { DataError } from '../errors.js';
import { decodeXyz, isXyzName } from './extxyz.js';
import { readInput } from './files.js';
import { openHdf5Array } from './h5md.js';
import { isHdf5Address, readHdf5Array } from './hdf5/index.js';
import { decodeNpy, type NpyArray } from './npy.js';
import { NPY_MAGIC } from './npy-header.js';
import { decodeNpzArray } from './npz.js';
import { withoutThird } from './plane.js';
import { formatShape } from './shape.js';
import { decodeText } from './text.js';
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
 * Reads an array from a `.npy` file, the array `name` from a `.npz` file, or a dataset from an HDF5 file: the one in
 * `file.h5:/path`, or as `openHdf5Array` finds it. The first bytes decide, not the suffix; only (extended) XYZ, which is text,
 * is known by it.
 *
 * @throws InputError, IoError as `readInput`; UnavailableError for HDF5 without h5wasm
 * @throws DataError if the file is none of these, or as `decodeNpy`, `decodeNpzArray`, `decodeXyz` and `openHdf5Array`
 */
export async function readArray(path: string, name = 'x'): Promise<NpyArray> {
  if (await isHdf5Address(path)) {
    const { dataset, close } = await openHdf5Array(path, name);
    try {
      return await readHdf5Array(dataset);
    } finally {
      close();
    }
  }
  const bytes = await readInput(path);
  if (isXyzName(path)) return decodeXyz(decodeText(unpacked(bytes, path), path, 'the file'), name, path);
  if (isZip(bytes)) return decodeNpzArray(bytes, name, path);
  if (bytes.length > 0 && NPY_MAGIC.every((byte, i) => i >= bytes.length || bytes[i] === byte)) {
    return decodeNpy(bytes, path);
  }
  throw new DataError(`${path}: neither a .npy, .npz, HDF5 nor .xyz file${bytes.length === 0 ? ': it is empty' : ''}`);
}

function unpacked(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new DataError(`${path}: cannot be unpacked (${(cause as Error).message})`, { cause });
  }
}

/**
 * Reads configurations of shape [n, N, D] or [n, N·D] with N = `particles` and D = `dimensions` from a `.npy` file, from `x`
 * of a `.npz` file, or from HDF5. For D = 2 also [n, N, 3] whose third coordinates are zero, as programs write that know
 * only space.
 *
 * @throws DataError for another shape, or for NaN or Inf, naming the first sample, particle and axis from zero
 */
export async function readConfigurations(path: string, particles: number, dimensions: number): Promise<Configurations> {
  const { shape, data } = flattened(await readArray(path), dimensions, path);
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

/** Positions [n, N, 3] as [n, N, 2] where two dimensions are asked for. @throws DataError unless every third coordinate is zero */
function flattened(array: NpyArray, dimensions: number, path: string): NpyArray {
  const [n, N, D] = array.shape;
  if (dimensions !== 2 || array.shape.length !== 3 || D !== 3) return array;
  return { shape: [n, N, 2], data: withoutThird(array.data, N, path) };
}
