import { DataError } from '../errors.js';
import { openHdf5Array } from '../formats/h5md.js';
import { type Hdf5Dataset, isHdf5Address } from '../formats/hdf5/index.js';
import { type NpyArray, readArray } from '../formats/index.js';
import { type NpyStream, npyChunks, openNpyStream } from '../formats/npy-stream.js';
import { withoutThird } from '../formats/plane.js';
import { WEIGHT_BLOCK_SIZE } from '../reweighting/index.js';

/** Samples that are in memory at a time unless others are asked for: whole blocks of weights. */
const CHUNK = 16 * WEIGHT_BLOCK_SIZE;

type Elements = NpyArray['data'];

/** Consecutive samples. */
export interface SampleRange {
  readonly first: number;
  readonly n: number;
}

/** An array [n, …], one row a sample, that can be gone through any number of times without being in memory as a whole. */
export interface ArraySource {
  /** Shape [n, …]. */
  readonly shape: readonly number[];
  /**
   * From the start, so many samples at a time, in pieces that are valid until the next is asked for. Of a range alone, without
   * what stands before it, where one is named: only shards do.
   */
  chunks(samples?: number, range?: SampleRange): AsyncIterable<Elements>;
}

/** A vector [n], in the same way. */
export interface VectorSource {
  readonly n: number;
  /**
   * From the start, so many samples at a time (by default as many for all vectors), in pieces that are valid until the next is
   * asked for; of a range, as `ArraySource` has it.
   */
  chunks(samples?: number, range?: SampleRange): AsyncIterable<Float64Array>;
}

/** Numbers of one sample. */
export function rowLength({ shape }: Pick<ArraySource, 'shape'>): number {
  return shape.slice(1).reduce((product, extent) => product * extent, 1);
}

/** An array that is in memory. */
export function arrayInMemory({ shape, data }: NpyArray): ArraySource {
  const width = rowLength({ shape });
  return {
    shape,
    async *chunks(samples = CHUNK, range) {
      const count = Math.max(1, samples * width);
      const rows = range === undefined ? data : data.subarray(range.first * width, (range.first + range.n) * width);
      for (let start = 0; start < rows.length; start += count) yield rows.subarray(start, start + count);
    },
  };
}

/** A vector that is in memory, for example energies of another program. */
export function vectorInMemory({ data }: Pick<NpyArray, 'data'>): VectorSource {
  return asVector(arrayInMemory({ shape: [data.length], data }), 'vector');
}

/**
 * An array in a file: streamed from a `.npy` of f32 or f64 or from HDF5 (`file.h5:/path`, or where `name` is expected),
 * else read as a whole, from a `.npz` its array `name`.
 *
 * @throws InputError, IoError as `readInput`; UnavailableError for HDF5 without h5wasm; DataError as `readArray`
 */
export async function openArray(path: string, name: string): Promise<ArraySource> {
  if (await isHdf5Address(path)) {
    const { dataset, close } = await openHdf5Array(path, name);
    close();
    return arrayInHdf5(dataset);
  }
  const stream = await openNpyStream(path);
  return stream === undefined ? arrayInMemory(await readArray(path, name)) : arrayInNpy(stream);
}

/** @throws as `openArray`; DataError for an array that is no vector */
export async function openVector(path: string, name: string): Promise<VectorSource> {
  return asVector(await openArray(path, name), path);
}

/** An array in a `.npy` file. */
export function arrayInNpy(stream: NpyStream): ArraySource {
  const width = rowLength(stream);
  return {
    shape: stream.shape,
    chunks: (samples = CHUNK, range) =>
      range === undefined
        ? npyChunks(stream, Math.max(1, samples * width))
        : npyChunks(stream, Math.max(1, samples * width), range.first * width, range.n * width),
  };
}

/** An array in an HDF5 file, which is open only while it is gone through. */
export function arrayInHdf5({ file, path, shape }: Pick<Hdf5Dataset, 'file' | 'path' | 'shape'>): ArraySource {
  return {
    shape,
    async *chunks(samples = CHUNK, range) {
      const { dataset, close } = await openHdf5Array({ file, dataset: path }, path);
      try {
        yield* dataset.chunks(samples, range?.first, range?.n);
      } finally {
        close();
      }
    },
  };
}

/** Positions [n, N, 2] of an array [n, N, 3] whose third coordinates are zero, as HDF5 holds those of a plane. */
export function arrayInPlane({ shape, chunks }: ArraySource, path: string): ArraySource {
  return {
    shape: [shape[0], shape[1], 2],
    async *chunks(samples = CHUNK, range) {
      let first = range?.first ?? 0;
      for await (const data of chunks(samples, range)) {
        yield withoutThird(data, shape[1], path, first);
        first += samples;
      }
    },
  };
}

/** @throws DataError unless the array has one axis */
export function asVector(array: ArraySource, path: string): VectorSource {
  if (array.shape.length !== 1) throw new DataError(`${path}: shape [${array.shape}], expected [n]`);
  return {
    n: array.shape[0],
    async *chunks(samples, range) {
      for await (const data of array.chunks(samples, range)) {
        yield data instanceof Float64Array ? data : Float64Array.from(data);
      }
    },
  };
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
