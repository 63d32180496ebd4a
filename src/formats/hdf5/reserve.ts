import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { UnavailableError } from '../../errors.js';
import { elementCount } from '../shape.js';
import { FLOAT, type Hdf5Library, INTEGER, loadHdf5, STRING } from './library.js';

/** An array whose values come later. */
export interface ReservedArray {
  readonly type: '<f4' | '<f8' | '<i8';
  readonly shape: readonly number[];
}

/** Values of an attribute or a small dataset. */
export type Hdf5Value = number | string | readonly string[] | Int32Array;

/** What an HDF5 file is to contain. Paths are absolute; a group comes before what stands in it. */
export interface Hdf5Structure {
  readonly groups: readonly string[];
  readonly attributes: readonly (readonly [path: string, name: string, value: Hdf5Value])[];
  readonly datasets: Readonly<Record<string, Hdf5Value>>;
  readonly arrays: Readonly<Record<string, ReservedArray>>;
  /** Texts that come later, with their bytes. */
  readonly texts: Readonly<Record<string, number>>;
  /** Other names of datasets. */
  readonly links: readonly (readonly [target: string, path: string])[];
}

/** An HDF5 file in which everything has its place: what is known stands in `parts`, the rest is written at its offset. */
export interface ReservedFile {
  /** All bytes that belong to no array that is still to come. */
  readonly parts: readonly { readonly at: number; readonly bytes: Uint8Array }[];
  readonly offsets: ReadonlyMap<string, number>;
  /** Bytes of the whole file. */
  readonly size: number;
}

/** Where the library puts what describes the arrays; much more than that takes. */
const HEAD_ROOM = 1 << 20;

/** The part of an object header that says where an array stands: version 3, contiguous; then address and size, 8 bytes each. */
const CONTIGUOUS = [3, 1];

/**
 * Lays out an HDF5 file of arrays of known shape, each in one piece, and finds where it has room for them. The library writes
 * all that makes the file HDF5 before the first number comes; numbers then go straight to their place. So nothing that is
 * done later, and no kill, can damage more than numbers.
 *
 * @param scratch name of a file that is made for this and removed; sparse, as long as the result
 * @throws UnavailableError without h5wasm, or with one that lays out files in another way
 */
export async function reserveHdf5(scratch: string, structure: Hdf5Structure): Promise<ReservedFile> {
  const library = await loadHdf5();
  const rooms: Room[] = [
    ...Object.entries(structure.arrays).map(([path, { type, shape }]) => {
      const size = type === '<f4' ? 4 : 8;
      return room(path, { type: type === '<i8' ? INTEGER : FLOAT, size }, shape);
    }),
    ...Object.entries(structure.texts).map(([path, bytes]) => room(path, { type: STRING, size: bytes }, [])),
  ];
  await rm(scratch, { force: true });
  try {
    build(library, scratch, structure, rooms);
    return await survey(scratch, rooms);
  } finally {
    await rm(scratch, { force: true });
  }
}

interface ElementType {
  readonly type: number;
  readonly size: number;
}

/** An array to be, and a mark that stands in place of its first element. */
interface Room {
  readonly path: string;
  readonly element: ElementType;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly mark: Uint8Array;
}

function room(path: string, element: ElementType, shape: readonly number[]): Room {
  const bytes = elementCount(shape) * element.size;
  return { path, element, shape, bytes, mark: randomBytes(element.size) };
}

function build({ module, listen }: Hdf5Library, path: string, structure: Hdf5Structure, rooms: readonly Room[]): void {
  const done = <T extends number | bigint>(what: string, calls: () => T): T => {
    const { value, complaint } = listen(calls);
    if (value < 0) throw new UnavailableError(`HDF5: h5wasm fails at ${what}: ${complaint ?? 'it gives no reason'}`);
    return value;
  };
  const withBytes = (bytes: Uint8Array, use: (pointer: bigint) => number): number => {
    const pointer = module._malloc(Math.max(1, bytes.length));
    module.HEAPU8.set(bytes, pointer);
    try {
      return use(BigInt(pointer));
    } finally {
      module._free(pointer);
    }
  };
  const id = done(path, () => module.open(path, module.H5F_ACC_EXCL, false, -1, -1));
  try {
    for (const group of structure.groups) done(group, () => module.create_group(id, group, false));
    for (const [owner, name, value] of structure.attributes) {
      const { bytes, element, shape } = encodeValue(value);
      done(`${owner} ${name}`, () =>
        withBytes(bytes, (pointer) => module.create_attribute(id, owner, name, pointer, description(element, shape))),
      );
    }
    for (const [name, value] of Object.entries(structure.datasets)) {
      const { bytes, element, shape } = encodeValue(value);
      done(name, () =>
        withBytes(bytes, (pointer) => module.create_dataset(id, name, pointer, description(element, shape))),
      );
    }
    // Without data: that the library then complains is all that happens.
    for (const { path: name, element, shape } of rooms) {
      done(name, () => module.create_dataset(id, name, 0n, description(element, shape)));
    }
    for (const [target, link] of structure.links) done(link, () => module.create_hard_link(id, target, link));
    // The first element written makes the library choose a place for all of them, behind everything else.
    for (const { path: name, shape, mark } of rooms) {
      const [ones, zeros] = [shape.map(() => 1n), shape.map(() => 0n)];
      done(name, () => withBytes(mark, (pointer) => module.set_dataset_data(id, name, ones, zeros, ones, pointer)));
    }
  } finally {
    done(path, () => module.close_file(id));
  }
}

