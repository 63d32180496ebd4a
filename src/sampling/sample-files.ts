import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import {
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  type NpyArray,
  readInput,
  sha256,
  writeOutput,
  writeOutputFolder,
} from '../formats/index.js';
import { CONVENTIONS, manifestJson } from '../manifest.js';
import { logWeights } from '../reweighting/index.js';
import type { SampleSet } from './sample.js';

const MANIFEST = 'manifest.json';
const KIND = 'equiflow samples';

/** Where a sample set comes from; goes into its manifest. */
export interface SampleProvenance {
  /** Specification of the target, as in the model file. */
  readonly system: unknown;
  readonly convention: string;
  /** SHA-256 of the model file. */
  readonly model: string;
  readonly seed: number;
  readonly first: number;
  readonly precision: string;
}

/** Log-densities, energies and log-weights of n samples, read from a file: what a reweighting needs. */
export interface SampleWeights {
  readonly n: number;
  readonly kT: number;
  readonly logQ: Float64Array;
  readonly energy: Float64Array;
  readonly logWeight: Float64Array;
}

/**
 * Writes a sample set: one `.npz` where the path ends so, else a folder of `.npy`. Equal samples give equal bytes.
 * An existing folder is replaced only if it is a sample set.
 */
export async function writeSampleSet(path: string, set: SampleSet, provenance: SampleProvenance): Promise<void> {
  const { n, particles, dimensions, kT } = set;
  const arrays = new Map<string, NpyArray>([
    ['x', { shape: [n, particles, dimensions], data: set.x }],
    ['logQ', { shape: [n], data: set.logQ }],
    ['energy', { shape: [n], data: set.energy }],
    ['logWeight', { shape: [n], data: set.logWeight }],
  ]);
  const manifest = manifestJson(KIND, { ...provenance, kT, n, conventions: CONVENTIONS }, arrays);
  if (path.endsWith('.npz')) {
    await writeOutput(path, encodeNpz(arrays, new Map([[MANIFEST, manifest]])));
    return;
  }
  await writeOutputFolder(
    path,
    async (folder) => {
      for (const [name, array] of arrays) await writeOutput(join(folder, `${name}.npy`), encodeNpy(array));
      await writeOutput(join(folder, MANIFEST), new TextEncoder().encode(manifest));
    },
    { replaces: isSampleFolder },
  );
}

/** Whether a folder holds a sample set of ours, which a new one may replace. */
export async function isSampleFolder(path: string): Promise<boolean> {
  try {
    return JSON.parse(await readFile(join(path, MANIFEST), 'utf8')).kind === KIND;
  } catch {
    return false;
  }
}

/**
 * Reads log-densities and energies of a sample set, `.npz` or folder, and checks them against its manifest.
 * @throws DataError naming the array that is missing, of the wrong shape, or not what the manifest says.
 */
export async function readSampleWeights(path: string): Promise<SampleWeights> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  const { arrays, manifest } = isFolder ? await readFolder(path) : await readArchive(path);
  const description = parseManifest(manifest, `${path}: ${MANIFEST}`);
  const take = (name: 'logQ' | 'energy') => {
    const array = arrays.get(name);
    if (array === undefined) throw new DataError(`${path}: no array '${name}', expected one in a sample set`);
    if (array.shape.length !== 1) throw new DataError(`${path}: '${name}' has shape [${array.shape}], expected [n]`);
    const expected = description.arrays?.[name]?.sha256;
    const found = sha256(encodeNpy(array));
    if (expected !== undefined && expected !== found) {
      throw new DataError(
        `${path}: '${name}' is not what was written: its SHA-256 is ${found}, the manifest has ${expected}`,
      );
    }
    return Float64Array.from(array.data);
  };
  const [logQ, energy] = [take('logQ'), take('energy')];
  const kT = description.kT ?? 1;
  return { n: logQ.length, kT, logQ, energy, logWeight: logWeights(energy, logQ, kT) };
}

interface Content {
  readonly arrays: ReadonlyMap<string, NpyArray>;
  readonly manifest: string | undefined;
}

async function readArchive(path: string): Promise<Content> {
  const { arrays, texts } = decodeNpz(await readInput(path), path);
  return { arrays, manifest: texts.get(MANIFEST) };
}

async function readFolder(path: string): Promise<Content> {
  const files = await readdir(path);
  const arrays = new Map<string, NpyArray>();
  for (const name of ['logQ', 'energy']) {
    const file = join(path, `${name}.npy`);
    if (files.includes(`${name}.npy`)) arrays.set(name, decodeNpy(await readInput(file), file));
  }
  const text = files.includes(MANIFEST) ? new TextDecoder().decode(await readInput(join(path, MANIFEST))) : undefined;
  if (text === undefined)
    throw new DataError(`${path}: no ${MANIFEST}: not a sample set, or one that was never finished`);
  return { arrays, manifest: text };
}

interface ManifestContent {
  readonly kT?: number;
  readonly arrays?: Readonly<Record<string, { sha256?: string } | undefined>>;
}

function parseManifest(text: string | undefined, source: string): ManifestContent {
  if (text === undefined) return {};
  let value: ManifestContent;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DataError(`${source}: not valid JSON`);
  }
  if (typeof value !== 'object' || value === null) throw new DataError(`${source}: expected an object`);
  if (value.kT !== undefined && !(typeof value.kT === 'number' && value.kT > 0)) {
    throw new DataError(`${source}: kT is ${JSON.stringify(value.kT)}, expected a positive number`);
  }
  return value;
}
