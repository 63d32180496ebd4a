import { DataError } from '../errors.js';
import { openHdf5Array } from '../formats/h5md.js';
import { type Hdf5Dataset, isHdf5File, parseAddress } from '../formats/hdf5/index.js';
import { type NpyArray, readArray } from '../formats/index.js';
import { npyChunks, openNpyStream } from '../formats/npy-stream.js';
import { WEIGHT_BLOCK_SIZE } from '../reweighting/index.js';

/** Numbers of a vector that are in memory at a time: whole blocks of weights. */
const CHUNK = 16 * WEIGHT_BLOCK_SIZE;

/** A vector [n] that can be gone through any number of times without being in memory as a whole. */
export interface VectorSource {
  readonly n: number;
  /**
   * From the start, in pieces that are alike for all vectors of one length and that are valid until the next is asked for.
   */
  chunks(): AsyncIterable<Float64Array>;
}

/** A vector that is in memory. */
export function vectorInMemory({ data }: Pick<NpyArray, 'data'>): VectorSource {
  return {
    n: data.length,
    async *chunks() {
      for (let start = 0; start < data.length; start += CHUNK) yield inDouble(data.subarray(start, start + CHUNK));
    },
  };
}

/**
 * A vector [n] in a file: streamed from a `.npy` of f32 or f64 or from HDF5 (`file.h5:/path`, or where `name` is expected),
 * else read as a whole, from a `.npz` its array `name`.
 *
 * @throws InputError, IoError as `readInput`; UnavailableError for HDF5 without h5wasm; DataError as `readArray`, or for
 *   an array that is no vector
 */
export async function openVector(path: string, name: string): Promise<VectorSource> {
  if (await isHdf5File(parseAddress(path).file)) {
    const { dataset, close } = await openHdf5Array(path, name);
    close();
    requireVector(path, dataset.shape);
    return vectorInHdf5(dataset);
  }
  const stream = await openNpyStream(path);
  const array = stream === undefined ? await readArray(path, name) : undefined;
  const { shape } = stream ?? array!;
  requireVector(path, shape);
  if (stream === undefined) return vectorInMemory(array!);
  return {
    n: shape[0],
    async *chunks() {
      for await (const data of npyChunks(stream, CHUNK)) yield inDouble(data);
    },
  };
}

/** A vector in an HDF5 file, which is open only while it is gone through. */
export function vectorInHdf5({ file, path, shape }: Pick<Hdf5Dataset, 'file' | 'path' | 'shape'>): VectorSource {
  return {
    n: shape[0],
    async *chunks() {
      const { dataset, close } = await openHdf5Array({ file, dataset: path }, path);
      try {
        for await (const data of dataset.chunks(CHUNK)) yield inDouble(data);
      } finally {
        close();
      }
    },
  };
}

function requireVector(path: string, shape: readonly number[]): void {
  if (shape.length !== 1) throw new DataError(`${path}: shape [${shape}], expected [n]`);
}

/** All of a vector. */
export async function collect(vector: VectorSource): Promise<Float64Array> {
  const all = new Float64Array(vector.n);
  let done = 0;
  for await (const chunk of vector.chunks()) {
    all.set(chunk, done);
    done += chunk.length;
  }
  return all;
}

function inDouble(data: NpyArray['data']): Float64Array {
  return data instanceof Float64Array ? data : Float64Array.from(data);
}
