import { DataError } from '../errors.js';
import { isRecord } from './record.js';
import { elementCount, formatShape, MAXIMUM_RANK } from './shape.js';
import { brief, briefName, decodeText } from './text.js';

/** A tensor in C order, always in f64 here. */
export interface Tensor {
  shape: number[];
  data: Float64Array;
}

/** Content of a `.safetensors` file. */
export interface SafetensorsContent {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: Record<string, string>;
}

interface TensorEntry {
  readonly name: string;
  readonly shape: number[];
  readonly dtype: 'F64' | 'F32';
  readonly begin: number;
  readonly end: number;
}

/** The length of the header, u64 little-endian, precedes it. */
const PREFIX_BYTES = 8;

/** The reference implementation's limit (huggingface/safetensors, `MAX_HEADER_SIZE`). */
const MAXIMUM_HEADER_BYTES = 100_000_000;

const METADATA_KEY = '__metadata__';
const ELEMENT_BYTES = { F64: 8, F32: 4 } as const;

/**
 * Reads a `.safetensors` file of F64 and F32 tensors, the latter widened. Values may be NaN or infinite.
 *
 * @param source name of the file, for messages
 * @throws DataError for another dtype, a malformed header, or tensors that do not fill the rest of the file exactly
 */
export function decodeSafetensors(bytes: Uint8Array, source: string): SafetensorsContent {
  const { header, dataStart } = readHeader(bytes, source);
  const dataBytes = bytes.length - dataStart;
  const entries: TensorEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA_KEY) metadata = readMetadata(value, source);
    else entries.push(readEntry(name, value, source));
  }
  requireContiguous(entries, dataBytes, source);
  const tensors = new Map<string, Tensor>();
  for (const { name, shape, dtype, begin, end } of entries) {
    // The header may end at any byte, so elements are copied to where they are aligned.
    const { buffer } = new Uint8Array(bytes.subarray(dataStart + begin, dataStart + end));
    const data = dtype === 'F64' ? new Float64Array(buffer) : new Float64Array(new Float32Array(buffer));
    tensors.set(name, { shape, data });
  }
  return { tensors, metadata };
}

/** A tensor as a header describes it. */
export interface TensorDescription {
  readonly name: string;
  readonly dtype: 'F64' | 'F32';
  readonly shape: readonly number[];
}

/** The beginning of a file up to its data, and where the data of each tensor begin in the file. */
export interface SafetensorsHeader {
  readonly bytes: Uint8Array;
  readonly starts: readonly number[];
  /** Bytes of the whole file. */
  readonly size: number;
}

/**
 * Writes F64 tensors sorted by name behind a header padded to 8 bytes: equal content gives equal bytes, whatever the
 * order of the maps.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const names = [...tensors.keys()].sort();
  const descriptions = names.map((name) => {
    const { shape, data } = tensors.get(name)!;
    if (elementCount(shape) !== data.length) {
      throw new Error(`tensor '${name}' of shape ${formatShape(shape)} with ${data.length} elements`);
    }
    return { name, dtype: 'F64' as const, shape };
  });
  const header = encodeSafetensorsHeader(descriptions, metadata);
  const bytes = new Uint8Array(header.size);
  bytes.set(header.bytes);
  for (const [i, name] of names.entries()) {
    const { data } = tensors.get(name)!;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.starts[i]);
  }
  return bytes;
}

/** The header of tensors in the order given, for files whose data are written piece by piece. Padded so that data are aligned. */
export function encodeSafetensorsHeader(
  tensors: readonly TensorDescription[],
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsHeader {
  const members: string[] = [];
  const metadataKeys = Object.keys(metadata).sort();
  if (metadataKeys.length > 0) {
    const pairs = metadataKeys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    members.push(`"${METADATA_KEY}":{${pairs.join(',')}}`);
  }
  const offsets: number[] = [];
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    if (name === METADATA_KEY) throw new Error(`'${METADATA_KEY}' cannot name a tensor`);
    const end = offset + elementCount(shape) * ELEMENT_BYTES[dtype];
    const entry = `{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${offset},${end}]}`;
    members.push(`${JSON.stringify(name)}:${entry}`);
    offsets.push(offset);
    offset = end;
  }
  // Written member by member: an object would move names that look like integers to the front.
  const header = new TextEncoder().encode(`{${members.join(',')}}`);
  const dataStart = PREFIX_BYTES + Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(dataStart).fill(0x20, PREFIX_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - PREFIX_BYTES), true);
  bytes.set(header, PREFIX_BYTES);
  return { bytes, starts: offsets.map((start) => dataStart + start), size: dataStart + offset };
}

function readHeader(bytes: Uint8Array, source: string): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < PREFIX_BYTES) {
    throw new DataError(`${source}: expected a safetensors file of at least 8 bytes, found ${bytes.length}`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES).getBigUint64(0, true);
  if (length > MAXIMUM_HEADER_BYTES) {
    throw new DataError(
      `${source}: no safetensors file: its first 8 bytes announce a header of ${length} bytes, expected at most ${MAXIMUM_HEADER_BYTES}`,
    );
  }
  const dataStart = PREFIX_BYTES + Number(length);
  if (dataStart > bytes.length) {
    throw new DataError(`${source}: truncated: expected a header of ${dataStart} bytes, found ${bytes.length}`);
  }
  const text = decodeText(bytes.subarray(PREFIX_BYTES, dataStart), source, 'the safetensors header');
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${source}: the safetensors header is not JSON`, { cause });
  }
  if (!isRecord(header)) throw new DataError(`${source}: the safetensors header is not a JSON object`);
  return { header, dataStart };
}

function readMetadata(value: unknown, source: string): Record<string, string> {
  if (!isRecord(value)) throw new DataError(`${source}: ${METADATA_KEY} is not a JSON object`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw new DataError(`${source}: ${METADATA_KEY}.${briefName(key)} is of type ${typeof text}, expected a string`);
    }
  }
  return value as Record<string, string>;
}

function readEntry(name: string, value: unknown, source: string): TensorEntry {
  const tensor = `${source}: tensor ${brief(name)}`;
  if (!isRecord(value)) throw new DataError(`${tensor} is not described by a JSON object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (dtype !== 'F64' && dtype !== 'F32') {
    throw new DataError(`${tensor} has dtype ${brief(dtype)}, expected F64 or F32`);
  }
  const count = Array.isArray(shape) && shape.length <= MAXIMUM_RANK ? elementCount(shape) : Number.NaN;
  if (Number.isNaN(count)) {
    throw new DataError(`${tensor} has shape ${brief(shape)}, expected a list of non-negative integers`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every((at) => Number.isSafeInteger(at) && at >= 0)) {
    throw new DataError(`${tensor} has data_offsets ${brief(offsets)}, expected [begin, end]`);
  }
  const [begin, end] = offsets as [number, number];
  const expected = count * ELEMENT_BYTES[dtype];
  if (end - begin !== expected) {
    throw new DataError(`${tensor} spans ${end - begin} bytes, expected ${expected} for its shape and dtype`);
  }
  return { name, shape: shape as number[], dtype, begin, end };
}

/** Tensors must follow one another without gap or overlap and end with the file, as the format demands. */
function requireContiguous(entries: readonly TensorEntry[], dataBytes: number, source: string): void {
  let position = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      throw new DataError(`${source}: tensor ${brief(name)} begins at byte ${begin} of the data, expected ${position}`);
    }
    position = end;
  }
  if (position !== dataBytes) {
    throw new DataError(`${source}: expected ${position} bytes of tensor data, found ${dataBytes}`);
  }
}
