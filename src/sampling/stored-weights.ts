import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import { findDataset, H5MD_MANIFEST } from '../formats/h5md.js';
import { isHdf5File, openHdf5 } from '../formats/hdf5/index.js';
import { decodeNpz, encodeNpy, type NpyArray, readArray, readInput, sha256 } from '../formats/index.js';
import { encodeNpyHeader } from '../formats/npy-header.js';
import { npySha256, openNpyStream } from '../formats/npy-stream.js';
import { logWeights } from '../reweighting/index.js';
import { MANIFEST, parseManifest } from './sample-manifest.js';
import { collect, openVector, type VectorSource, vectorInHdf5, vectorInMemory } from './vectors.js';

/** Log-densities, energies and log-weights of n samples, read from a file: what a reweighting needs. */
export interface SampleWeights {
  readonly n: number;
  readonly kT: number;
  readonly logQ: Float64Array;
  readonly energy: Float64Array;
  readonly logWeight: Float64Array;
}

/** Log-densities and energies of a sample set, checked against its manifest, to be gone through without being in memory. */
export interface StoredWeights {
  readonly kT: number;
  readonly logQ: VectorSource;
  readonly energy: VectorSource;
}

/**
 * Opens log-densities and energies of a sample set: a `.npz`, a folder, or HDF5, ours or H5MD with observables `logQ` and `energy`. Their checksums are compared with the manifest's first.
 * @throws DataError naming the array that is missing, of the wrong shape, or not what the manifest says.
 */
export async function openSampleWeights(path: string): Promise<StoredWeights> {
  const { array, manifest } = await openContent(path);
  const description = parseManifest(manifest, `${path}: ${MANIFEST}`);
  const take = async (name: 'logQ' | 'energy') => {
    const stored = await array(name);
    if (stored === undefined) throw new DataError(`${path}: no array '${name}', expected one in a sample set`);
    if (stored.shape.length !== 1) throw new DataError(`${path}: '${name}' has shape [${stored.shape}], expected [n]`);
    const expected = description.arrays?.[name]?.sha256;
    const found = expected === undefined ? undefined : await stored.sha256();
    if (expected !== found) {
      throw new DataError(
        `${path}: '${name}' is not what was written: its SHA-256 is ${found}, the manifest has ${expected}`,
      );
    }
    return stored.open();
  };
  return { kT: description.kT ?? 1, logQ: await take('logQ'), energy: await take('energy') };
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

interface StoredArray {
  readonly shape: readonly number[];
  readonly sha256: () => string | Promise<string>;
  readonly open: () => VectorSource | Promise<VectorSource>;
}

interface Content {
  readonly array: (name: string) => StoredArray | undefined | Promise<StoredArray | undefined>;
  readonly manifest: string | undefined;
}

function inMemory(array: NpyArray | undefined): StoredArray | undefined {
  if (array === undefined) return undefined;
  return { shape: array.shape, sha256: () => sha256(encodeNpy(array)), open: () => vectorInMemory(array) };
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
    const array = (name: string): StoredArray => {
      const { shape, path: dataset } = file.dataset(findDataset(file, name));
      const vector = vectorInHdf5({ file: path, path: dataset, shape });
      const sha256OfVector = async () => {
        const hash = createHash('sha256').update(encodeNpyHeader('<f8', shape));
        for await (const { buffer, byteOffset, byteLength } of vector.chunks()) {
          hash.update(new Uint8Array(buffer, byteOffset, byteLength));
        }
        return hash.digest('hex');
      };
      return { shape, sha256: sha256OfVector, open: () => vector };
    };
    const arrays = new Map(['logQ', 'energy'].map((name) => [name, array(name)]));
    return { array: (name) => arrays.get(name), manifest: file.text(H5MD_MANIFEST) };
  } finally {
    file.close();
  }
}

async function openArchive(path: string): Promise<Content> {
  const { arrays, texts } = decodeNpz(await readInput(path), path);
  return { array: (name) => inMemory(arrays.get(name)), manifest: texts.get(MANIFEST) };
}

async function openFolder(path: string): Promise<Content> {
  const files = await readdir(path);
  if (!files.includes(MANIFEST)) {
    throw new DataError(`${path}: no ${MANIFEST}: not a sample set, or one that was never finished`);
  }
  const array = async (name: string): Promise<StoredArray | undefined> => {
    const file = join(path, `${name}.npy`);
    if (!files.includes(`${name}.npy`)) return undefined;
    const stream = await openNpyStream(file);
    if (stream === undefined) return inMemory(await readArray(file));
    return { shape: stream.shape, sha256: () => npySha256(stream), open: () => openVector(file, name) };
  };
  return { array, manifest: new TextDecoder().decode(await readInput(join(path, MANIFEST))) };
}