function encodeValue(value: Hdf5Value): { bytes: Uint8Array; element: ElementType; shape: number[] } {
  if (typeof value === 'number' || value instanceof Int32Array) {
    const integers = typeof value === 'number' ? Int32Array.of(value) : value;
    const bytes = new Uint8Array(integers.buffer, integers.byteOffset, integers.byteLength);
    return { bytes, element: { type: INTEGER, size: 4 }, shape: typeof value === 'number' ? [] : [value.length] };
  }
  const texts = (typeof value === 'string' ? [value] : value).map((text) => Buffer.from(text));
  const size = Math.max(1, ...texts.map((text) => text.length));
  const bytes = Buffer.alloc(size * texts.length, ' ');
  for (const [i, text] of texts.entries()) text.copy(bytes, i * size);
  return { bytes, element: { type: STRING, size }, shape: typeof value === 'string' ? [] : [texts.length] };
}

/** What h5wasm takes for a dataset that is neither extensible nor packed. */
function description({ type, size }: ElementType, shape: readonly number[]): object {
  const extents = shape.map(BigInt);
  return {
    type,
    size,
    signed: true,
    vlen: false,
    littleEndian: true,
    cset: 1,
    total_size: elementCount(shape),
    shape: extents,
    maxshape: extents,
    chunks: null,
    compression: 0,
    compression_opts: [],
    track_order: false,
  };
}

/** Finds each room by what the headers say and by its mark. */
async function survey(path: string, rooms: readonly Room[]): Promise<ReservedFile> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const head = new Uint8Array(Math.min(size, HEAD_ROOM));
    await handle.read(head, 0, head.length, 0);
    const offsets = new Map<string, number>();
    for (const { path: name, bytes, mark } of rooms) {
      for (const address of addresses(head, bytes)) {
        if (address + bytes <= size && (await standsAt(handle, address, mark))) offsets.set(name, address);
      }
    }
    const placed = rooms.map(({ path: name, bytes }) => ({ at: offsets.get(name) ?? Number.NaN, bytes }));
    return { parts: await partsBetween(handle, size, placed), offsets, size };
  } finally {
    await handle.close();
  }
}

/** What stands in a file before, between and behind the rooms. */
async function partsBetween(
  handle: FileHandle,
  size: number,
  rooms: readonly { readonly at: number; readonly bytes: number }[],
): Promise<ReservedFile['parts']> {
  const parts: { at: number; bytes: Uint8Array }[] = [];
  let at = 0;
  for (const room of [...rooms].sort((a, b) => a.at - b.at).concat({ at: size, bytes: 0 })) {
    const length = room.at - at;
    // NaN where a room was not found, negative where two overlap.
    if (!(length >= 0 && length <= HEAD_ROOM)) {
      throw new UnavailableError('HDF5: this version of h5wasm lays out files in a way that is not known here');
    }
    if (length > 0) {
      const bytes = new Uint8Array(length);
      await handle.read(bytes, 0, length, at);
      parts.push({ at, bytes });
    }
    at = room.at + room.bytes;
  }
  return parts;
}

function* addresses(head: Uint8Array, bytes: number): Generator<number> {
  const view = new DataView(head.buffer);
  for (let at = 0; at + 18 <= head.length; at++) {
    if (head[at] !== CONTIGUOUS[0] || head[at + 1] !== CONTIGUOUS[1]) continue;
    if (view.getBigUint64(at + 10, true) === BigInt(bytes)) yield Number(view.getBigUint64(at + 2, true));
  }
}

async function standsAt(handle: FileHandle, address: number, mark: Uint8Array): Promise<boolean> {
  const found = new Uint8Array(mark.length);
  await handle.read(found, 0, found.length, address);
  return mark.every((byte, i) => found[i] === byte);
}
