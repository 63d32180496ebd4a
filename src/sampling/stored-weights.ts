import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import { findDataset, H5MD_MANIFEST, hasDataset } from '../formats/h5md.js';
import { isHdf5File, listing, openHdf5 } from '../formats/hdf5/index.js';
import { decodeNpz, readArray, readInput } from '../formats/index.js';
import { encodeNpyHeader } from '../formats/npy-header.js';
import { openNpyStream } from '../formats/npy-stream.js';
import { isZip } from '../formats/zip.js';
import type { Progress } from '../progress.js';
import { logWeights } from '../reweighting/index.js';
import { MANIFEST, type ManifestContent, parseManifest } from './sample-manifest.js';
import type { ArrayName } from './set-arrays.js';
import {
  type ArraySource,
  arrayInHdf5,
  arrayInMemory,
  arrayInNpy,
  arrayInPlane,
  asVector,
  collect,
  rowLength,
  type VectorSource,
} from './vectors.js';

/** What a folder of shards has, whose samples are a set once they are merged. */
const PLAN = 'plan.json';

/** Log-densities, energies and log-weights of n samples, read from a file: what a reweighting needs. */
export interface SampleWeights {
  readonly n: number;
  readonly kT: number;
  readonly logQ: Float64Array;
  readonly energy: Float64Array;
  readonly logWeight: Float64Array;
}

/** Log-densities, energies and configurations of a sample set, to be gone through without being in memory: what `reweight` takes. */
export interface StoredWeights {
  readonly kT: number;
  readonly logQ: VectorSource;
  readonly energy: VectorSource;
  /** Shape [n, N, D], where the file has them. */
  readonly x?: ArraySource;
}

/** Samples as they are stored: configurations, energies and, from a flow, log-densities. */
export interface StoredSamples {
  /** What the manifest says; nothing where another program wrote the file. */
  readonly manifest: ManifestContent;
  /**
   * An array by its name, undefined if there is none. Going through all of it compares it with the checksum in the manifest.
   */
  array(name: ArrayName): Promise<ArraySource | undefined>;
  /** Whether there is such an array. */
  has(name: string): boolean;
  /** The arrays that there are, for messages. */
  readonly names: readonly string[];
}

/**
 * Opens samples: a `.npz`, a folder, or HDF5, ours or H5MD with observables `logQ` and `energy`.
 * @throws InputError if there is no such file; DataError if it is none of these or its manifest is bad
 */
export async function openSamples(path: string): Promise<StoredSamples> {
  const { array, has, names, manifest: text } = await openContent(path);
  const manifest = parseManifest(text, `${path}: ${MANIFEST}`);
  return {
    manifest,
    has,
    names,
    async array(name) {
      const stored = await array(name);
      const inSpace = stored?.shape.length === 3 && stored.shape[2] === 3;
      const isPlane = name === 'x' && inSpace && manifest.arrays?.x?.shape?.[2] === 2;
      const found = isPlane ? arrayInPlane(stored, path) : stored;
      const expected = manifest.arrays?.[name]?.sha256;
      return found === undefined || expected === undefined
        ? found
        : checked(found, expected, manifest.arrays?.[name]?.dtype === 'f32', `${path}: '${name}'`);
    },
  };
}

/**
 * Opens log-densities and energies of samples, `openSamples` for what a reweighting needs at least.
 * @throws as `openSamples`; DataError naming the array that is missing or of the wrong shape, or, once it has been gone through,
 *   not what the manifest says.
 */
export async function openSampleWeights(path: string): Promise<StoredWeights> {
  const samples = await openSamples(path);
  const logQ = await storedVector(samples, path, 'logQ');
  const x = await samples.array('x');
  const common = { kT: samples.manifest.kT ?? 1, logQ, energy: await storedVector(samples, path, 'energy') };
  return x === undefined ? common : { ...common, x };
}

/** @throws DataError if the array is missing or no vector */
export async function storedVector(
  samples: StoredSamples,
  path: string,
  name: 'logQ' | 'energy',
): Promise<VectorSource> {
  const stored = await samples.array(name);
  if (stored === undefined) {
    const found = `found ${listing(samples.names)}`;
    throw new DataError(`${path}: no array '${name}', expected one in a sample set; ${found}`);
  }
  return asVector(stored, `${path}: '${name}'`);
}

/**
 * Reads log-densities and energies of a sample set as a whole.
 * @throws DataError as `openSampleWeights`, or if a weight is NaN or +Inf
 */
