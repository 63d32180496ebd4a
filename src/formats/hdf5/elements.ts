import { DataError } from '../../errors.js';
import type { NpyArray } from '../npy.js';
import { ENUM, FLOAT, type Hdf5Type, INTEGER } from './library.js';

type Elements = NpyArray['data'];

interface TypedArrayConstructor<T> {
  new (buffer: ArrayBufferLike): T;
}

const NUMBERS: Readonly<Record<string, TypedArrayConstructor<ArrayLike<number>>>> = {
  f32: Float32Array,
  f64: Float64Array,
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
};

/** The name of the type of a dataset's elements, such as `f32`, or undefined if they are not real numbers that are read. */
export function elementName({ type, size, signed, vlen }: Hdf5Type): string | undefined {
  if (vlen) return undefined;
  // Truth values of h5py are an enumeration of one byte.
  if (type === ENUM && size === 1) return 'u8';
  const letter = type === FLOAT ? 'f' : type === INTEGER ? (signed ? 'i' : 'u') : undefined;
  const name = `${letter}${8 * size}`;
  return name in NUMBERS || name === 'i64' || name === 'u64' ? name : undefined;
}

/**
 * Elements from bytes as the library gives them: in the order of this machine. f32 stays f32, all else becomes f64.
 * @throws DataError for an integer that f64 cannot hold
 */
export function decodeElements(bytes: Uint8Array, type: Hdf5Type, source: string): Elements {
  const name = elementName(type)!;
  if (name === 'i64' || name === 'u64') {
    const integers = name === 'i64' ? new BigInt64Array(bytes.buffer) : new BigUint64Array(bytes.buffer);
    return Float64Array.from(integers as Iterable<bigint>, (integer: bigint) => {
      const value = Number(integer);
      if (BigInt(value) !== integer) throw new DataError(`${source}: ${integer}, which f64 cannot hold exactly`);
      return value;
    });
  }
  const numbers = new NUMBERS[name](bytes.buffer);
  if (numbers instanceof Float32Array || numbers instanceof Float64Array) return numbers;
  return Float64Array.from(numbers);
}
