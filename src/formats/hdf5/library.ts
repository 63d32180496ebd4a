import { UnavailableError } from '../../errors.js';

/** Array types of HDF5 that are read (H5T_class_t). */
export const INTEGER = 0;
export const FLOAT = 1;
export const STRING = 3;
export const ENUM = 8;

/** What h5wasm says of a dataset or attribute. */
export interface Hdf5Type {
  readonly type: number;
  /** Bytes of an element. */
  readonly size: number;
  readonly signed: boolean;
  readonly vlen: boolean;
  /** Null for a dataset without a dataspace. */
  readonly shape: readonly number[] | null;
  readonly chunks: readonly number[] | null;
}

/** The part of the HDF5 library, compiled to WebAssembly, that is used here. Failures are negative numbers. */
export interface Hdf5Module {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  readonly FS: { write: (stream: { fd: number }, heap: Uint8Array, at: number, length: number, to?: number) => number };
  readonly H5F_ACC_RDONLY: number;
  readonly H5F_ACC_EXCL: number;
  readonly H5G_GROUP: number;
  readonly H5G_DATASET: number;
  readonly H5G_LINK: number;
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint;
  close_file(file: bigint): number;
  create_group(file: bigint, path: string, trackOrder: boolean): number;
  create_dataset(file: bigint, path: string, pointer: bigint, description: object): number;
  create_attribute(file: bigint, path: string, name: string, pointer: bigint, description: object): number;
  create_hard_link(file: bigint, target: string, path: string): number;
  get_type(file: bigint, path: string): number;
  get_names(file: bigint, path: string, recursive: boolean): string[];
  get_dataset_metadata(file: bigint, path: string): Hdf5Type;
  get_dataset_data(
    file: bigint,
    path: string,
    count: readonly bigint[],
    offset: readonly bigint[],
    strides: readonly bigint[],
    pointer: bigint,
  ): number;
  set_dataset_data: Hdf5Module['get_dataset_data'];
}

/** The library with the words of its last failure, which it would otherwise print. */
export interface Hdf5Library {
  readonly module: Hdf5Module;
  /**
   * Runs calls of the library.
   * @returns what they return, and what the library said meanwhile, in one line, or nothing
   */
  listen<T>(calls: () => T): { readonly value: T; readonly complaint: string | undefined };
}

/** Put together, so that bundlers leave an optional package where it is, or is not. */
const PACKAGE = ['h5wasm', 'node'].join('/');

let loaded: Promise<Hdf5Library> | undefined;

/**
 * Loads h5wasm, which is an optional package, once.
 *
 * @param load how it is imported; another only to see what happens without one
 * @throws UnavailableError if it is absent
 */
export function loadHdf5(load?: () => Promise<unknown>): Promise<Hdf5Library> {
  if (load !== undefined) return begin(load);
  loaded ??= begin(() => import(/* @vite-ignore */ PACKAGE));
  return loaded;
}

async function begin(load: () => Promise<unknown>): Promise<Hdf5Library> {
  let module: Hdf5Module;
  try {
    module = await ((await load()) as { ready: Promise<Hdf5Module> }).ready;
  } catch (cause) {
    throw new UnavailableError('HDF5: the optional package h5wasm is not installed; run npm install h5wasm', { cause });
  }
  const { FS } = module;
  const write = FS.write.bind(FS);
  let heard: string[] | undefined;
  FS.write = (stream, heap, at, length, to) => {
    if (stream.fd !== STANDARD_ERROR || heard === undefined) return write(stream, heap, at, length, to);
    heard.push(Buffer.from(heap.subarray(at, at + length)).toString());
    return length;
  };
  return {
    module,
    listen(calls) {
      heard = [];
      try {
        const value = calls();
        return { value, complaint: lastReason(heard.join('')) };
      } finally {
        heard = undefined;
      }
    },
  };
}

const STANDARD_ERROR = 2;

/** The innermost of the calls that failed says what it was: `#007: …/H5FDsec2.c line 288 in H5FD__sec2_open(): <reason>`. */
function lastReason(stack: string): string | undefined {
  return [...stack.matchAll(/^ *#\d+: .*? in \w+\(\): (.*)$/gm)].at(-1)?.[1];
}