export async function readSampleWeights(path: string): Promise<SampleWeights> {
  const stored = await openSampleWeights(path);
  const [logQ, energy] = [await collect(stored.logQ), await collect(stored.energy)];
  return { n: logQ.length, kT: stored.kT, logQ, energy, logWeight: logWeights(energy, logQ, stored.kT) };
}

/**
 * Goes through arrays of a set and compares them with the checksums in its manifest, where it has any.
 * @throws DataError for an array that is not what was written
 */
export async function checkStoredArrays(
  { array, manifest }: StoredSamples,
  names: readonly ArrayName[],
  onProgress?: Progress,
): Promise<void> {
  for (const name of names) {
    const found = manifest.arrays?.[name]?.sha256 === undefined ? undefined : await array(name);
    if (found === undefined) continue;
    const total = found.shape[0];
    let done = 0;
    for await (const data of found.chunks()) {
      done += data.length / rowLength(found);
      onProgress?.({ stage: `checking ${name}`, done, total });
    }
  }
}

/**
 * The same array, whose checksum as a `.npy` file is taken while it is read, so that large sets are read once. A range alone has no
 * checksum.
 * @throws DataError at the end of a pass, if the checksum is another
 */
function checked(array: ArraySource, expected: string, single: boolean, name: string): ArraySource {
  return {
    shape: array.shape,
    async *chunks(samples, range) {
      if (range !== undefined) {
        yield* array.chunks(samples, range);
        return;
      }
      const hash = createHash('sha256').update(encodeNpyHeader(single ? '<f4' : '<f8', array.shape));
      for await (const data of array.chunks(samples)) {
        hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        yield data;
      }
      const found = hash.digest('hex');
      if (found === expected) return;
      throw new DataError(`${name} is not what was written: its SHA-256 is ${found}, the manifest has ${expected}`);
    },
  };
}

interface Content {
  readonly array: (name: string) => Promise<ArraySource | undefined>;
  readonly has: (name: string) => boolean;
  readonly names: readonly string[];
  readonly manifest: string | undefined;
}

async function openContent(path: string): Promise<Content> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (isFolder) return openFolder(path);
  return (await isHdf5File(path)) ? openHierarchy(path) : openArchive(path);
}

async function openHierarchy(path: string): Promise<Content> {
  const file = await openHdf5(path);
  try {
    const manifest = file.text(H5MD_MANIFEST);
    return {
      manifest,
      // The list of datasets is known when the file is closed again.
      has: (name) => hasDataset(file, name),
      names: file.datasets,
      async array(name) {
        if (!hasDataset(file, name)) return undefined;
        const opened = await openHdf5(path);
        try {
          return arrayInHdf5(opened.dataset(findDataset(opened, name)));
        } catch (error) {
          // Weights can do without positions; whoever needs them says so.
          if (name === 'x' && error instanceof DataError) return undefined;
          throw error;
        } finally {
          opened.close();
        }
      },
    };
  } finally {
    file.close();
  }
}

async function openArchive(path: string): Promise<Content> {
  const bytes = await readInput(path);
  if (!isZip(bytes)) throw new DataError(`${path}: no sample set, expected a .npz, HDF5 or a folder of .npy`);
  const { arrays, texts } = decodeNpz(bytes, path);
  return {
    manifest: texts.get(MANIFEST),
    has: (name) => arrays.has(name),
    names: [...arrays.keys()],
    async array(name) {
      const found = arrays.get(name);
      return found === undefined ? undefined : arrayInMemory(found);
    },
  };
}

async function openFolder(path: string): Promise<Content> {
  const files = await readdir(path);
  if (!files.includes(MANIFEST)) {
    if (files.includes(PLAN)) {
      throw new DataError(`${path}: a run in shards, expected its result: equiflow merge --plan ${path} --out <path>`);
    }
    throw new DataError(`${path}: no ${MANIFEST}: not a sample set, or one that was never finished`);
  }
  return {
    manifest: new TextDecoder().decode(await readInput(join(path, MANIFEST))),
    has: (name) => files.includes(`${name}.npy`),
    names: files.filter((file) => file.endsWith('.npy')).map((file) => file.slice(0, -'.npy'.length)),
    async array(name) {
      const file = join(path, `${name}.npy`);
      if (!files.includes(`${name}.npy`)) return undefined;
      const stream = await openNpyStream(file);
      return stream === undefined ? arrayInMemory(await readArray(file)) : arrayInNpy(stream);
    },
  };
}
