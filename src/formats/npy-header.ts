import { DataError } from '../errors.js';
import { elementCount, MAXIMUM_RANK } from './shape.js';

/** What precedes the elements of a `.npy` file (NEP 1). */
export interface NpyHeader {
  /** Type of the elements, such as `<f8`. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: number[];
  /** Position of the first element in the file, in bytes. */
  readonly dataOffset: number;
}

export const NPY_MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** Magic, two version bytes and the two-byte length of version 1. */
const PREFIX_BYTES = 10;

/** Elements start at a multiple of this, so that files can be memory-mapped by SIMD code. */
const ALIGNMENT = 64;

/** NumPy ≥ 1.23 leaves room for the first extent to grow to 21 digits in place; done here to write the same bytes. */
const GROWING_EXTENT_DIGITS = 21;

/** NumPy refuses longer headers as well (`max_header_size`); those of plain numeric arrays never come near. */
const MAXIMUM_HEADER_BYTES = 10_000;

const KEYS = ['descr', 'fortran_order', 'shape'] as const;

type HeaderValue = string | boolean | number[];

/** @returns the header bytes that `numpy.save` writes (version 1.0, C order) for a dtype such as `<f8`. */
export function encodeNpyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const room = shape.length === 0 ? 0 : GROWING_EXTENT_DIGITS - String(shape[0]).length;
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }${' '.repeat(room)}`;
  const unpadded = PREFIX_BYTES + literal.length + 1;
  const total = unpadded + ALIGNMENT - (unpadded % ALIGNMENT);
  const bytes = new Uint8Array(total).fill(0x20);
  bytes.set(NPY_MAGIC);
  bytes[6] = 1;
  bytes[7] = 0;
  new DataView(bytes.buffer).setUint16(8, total - PREFIX_BYTES, true);
  for (let i = 0; i < literal.length; i++) bytes[PREFIX_BYTES + i] = literal.charCodeAt(i);
  bytes[total - 1] = 0x0a;
  return bytes;
}

/**
 * Reads the header of versions 1, 2 and 3.
 *
 * @param source name of the file, for messages
 * @throws DataError if it is not a `.npy` header, is cut short, or is not the dictionary that NEP 1 prescribes
 */
export function decodeNpyHeader(bytes: Uint8Array, source: string): NpyHeader {
  if (bytes.length < PREFIX_BYTES) {
    throw new DataError(`${source}: expected a .npy header of at least ${PREFIX_BYTES} bytes, found ${bytes.length}`);
  }
  if (NPY_MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new DataError(`${source}: not a .npy file: expected it to begin with the bytes \\x93NUMPY`);
  }
  const version = bytes[6];
  if (version < 1 || version > 3 || bytes[7] !== 0) {
    throw new DataError(`${source}: .npy version ${version}.${bytes[7]}, expected 1.0, 2.0 or 3.0`);
  }
  const start = version === 1 ? PREFIX_BYTES : PREFIX_BYTES + 2;
  if (bytes.length < start) {
    throw new DataError(`${source}: expected a .npy header of at least ${start} bytes, found ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAXIMUM_HEADER_BYTES) {
    throw new DataError(`${source}: .npy header of ${length} bytes, expected at most ${MAXIMUM_HEADER_BYTES}`);
  }
  const dataOffset = start + length;
  if (bytes.length < dataOffset) {
    throw new DataError(`${source}: expected a .npy header of ${dataOffset} bytes, found ${bytes.length}`);
  }
  // Bytes to characters one to one: whatever is not ASCII can only stand in a dtype that is refused later.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1');
  return { ...interpret(parseDictionary(text, source), source), dataOffset };
}

function interpret(values: ReadonlyMap<string, HeaderValue>, source: string): Omit<NpyHeader, 'dataOffset'> {
  const [descr, fortranOrder, shape] = KEYS.map((key) => values.get(key));
  if (typeof descr !== 'string') throw new DataError(`${source}: 'descr' in the .npy header is not a string`);
  if (typeof fortranOrder !== 'boolean') {
    throw new DataError(`${source}: 'fortran_order' in the .npy header is not True or False`);
  }
  if (!Array.isArray(shape)) throw new DataError(`${source}: 'shape' in the .npy header is not a tuple of integers`);
  if (shape.length > MAXIMUM_RANK) {
    throw new DataError(`${source}: array of ${shape.length} axes, expected at most ${MAXIMUM_RANK}`);
  }
  if (Number.isNaN(elementCount(shape))) {
    throw new DataError(`${source}: shape (${shape.join(', ')}) has more elements than can be counted`);
  }
  return { descr, fortranOrder, shape };
}

/**
 * Parses the Python dictionary literal in the header: exactly the three keys, each a string, a truth value or a tuple
 * of integers. One pass from left to right, so time is linear in the length whatever the text holds.
 */
function parseDictionary(text: string, source: string): Map<string, HeaderValue> {
  let at = 0;
  const malformed = (expected: string): DataError =>
    new DataError(`${source}: malformed .npy header at character ${at}: expected ${expected}`);
  const skipSpace = (): void => {
    while (at < text.length && ' \t\r\n'.includes(text[at])) at++;
  };
  const accept = (token: string): boolean => {
    skipSpace();
    if (!text.startsWith(token, at)) return false;
    at += token.length;
    return true;
  };
  const expect = (token: string): void => {
    if (!accept(token)) throw malformed(`'${token}'`);
  };
  const parseString = (): string => {
    skipSpace();
    const quote = text[at];
    if (quote !== "'" && quote !== '"') throw malformed('a quoted string');
    const end = text.indexOf(quote, at + 1);
    const content = end < 0 ? '\\' : text.slice(at + 1, end);
    if (content.includes('\\')) throw malformed('a quoted string without escapes');
    at = end + 1;
    return content;
  };
  const parseInteger = (): number => {
    skipSpace();
    const start = at;
    while (at < text.length && text[at] >= '0' && text[at] <= '9') at++;
    const value = Number(text.slice(start, at));
    if (at === start || !Number.isSafeInteger(value)) throw malformed('a non-negative integer below 2^53');
    return value;
  };
  const parseTuple = (): number[] => {
    const items: number[] = [];
    while (!accept(')')) {
      items.push(parseInteger());
      if (accept(',')) continue;
      // In Python "(3)" is a number; only a comma makes it a tuple.
      if (items.length === 1) throw malformed("','");
      expect(')');
      break;
    }
    return items;
  };
  const parseValue = (): HeaderValue => {
    if (accept('True')) return true;
    if (accept('False')) return false;
    if (accept('(')) return parseTuple();
    if (accept('[')) throw new DataError(`${source}: structured dtype, expected a plain one such as <f8`);
    return parseString();
  };

  const values = new Map<string, HeaderValue>();
  expect('{');
  while (!accept('}')) {
    const key = parseString();
    if (!KEYS.some((known) => known === key) || values.has(key)) {
      throw malformed(`each of the keys ${KEYS.join(', ')} once and no other`);
    }
    expect(':');
    values.set(key, parseValue());
    if (accept(',')) continue;
    expect('}');
    break;
  }
  skipSpace();
  if (at < text.length) throw malformed('the end of the header');
  const missing = KEYS.find((key) => !values.has(key));
  if (missing !== undefined) throw new DataError(`${source}: '${missing}' is missing in the .npy header`);
  return values;
}
