import { createHash, type Hash } from 'node:crypto';
import type { NpyArray } from './npy.js';
import { encodeNpyHeader } from './npy-header.js';
import { elementCount } from './shape.js';
import { asInputError, asOutputError } from './system-errors.js';

export type Elements = NpyArray['data'];

/** What is used of a `FileHandle`, spelled out so that the package's types can do without those of Node.js. */
interface RandomAccess {
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
}

const ELEMENT_BYTES = { '<f4': 4, '<f8': 8 } as const;

/** The element types that are streamed. */
export type StreamedType = keyof typeof ELEMENT_BYTES;

export function elementBytes(type: StreamedType): number {
  return ELEMENT_BYTES[type];
}

/** How the elements of an array are stored, if not as they are. */
export interface Storage {
  /** Stored elements over elements. */
  readonly ratio: number;
  readonly encode: (data: Elements) => Elements;
  /** @returns undefined for what `encode` never gives */
  readonly decode: (stored: Elements) => Elements | undefined;
}

const PLAIN: Storage = { ratio: 1, encode: (data) => data, decode: (stored) => stored };

/**
 * An array of known shape that is written in pieces, in order, to its place in a file. A file that was left unfinished can be
 * gone on with: `peek` shows what stands at the present place, `accept` keeps it.
 */
export class ElementWriter {
  readonly #hash: Hash;
  readonly #count: number;
  #done = 0;

  /**
   * @param handle open for reading and writing; closed by whoever opened it
   * @param start position of the first element in the file
   */
  constructor(
    readonly path: string,
    private readonly handle: RandomAccess,
    private readonly type: StreamedType,
    shape: readonly number[],
    private readonly start: number,
    private readonly storage: Storage = PLAIN,
  ) {
    this.#hash = createHash('sha256').update(encodeNpyHeader(type, shape));
    this.#count = elementCount(shape);
  }

  /** The present place, in bytes from the beginning of the file. */
  get position(): number {
    return this.start + this.#done * ELEMENT_BYTES[this.type] * this.storage.ratio;
  }

  /** The next `count` elements that an earlier run has left in the file, or undefined if it ends before. */
  async peek(count: number): Promise<Elements | undefined> {
    const room = count * this.storage.ratio;
    const data = this.type === '<f4' ? new Float32Array(room) : new Float64Array(room);
    try {
      if (!(await readWhole(this.handle, bytesOf(data), this.position))) return undefined;
    } catch (error) {
      throw asInputError(error, this.path);
    }
    return this.storage.decode(data);
  }

  /** Goes on beyond elements that `peek` has shown. */
  accept(data: Elements): void {
    this.#hash.update(bytesOf(data));
    this.#done += data.length;
  }

  /** @throws IoError if writing fails, for example because the disk is full */
  async append(data: Elements): Promise<void> {
    try {
      const written = writeWhole(this.handle, bytesOf(this.storage.encode(data)), this.position);
      // The hash is taken while another thread writes.
      this.accept(data);
      await written;
    } catch (error) {
      throw asOutputError(error, this.path);
    }
  }

  /** SHA-256 of the array as a `.npy` file, wherever it stands. To be called once, after the last element. */
  digest(): string {
    if (this.#done !== this.#count) {
      throw new Error(`${this.path}: ${this.#done} elements written, expected ${this.#count}`);
    }
    return this.#hash.digest('hex');
  }
}

export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** One call may write less than it was given. */
export async function writeWhole(handle: RandomAccess, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** @returns whether there were enough bytes */
export async function readWhole(handle: RandomAccess, bytes: Uint8Array, position: number): Promise<boolean> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

/** Whether a file begins with these bytes. */
export async function beginsWith(handle: RandomAccess, bytes: Uint8Array): Promise<boolean> {
  const found = new Uint8Array(bytes.length);
  return (await readWhole(handle, found, 0)) && Buffer.compare(found, bytes) === 0;
}
