import { constants } from 'node:buffer';
import { open, stat } from 'node:fs/promises';
import { DataError } from '../../errors.js';
import type { NpyArray } from '../npy.js';
import { formatShape } from '../shape.js';
import { asInputError } from '../system-errors.js';
import { brief } from '../text.js';
import { parseAddress } from './address.js';
import { decodeElements, elementName } from './elements.js';
import { type Hdf5Library, type Hdf5Type, loadHdf5, STRING } from './library.js';

type Elements = NpyArray['data'];

const SIGNATURE = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a);

/** The signature may stand behind a user block of 0, 512, 1024, 2048 … bytes; nobody has longer ones. */
const USER_BLOCKS = [0, 512, 1024, 2048, 4096];

/** Bytes that are asked of the library at a time, and more only where its chunks are larger. */
const READ_BYTES = 1 << 22;

/** The library has at most 2 GiB. */
const MOST_BYTES = 2 ** 31 - 2 ** 16;

/** A dataset of real numbers that is read in pieces. */
export interface Hdf5Dataset {
  readonly file: string;
  readonly path: string;
  readonly shape: readonly number[];
  /** f32 stays f32; all else becomes f64. */
  readonly single: boolean;
  /**
   * The elements in order along the first axis, or `n` rows of it from the row `first` on, `rows` at a time, the last time what is
   * left.
   */
  chunks(rows: number, first?: number, n?: number): AsyncGenerator<Elements>;
}

/** An HDF5 file that is open for reading. */
export interface Hdf5File {
  readonly path: string;
  /** Paths of all datasets. */
  readonly datasets: readonly string[];
  /** @throws DataError if there is no such dataset, or it does not hold real numbers */
  dataset(path: string): Hdf5Dataset;
  /** A text, or undefined if there is none of fixed length at this path. */
  text(path: string): string | undefined;
  close(): void;
}

