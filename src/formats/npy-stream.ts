import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DataError } from '../errors.js';
import type { NpyArray } from './npy.js';
import { decodeNpyHeader, encodeNpyHeader, NPY_MAGIC } from './npy-header.js';
import { elementCount, formatShape } from './shape.js';
import { asInputError, asOutputError } from './system-errors.js';

type Elements = NpyArray['data'];

const ELEMENT_BYTES = { '<f4': 4, '<f8': 8 } as const;

/** The element types that are streamed. */
export type StreamedType = keyof typeof ELEMENT_BYTES;

/** More than any header may have (`decodeNpyHeader`). */
const HEADER_ROOM = 16_384;

/** Bytes that a pass over a whole file takes at a time: small beside a cache, large beside the cost of a call. */
const PASS_BYTES = 1 << 19;

/**
 * A `.npy` file of known shape that is written in pieces, in order. The header for the whole array comes first, so that the
 * finished file has the bytes that `encodeNpy` gives. A file that was left unfinished can be gone on with: `peek` shows
 * what stands at the present place, `accept` keeps it.
 */
export class NpyStreamWriter {
  readonly #hash: Hash;
  #position: number;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly type: StreamedType,
    header: Uint8Array,
    /** Bytes of the finished file. */
    readonly size: number,
  ) {
    this.#hash = createHash('sha256').update(header);
    this.#position = header.length;
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
      const size = header.length + elementCount(shape) * ELEMENT_BYTES[type];
      return new NpyStreamWriter(path, handle, type, header, size);
    } catch (error) {
      await handle?.close();
      throw asOutputError(error, path);
    }
  }

  /** The next `count` elements that an earlier run has left in the file, or undefined if it ends before. */
  async peek(count: number): Promise<Elements | undefined> {
    const data = this.type === '<f4' ? new Float32Array(count) : new Float64Array(count);
    try {
      return (await readWhole(this.handle, bytesOf(data), this.#position)) ? data : undefined;
    } catch (error) {
      throw asInputError(error, this.path);
    }
  }

  /** Goes on beyond elements that `peek` has shown. */
  accept(data: Elements): void {
    this.#hash.update(bytesOf(data));
    this.#position += data.byteLength;
  }

  /** @throws IoError if writing fails, for example because the disk is full */
  async append(data: Elements): Promise<void> {
    const bytes = bytesOf(data);
    try {
      const written = writeWhole(this.handle, bytes, this.#position);
      // The hash is taken while another thread writes.
      this.#hash.update(bytes);
      this.#position += bytes.length;
      await written;
    } catch (error) {
      throw asOutputError(error, this.path);
    }
  }

  /** Removes what stands behind the present place. */
  async truncate(): Promise<void> {
    try {
      await this.handle.truncate(this.#position);
    } catch (error) {
      throw asOutputError(error, this.path);
    }
  }

  /** Returns when the device has what was written. */
  async sync(): Promise<void> {
    try {
      await this.handle.sync();
    } catch (error) {
      throw asOutputError(error, this.path);
    }
  }

  /** SHA-256 of the finished file. To be called once, after the last element. */
  digest(): string {
    if (this.#position !== this.size) {
      throw new Error(`${this.path}: ${this.#position} bytes written, expected ${this.size}`);
    }
    return this.#hash.digest('hex');
  }

  close(): Promise<void> {
    return this.handle.close();
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
  const expected = dataOffset + elementCount(shape) * ELEMENT_BYTES[descr];
  if (found.size !== expected) {
    const what = found.size < expected ? 'truncated' : 'too long';
    const contents = `shape ${formatShape(shape)} of ${descr}`;
    throw new DataError(`${path}: ${what}: expected ${expected} bytes for ${contents}, found ${found.size}`);
  }
  return { path, type: descr, shape, dataOffset };
}

/**
 * The elements of a file in order, `count` at a time, the last time what is left. A piece is valid until the next one is
 * asked for, since all of them use the same memory.
 *
 * @throws IoError if reading fails; DataError if the file has become shorter
 */
export async function* npyChunks(stream: NpyStream, count: number): AsyncGenerator<Elements> {
  const { path, type, shape } = stream;
  const total = elementCount(shape);
  const room = Math.min(count, total);
  const memory = type === '<f4' ? new Float32Array(room) : new Float64Array(room);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    for (let done = 0; done < total; done += count) {
      const data = memory.subarray(0, Math.min(count, total - done));
      const position = stream.dataOffset + done * memory.BYTES_PER_ELEMENT;
      if (!(await readWhole(handle, bytesOf(data), position))) {
        throw new DataError(`${path}: truncated while it was read, at element ${done}`);
      }
      yield data;
    }
  } catch (error) {
    throw asInputError(error, path);
  } finally {
    await handle?.close();
  }
}

/** SHA-256 of the array as `encodeNpy` would write it, whatever header stands in the file. */
export async function npySha256(stream: NpyStream): Promise<string> {
  const hash = createHash('sha256').update(encodeNpyHeader(stream.type, stream.shape));
  for await (const data of npyChunks(stream, PASS_BYTES / ELEMENT_BYTES[stream.type])) hash.update(bytesOf(data));
  return hash.digest('hex');
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

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** One call may write less than it was given. */
async function writeWhole(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** @returns whether there were enough bytes */
async function readWhole(handle: FileHandle, bytes: Uint8Array, position: number): Promise<boolean> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}
