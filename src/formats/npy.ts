import { DataError } from '../errors.js';
import { decodeNpyHeader, encodeNpyHeader } from './npy-header.js';
import { elementCount, formatShape } from './shape.js';

/** An array in C order: `data` holds the elements, the last axis of `shape` fastest. Rank 0 holds one element. */
export interface NpyArray {
  shape: number[];
  data: Float32Array | Float64Array;
}

interface ElementType {
  readonly bytes: number;
  /** Elements from the bytes of exactly `count` of them. */
  readonly read: (bytes: Uint8Array, count: number, source: string) => Float32Array | Float64Array;
}

interface TypedArrayConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The typed arrays and WebAssembly share one byte order on every platform Node supports here: little-endian. */
const ELEMENT_TYPES: ReadonlyMap<string, ElementType> = new Map([
  ['<f4', { bytes: 4, read: (bytes: Uint8Array, count: number) => view(bytes, count, Float32Array) }],
  ['<f8', { bytes: 8, read: (bytes: Uint8Array, count: number) => view(bytes, count, Float64Array) }],
  ['|b1', { bytes: 1, read: readBooleans }],
  ['|i1', { bytes: 1, read: (bytes: Uint8Array, count: number) => new Float64Array(view(bytes, count, Int8Array)) }],
  ['|u1', { bytes: 1, read: (bytes: Uint8Array, count: number) => new Float64Array(view(bytes, count, Uint8Array)) }],
  ['<i2', { bytes: 2, read: (bytes: Uint8Array, count: number) => new Float64Array(view(bytes, count, Int16Array)) }],
  ['<u2', { bytes: 2, read: (bytes: Uint8Array, count: number) => new Float64Array(view(bytes, count, Uint16Array)) }],
  ['<i4', { bytes: 4, read: (bytes: Uint8Array, count: number) => new Float64Array(view(bytes, count, Int32Array)) }],
  ['<u4', { bytes: 4, read: (bytes: Uint8Array, count: number) => new Float64Array(view(bytes, count, Uint32Array)) }],
  ['<i8', { bytes: 8, read: (...from) => readLongIntegers(BigInt64Array, ...from) }],
  ['<u8', { bytes: 8, read: (...from) => readLongIntegers(BigUint64Array, ...from) }],
] satisfies [string, ElementType][]);

/**
 * Reads a `.npy` file of real numbers in C order. `<f4` and `<f8` keep their type; truth values and integers become
 * f64, where that is exact. The result may share memory with `bytes`.
 *
 * @param source name of the file, for messages
 * @throws DataError for another dtype or order, an integer that f64 cannot hold, or a length other than the header's
 */
export function decodeNpy(bytes: Uint8Array, source: string): NpyArray {
  const { descr, fortranOrder, shape, dataOffset } = decodeNpyHeader(bytes, source);
  const type = ELEMENT_TYPES.get(descr);
  if (type === undefined) {
    const known = [...ELEMENT_TYPES.keys()].join(' ');
    throw new DataError(`${source}: dtype ${JSON.stringify(descr.slice(0, 40))}, expected one of ${known}`);
  }
  if (fortranOrder) {
    throw new DataError(`${source}: fortran_order is True, expected C order (numpy.ascontiguousarray)`);
  }
  const count = elementCount(shape);
  const expected = dataOffset + count * type.bytes;
  if (bytes.length !== expected) {
    const what = bytes.length < expected ? 'truncated' : 'too long';
    const contents = `shape ${formatShape(shape)} of ${descr}`;
    throw new DataError(`${source}: ${what}: expected ${expected} bytes for ${contents}, found ${bytes.length}`);
  }
  return { shape, data: type.read(bytes.subarray(dataOffset), count, source) };
}

/** Writes the bytes that `numpy.save` writes: version 1.0, C order, `<f4` or `<f8` by the type of the data. */
export function encodeNpy(array: NpyArray): Uint8Array {
  const { shape, data } = array;
  if (elementCount(shape) !== data.length) {
    throw new Error(`array of shape ${formatShape(shape)} with ${data.length} elements`);
  }
  const header = encodeNpyHeader(data instanceof Float32Array ? '<f4' : '<f8', shape);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return bytes;
}

/** The same memory as another type if its alignment allows, else a copy of it. */
function view<T>(bytes: Uint8Array, count: number, Type: TypedArrayConstructor<T>): T {
  if (bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0) return new Type(bytes.buffer, bytes.byteOffset, count);
  return new Type(new Uint8Array(bytes).buffer, 0, count);
}

function readBooleans(bytes: Uint8Array, _count: number, source: string): Float64Array {
  const bad = bytes.findIndex((byte) => byte > 1);
  if (bad >= 0) throw new DataError(`${source}: element ${bad} has the byte ${bytes[bad]}, expected 0 or 1 for a bool`);
  return new Float64Array(bytes);
}

function readLongIntegers(
  Type: TypedArrayConstructor<BigInt64Array | BigUint64Array>,
  bytes: Uint8Array,
  count: number,
  source: string,
): Float64Array {
  const integers = view(bytes, count, Type);
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    data[i] = Number(integers[i]);
    if (BigInt(data[i]) !== integers[i]) {
      throw new DataError(`${source}: element ${i} is ${integers[i]}, which f64 cannot hold exactly`);
    }
  }
  return data;
}