/** Whether a file begins as HDF5 files do. @throws InputError, IoError as `readInput` */
export async function isHdf5File(path: string): Promise<boolean> {
  try {
    // A pipe can be opened only once, and not by us.
    if (!(await stat(path)).isFile()) return false;
    const handle = await open(path, 'r');
    try {
      const found = new Uint8Array(SIGNATURE.length);
      for (const start of USER_BLOCKS) {
        const { bytesRead } = await handle.read(found, 0, found.length, start);
        if (bytesRead === found.length && SIGNATURE.every((byte, i) => found[i] === byte)) return true;
      }
      return false;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw asInputError(error, path);
  }
}

/** Whether an array is to be read as HDF5: the file is, or a dataset is named. @throws as `isHdf5File` */
export async function isHdf5Address(text: string): Promise<boolean> {
  const { file, dataset } = parseAddress(text);
  return (await isHdf5File(file)) || dataset !== undefined;
}

/**
 * Opens an HDF5 file.
 *
 * @throws UnavailableError without h5wasm; InputError, IoError as `readInput`; DataError if it is none, or damaged
 */
export async function openHdf5(path: string): Promise<Hdf5File> {
  if (!(await isHdf5File(path))) throw new DataError(`${path}: not an HDF5 file`);
  const library = await loadHdf5();
  const { module } = library;
  const id = call(library, path, () => module.open(path, module.H5F_ACC_RDONLY, false, -1, -1), isNegative);
  const names = call(library, path, () => module.get_names(id, '/', true));
  const datasets = call(library, path, () => names.filter((name) => module.get_type(id, name) === module.H5G_DATASET));
  const all = datasets.map((name) => (name.startsWith('/') ? name : `/${name}`)).sort();
  const file: Hdf5File = {
    path,
    datasets: all,
    dataset: (name) => openDataset(library, id, path, all, name),
    text: (name) => (all.includes(name) ? readText(library, id, path, name) : undefined),
    close: () => {
      module.close_file(id);
    },
  };
  return file;
}

/** @throws DataError with the library's reason if calls fail: by a negative status, or in the middle of a damaged file */
function call<T>({ listen }: Hdf5Library, what: string, calls: () => T, failed?: (value: T) => boolean): T {
  let outcome: { readonly value: T; readonly complaint: string | undefined };
  try {
    outcome = listen(calls);
  } catch (cause) {
    throw new DataError(`${what}: damaged HDF5 file: ${(cause as Error).message}`, { cause });
  }
  const { value, complaint } = outcome;
  if (failed === undefined ? complaint !== undefined : failed(value)) {
    throw new DataError(`${what}: not readable as HDF5: ${complaint ?? 'the library gives no reason'}`);
  }
  return value;
}

const isNegative = (status: number | bigint) => status < 0;

function openDataset(
  library: Hdf5Library,
  id: bigint,
  file: string,
  all: readonly string[],
  path: string,
): Hdf5Dataset {
  const { module } = library;
  const source = `${file}:${path}`;
  // The listing has each dataset once; it may have other names, and links to it.
  const kind = library.listen(() => module.get_type(id, path)).value;
  if (kind !== module.H5G_DATASET && kind !== module.H5G_LINK) {
    throw new DataError(`${file}: no dataset ${brief(path)}, found ${listing(all)}`);
  }
  const type = call(library, source, () => module.get_dataset_metadata(id, path));
  const name = elementName(type);
  if (name === undefined || type.shape === null) {
    const found = type.shape === null ? 'no values' : 'values of another kind';
    throw new DataError(`${source}: ${found}, expected f32, f64 or integers`);
  }
  const shape = [...type.shape];
  return {
    file,
    path,
    shape,
    single: name === 'f32',
    chunks: (rows, first = 0, n = (shape[0] ?? 1) - first) =>
      pieces(library, id, source, path, type, { rows, first, n }),
  };
}

/** Reads slabs of whole chunks and cuts them as they are wanted: each call of the library unpacks the chunks anew. */
async function* pieces(
  library: Hdf5Library,
  id: bigint,
  source: string,
  path: string,
  type: Hdf5Type,
  { rows, first, n }: { rows: number; first: number; n: number },
): AsyncGenerator<Elements> {
  const rest = type.shape!.slice(1);
  const width = rest.reduce((product, extent) => product * extent, 1);
  const chunk = Math.max(1, type.chunks?.[0] ?? 1);
  const wanted = Math.max(1, Math.floor(READ_BYTES / Math.max(1, width * type.size)));
  const slab = Math.ceil(wanted / chunk) * chunk;
  const convert = (start: number, count: number) =>
    decodeElements(readSlab(library, id, source, path, type, start, count), type, `${source}, row ${start}`);
  let held: Elements | undefined;
  const end = first + n;
  for (let start = first; start < end; ) {
    const next = Math.min(end, (Math.floor(start / slab) + 1) * slab);
    let data = convert(start, next - start);
    start = next;
    if (held !== undefined) data = joined(held, data);
    let at = 0;
    while (data.length - at * width >= rows * width && at * width < data.length) {
      yield data.slice(at * width, (at + rows) * width);
      at += rows;
    }
    held = data.slice(at * width);
  }
  if (held !== undefined && held.length > 0) yield held;
}

function joined(first: Elements, second: Elements): Elements {
  const both = first instanceof Float32Array ? new Float32Array(first.length + second.length) : undefined;
  const data = both ?? new Float64Array(first.length + second.length);
  data.set(first);
  data.set(second, first.length);
  return data;
}

function readSlab(
  library: Hdf5Library,
  id: bigint,
  source: string,
  path: string,
  { size, shape }: Hdf5Type,
  start: number,
  count: number,
): Uint8Array {
  const { module } = library;
  const [, ...rest] = shape!;
  const counts = shape!.length === 0 ? [] : [count, ...rest].map(BigInt);
  const bytes = size * rest.reduce((product, extent) => product * extent, count);
  // A larger number would wrap around in the library, whose addresses have 32 bits.
  const pointer = bytes <= MOST_BYTES ? module._malloc(bytes) : 0;
  if (pointer === 0) {
    throw new DataError(`${source}: chunks of ${bytes} bytes do not fit the memory of the HDF5 library`);
  }
  try {
    const offsets = counts.map((_, axis) => (axis === 0 ? BigInt(start) : 0n));
    const strides = counts.map(() => 1n);
    call(
      library,
      source,
      () => module.get_dataset_data(id, path, counts, offsets, strides, BigInt(pointer)),
      isNegative,
    );
    return module.HEAPU8.slice(pointer, pointer + bytes);
  } finally {
    module._free(pointer);
  }
}

function readText(library: Hdf5Library, id: bigint, file: string, path: string): string | undefined {
  const source = `${file}:${path}`;
  const type = call(library, source, () => library.module.get_dataset_metadata(id, path));
  if (type.type !== STRING || type.vlen || type.shape === null || type.shape.length > 0) return undefined;
  const bytes = readSlab(library, id, source, path, type, 0, 1);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The names of datasets as messages show them. */
export function listing(paths: readonly string[]): string {
  if (paths.length === 0) return 'none';
  const shown = paths.slice(0, 8).join(' ');
  return paths.length > 8 ? `${shown} and ${paths.length - 8} more` : shown;
}

/** Reads a dataset as a whole. @throws as `openHdf5` and `Hdf5File.dataset` */
export async function readHdf5Array(dataset: Hdf5Dataset): Promise<NpyArray> {
  const shape = [...dataset.shape];
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (count * 8 > constants.MAX_LENGTH) {
    throw new DataError(`${dataset.file}: ${dataset.path} has shape ${formatShape(shape)}, more than fits memory`);
  }
  const data = dataset.single ? new Float32Array(count) : new Float64Array(count);
  const width = shape.slice(1).reduce((product, extent) => product * extent, 1);
  let done = 0;
  for await (const piece of dataset.chunks(Math.max(1, Math.floor(READ_BYTES / 8 / Math.max(1, width))))) {
    data.set(piece, done);
    done += piece.length;
  }
  if (done !== count) throw new Error(`${dataset.file}: ${done} elements for shape ${formatShape(shape)}`);
  return { shape, data };
}
