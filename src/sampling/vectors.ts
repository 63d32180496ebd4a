import { DataError } from '../errors.js';
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
 * A vector [n] in a file: streamed from a `.npy` of f32 or f64, else read as a whole, from a `.npz` its array `name`.
 *
 * @throws InputError, IoError as `readInput`; DataError as `readArray`, or for an array that is no vector
 */
export async function openVector(path: string, name: string): Promise<VectorSource> {
  const stream = await openNpyStream(path);
  const array = stream === undefined ? await readArray(path, name) : undefined;
  const { shape } = stream ?? array!;
  if (shape.length !== 1) throw new DataError(`${path}: shape [${shape}], expected [n]`);
  if (stream === undefined) return vectorInMemory(array!);
  return {
    n: shape[0],
    async *chunks() {
      for await (const data of npyChunks(stream, CHUNK)) yield inDouble(data);
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

function inDouble(data: NpyArray['data']): Float64Array {
  return data instanceof Float64Array ? data : Float64Array.from(data);
}
