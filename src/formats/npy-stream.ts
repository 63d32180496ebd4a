import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DataError } from '../errors.js';
import {
  bytesOf,
  type Elements,
  ElementWriter,
  elementBytes,
  readWhole,
  type StreamedType,
  writeWhole,
} from './element-writer.js';
import { decodeNpyHeader, encodeNpyHeader, NPY_MAGIC } from './npy-header.js';
import { elementCount, formatShape } from './shape.js';
import { asInputError, asOutputError } from './system-errors.js';

/** More than any header may have (`decodeNpyHeader`). */
const HEADER_ROOM = 16_384;

/**
 * A `.npy` file of known shape that is written in pieces, in order. The header for the whole array comes first, so that the
 * finished file has the bytes that `encodeNpy` gives.
 */
export class NpyStreamWriter extends ElementWriter {
  private constructor(
    path: string,
    private readonly file: FileHandle,
    type: StreamedType,
    shape: readonly number[],
    start: number,
  ) {
    super(path, file, type, shape, start);
  }

  /**
   * Opens a file, new or left by an earlier run, at its first element.
   * @throws OutputError, IoError as `writeOutput`
   */
  static async open(path: string, type: StreamedType, shape: readonly number[]): Promise<NpyStreamWriter> {
    const header = encodeNpyHeader(type, shape);
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, constants.O_RDWR | constants.O_CREAT);
      await writeWhole(handle, header, 0);
      return new NpyStreamWriter(path, handle, type, shape, header.length);
    } catch (error) {
      await handle?.close();
      throw asOutputError(error, path);
    }
  }

  /** Removes what stands behind the present place. */
  async truncate(): Promise<void> {
    try {
      await this.file.truncate(this.position);
    } catch (error) {
      throw asOutputError(error, this.path);
    }
  }

  /** Returns when the device has what was written. */
  async sync(): Promise<void> {
    try {
      await this.file.sync();
    } catch (error) {
      throw asOutputError(error, this.path);
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** A `.npy` file that is read in pieces. */
export interface NpyStream {
  readonly path: string;
  readonly type: StreamedType;
  readonly shape: readonly number[];
  readonly dataOffset: number;
}

/**
 * Looks whether a file can be streamed: a regular `.npy` file of `<f4` or `<f8` in C order and of the length that its
 * header says.
 *
 * @returns undefined for a file of another kind, for which `readArray` has the way or the words
 * @throws InputError, IoError as `readInput`; DataError if the file is shorter or longer than its header says
 */
export async function openNpyStream(path: string): Promise<NpyStream | undefined> {
  const found = await withFile(path, async (handle) => {
    const stats = await handle.stat();
    if (!stats.isFile()) return undefined;
    const start = new Uint8Array(Math.min(HEADER_ROOM, stats.size));
    if (!(await readWhole(handle, start, 0))) return undefined;
    return { start, size: stats.size };
  });
  if (found === undefined || found.start.length === 0) return undefined;
  if (NPY_MAGIC.some((byte, i) => found.start[i] !== byte)) return undefined;
  const { descr, fortranOrder, shape, dataOffset } = decodeNpyHeader(found.start, path);
  if ((descr !== '<f4' && descr !== '<f8') || fortranOrder) return undefined;
  const expected = dataOffset + elementCount(shape) * elementBytes(descr);
  if (found.size !== expected) {
    const what = found.size < expected ? 'truncated' : 'too long';
    const contents = `shape ${formatShape(shape)} of ${descr}`;
    throw new DataError(`${path}: ${what}: expected ${expected} bytes for ${contents}, found ${found.size}`);
  }
  return { path, type: descr, shape, dataOffset };
}

/**
 * The elements of a file in order, or `total` of them from the element `first` on, `count` at a time, the last time what is left. A
 * piece is valid until the next one is asked for, since all of them use the same memory.
 *
 * @throws IoError if reading fails; DataError if the file has become shorter
 */
export async function* npyChunks(
  stream: NpyStream,
  count: number,
  first = 0,
  total = elementCount(stream.shape) - first,
): AsyncGenerator<Elements> {
  const { path, type } = stream;
  const room = Math.min(count, total);
  const memory = type === '<f4' ? new Float32Array(room) : new Float64Array(room);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    for (let done = 0; done < total; done += count) {
      const data = memory.subarray(0, Math.min(count, total - done));
      const position = stream.dataOffset + (first + done) * memory.BYTES_PER_ELEMENT;
      if (!(await readWhole(handle, bytesOf(data), position))) {
        throw new DataError(`${path}: truncated while it was read, at element ${first + done}`);
      }
      yield data;
    }
  } catch (error) {
    throw asInputError(error, path);
  } finally {
    await handle?.close();
  }
}

async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    return await use(handle);
  } catch (error) {
    throw asInputError(error, path);
  } finally {
    await handle?.close();
  }
}
