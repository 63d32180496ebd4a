import { DataError } from '../errors.js';
import { decodeNpy, encodeNpy, type NpyArray } from './npy.js';
import { briefName, decodeText } from './text.js';
import { readZip, writeZip } from './zip.js';

/** Content of a `.npz` file: `x.npy` is the array `x`; other members are UTF-8 texts under their full names. */
export interface NpzContent {
  readonly arrays: Map<string, NpyArray>;
  readonly texts: Map<string, string>;
}

const ARRAY_SUFFIX = '.npy';

/**
 * Reads a `.npz` file as NumPy or `encodeNpz` writes it, stored or deflated. Arrays may share memory with `bytes`.
 *
 * @param source name of the file, for messages
 * @throws DataError if the archive or any member is corrupt, or as `decodeNpy`
 */
export function decodeNpz(bytes: Uint8Array, source: string): NpzContent {
  const arrays = new Map<string, NpyArray>();
  const texts = new Map<string, string>();
  for (const { name, read } of readZip(bytes, source)) {
    if (name.endsWith(ARRAY_SUFFIX)) {
      arrays.set(name.slice(0, -ARRAY_SUFFIX.length), decodeNpy(read(), `${source}: ${briefName(name)}`));
    } else if (!name.endsWith('/')) {
      texts.set(name, decodeText(read(), source, briefName(name)));
    }
  }
  return { arrays, texts };
}

/**
 * Reads one array of a `.npz` file and leaves the others packed.
 *
 * @throws DataError if there is no such array, naming those there are, or as `decodeNpz`
 */
export function decodeNpzArray(bytes: Uint8Array, name: string, source: string): NpyArray {
  const entries = readZip(bytes, source);
  const entry = entries.find((candidate) => candidate.name === name + ARRAY_SUFFIX);
  if (entry === undefined) {
    const present = entries.map((candidate) => candidate.name).filter((candidate) => candidate.endsWith(ARRAY_SUFFIX));
    const found = present.map((candidate) => candidate.slice(0, -ARRAY_SUFFIX.length)).join(', ');
    throw new DataError(`${source}: no array '${name}', found ${found === '' ? 'no arrays' : briefName(found)}`);
  }
  return decodeNpy(entry.read(), `${source}: ${entry.name}`);
}

/**
 * Writes arrays as `<name>.npy` and texts under their own names. The order of the maps does not matter: equal content
 * gives equal bytes.
 *
 * @throws OutputError above 4 GiB
 */
export function encodeNpz(
  arrays: ReadonlyMap<string, NpyArray>,
  texts: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const members = new Map<string, Uint8Array>();
  for (const [name, array] of arrays) members.set(name + ARRAY_SUFFIX, encodeNpy(array));
  for (const [name, text] of texts) {
    if (name === '' || name.endsWith(ARRAY_SUFFIX) || name.endsWith('/')) {
      throw new Error(`'${name}' cannot name a text in a .npz file`);
    }
    members.set(name, new TextEncoder().encode(text));
  }
  return writeZip(members);
}
