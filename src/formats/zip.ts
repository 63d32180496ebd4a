import { constants } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { inflateSync, type Zippable, zipSync } from 'fflate';
import { DataError, OutputError } from '../errors.js';
import { brief, briefName, decodeText } from './text.js';

/** A member of a zip archive as the central directory describes it; `read` gives its checked content. */
export interface ZipEntry {
  readonly name: string;
  /** @throws DataError if the content does not unpack to the size and checksum that the archive declares */
  readonly read: () => Uint8Array;
}

/** The first bytes of an archive with members, and of one without. */
const LOCAL_HEADER = 0x04034b50;
const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;

/** Sizes of the fixed parts (APPNOTE 4.3.7, 4.3.12, 4.3.16). */
const LOCAL_HEADER_BYTES = 30;
const DIRECTORY_ENTRY_BYTES = 46;
const END_OF_DIRECTORY_BYTES = 22;

const MAXIMUM_COMMENT_BYTES = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/** DEFLATE spends at least two bits on every 258 bytes; a greater ratio is a lie meant to exhaust memory. */
const MAXIMUM_DEFLATE_RATIO = 1032;

/** Offsets in a zip archive without its 64-bit extension have 32 bits. */
const MAXIMUM_ARCHIVE_BYTES = 0xffffffff;

export function isZip(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const signature = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return signature === LOCAL_HEADER || signature === END_OF_DIRECTORY;
}

/**
 * The members of a zip archive, in its own order. The directory is read here and not by fflate because fflate neither
 * compares checksums nor bounds the sizes that an archive declares.
 *
 * @throws DataError for anything but a whole, plain archive: cut short, followed by other bytes, encrypted, of several
 *   volumes, of the 64-bit kind, or with two members of one name
 */
export function readZip(bytes: Uint8Array, source: string): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const corrupt = (reason: string): DataError => new DataError(`${source}: corrupt zip archive: ${reason}`);
  const end = findEnd(view);
  if (end < 0) throw corrupt(`no end-of-directory record in its ${bytes.length} bytes`);
  const count = view.getUint16(end + 10, true);
  const directoryBytes = view.getUint32(end + 12, true);
  const directory = view.getUint32(end + 16, true);
  if (count === 0xffff || directoryBytes === 0xffffffff || directory === 0xffffffff) {
    throw new DataError(`${source}: zip archive above 4 GiB, expected a smaller one or .npy files`);
  }
  if (view.getUint32(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count) {
    throw corrupt('it has several volumes, expected one');
  }
  if (directory + directoryBytes !== end) {
    throw corrupt(`its directory ends at byte ${directory + directoryBytes}, expected ${end}`);
  }
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let packed = 0;
  let at = directory;
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY_ENTRY_BYTES > end || view.getUint32(at, true) !== DIRECTORY_ENTRY) {
      throw corrupt(`no directory entry at byte ${at}`);
    }
    const nameStart = at + DIRECTORY_ENTRY_BYTES;
    const nameEnd = nameStart + view.getUint16(at + 28, true);
    const next = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw corrupt(`the directory entry at byte ${at} is cut short`);
    const name = decodeText(bytes.subarray(nameStart, nameEnd), source, `the name of member ${i}`);
    if (names.has(name)) throw corrupt(`two members are named ${brief(name)}`);
    names.add(name);
    // Members that share their bytes would let a small archive unpack without bound.
    packed += view.getUint32(at + 20, true);
    if (packed > directory) throw corrupt(`its members claim ${packed} bytes of the ${directory} before its directory`);
    const entryAt = at;
    entries.push({ name, read: () => readMember(bytes, view, entryAt, directory, `${source}: ${briefName(name)}`) });
    at = next;
  }
  if (at !== end) throw corrupt(`its directory has ${end - at} bytes beyond its ${count} entries`);
  return entries;
}

/** Position of the record that ends the archive with its comment exactly at the last byte, or −1. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END_OF_DIRECTORY_BYTES;
  for (let at = last; at >= Math.max(0, last - MAXIMUM_COMMENT_BYTES); at--) {
    if (view.getUint32(at, true) === END_OF_DIRECTORY && view.getUint16(at + 20, true) === last - at) return at;
  }
  return -1;
}

function readMember(bytes: Uint8Array, view: DataView, entry: number, directory: number, source: string): Uint8Array {
  const flags = view.getUint16(entry + 8, true);
  const method = view.getUint16(entry + 10, true);
  const checksum = view.getUint32(entry + 16, true);
  const packedSize = view.getUint32(entry + 20, true);
  const size = view.getUint32(entry + 24, true);
  const local = view.getUint32(entry + 42, true);
  if ((flags & 1) !== 0) throw new DataError(`${source}: encrypted, expected a plain zip member`);
  if (method !== STORED && method !== DEFLATED) {
    throw new DataError(
      `${source}: compression method ${method}, expected ${STORED} (stored) or ${DEFLATED} (deflated)`,
    );
  }
  if (local + LOCAL_HEADER_BYTES > directory || view.getUint32(local, true) !== LOCAL_HEADER) {
    throw new DataError(`${source}: no zip member at byte ${local}`);
  }
  const start = local + LOCAL_HEADER_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + packedSize > directory) {
    throw new DataError(`${source}: truncated: expected ${packedSize} packed bytes, found ${directory - start}`);
  }
  const ratio = method === STORED ? 1 : MAXIMUM_DEFLATE_RATIO;
  if (size > packedSize * ratio || size > constants.MAX_LENGTH) {
    throw new DataError(`${source}: declares ${size} bytes, more than ${packedSize} packed bytes can hold`);
  }
  const packed = bytes.subarray(start, start + packedSize);
  const content = method === STORED ? packed : inflate(packed, size, source);
  if (content.length !== size) {
    throw new DataError(`${source}: expected ${size} bytes, found ${content.length}`);
  }
  if (crc32(content) !== checksum) throw new DataError(`${source}: its checksum does not match its content`);
  return content;
}

function inflate(packed: Uint8Array, size: number, source: string): Uint8Array {
  try {
    return inflateSync(packed, { out: new Uint8Array(size) });
  } catch (cause) {
    throw new DataError(`${source}: cannot be unpacked (${(cause as Error).message})`, { cause });
  }
}

/**
 * Packs members by name, sorted and dated 1980-01-01, so that equal content gives equal bytes. They are stored, not
 * deflated: the mantissas of samples are noise, which costs time and saves nothing.
 *
 * @throws OutputError above 4 GiB, the end of the zip format without extensions
 */
export function writeZip(members: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const names = [...members.keys()].sort();
  let total = END_OF_DIRECTORY_BYTES;
  for (const name of names) {
    const nameBytes = Buffer.byteLength(name);
    total += LOCAL_HEADER_BYTES + DIRECTORY_ENTRY_BYTES + 2 * nameBytes + members.get(name)!.length;
  }
  if (total > Math.min(MAXIMUM_ARCHIVE_BYTES, constants.MAX_LENGTH)) {
    throw new OutputError(`arrays of ${total} bytes do not fit a .npz file (4 GiB): write a folder of .npy files`);
  }
  const zippable: Zippable = {};
  // fflate writes local time; given in local time, the date is the same in every time zone.
  const mtime = new Date(1980, 0, 1);
  for (const name of names) zippable[name] = [members.get(name)!, { level: 0, mtime }];
  return zipSync(zippable);
}
