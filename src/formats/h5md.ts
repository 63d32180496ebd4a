import { DataError } from '../errors.js';
import { bytesOf } from './element-writer.js';
import {
  type Address,
  type Hdf5Dataset,
  type Hdf5File,
  type Hdf5Structure,
  listing,
  openHdf5,
  parseAddress,
  type ReservedArray,
} from './hdf5/index.js';

/* H5MD 1.1 (de Buyl, Colberg, Höfling 2014, Comput. Phys. Commun. 185, 1546): where arrays stand in an HDF5 file. */

/** Group of the particles that we write. */
const PARTICLES = 'all';

/** Path of the positions [n, N, 3]. */
export const POSITIONS = `/particles/${PARTICLES}/position/value`;

/** Bytes of the index of a sample. */
export const STEP_BYTES = 8;

/** Path of the indices of the samples [n]. */
export const STEPS = `/particles/${PARTICLES}/position/step`;

/** Path of the manifest, a text. */
export const H5MD_MANIFEST = '/parameters/manifest';

/** Path of the values [n] of an observable. */
export function observable(name: string): string {
  return `/observables/${name}/value`;
}

export interface H5mdContent {
  /** Positions, [n, N, 3]. */
  readonly frames: ReservedArray;
  /** Names of observables [n], f64. */
  readonly observables: readonly string[];
  /** Species of each particle, [N]. */
  readonly species: readonly number[];
  readonly manifestBytes: number;
  /** Version of this program. */
  readonly version: string;
}

/**
 * H5MD of independent configurations in free space. The step is the index of the sample, and so is the time, which samples do
 * not have but MDAnalysis asks for. Steps are shared by all elements, as the standard allows.
 */
export function h5mdStructure({ frames, observables, species, manifestBytes, version }: H5mdContent): Hdf5Structure {
  const particles = `/particles/${PARTICLES}`;
  const [n, , dimension] = frames.shape;
  return {
    groups: [
      '/h5md',
      '/h5md/author',
      '/h5md/creator',
      '/particles',
      particles,
      `${particles}/box`,
      `${particles}/position`,
      '/observables',
      ...observables.map((name) => `/observables/${name}`),
      '/parameters',
    ],
    attributes: [
      ['/h5md', 'version', Int32Array.of(1, 1)],
      ['/h5md/author', 'name', 'equiflow'],
      ['/h5md/creator', 'name', 'equiflow'],
      ['/h5md/creator', 'version', version],
      [`${particles}/box`, 'dimension', dimension],
      [`${particles}/box`, 'boundary', Array(dimension).fill('none')],
    ],
    datasets: { [`${particles}/species`]: Int32Array.from(species) },
    arrays: {
      [POSITIONS]: frames,
      ...Object.fromEntries(observables.map((name) => [observable(name), { type: '<f8', shape: [n] }])),
      [STEPS]: { type: '<i8', shape: [n] },
    },
    texts: { [H5MD_MANIFEST]: manifestBytes },
    links: [
      [STEPS, `${particles}/position/time`],
      ...observables.map((name): [string, string] => [STEPS, `/observables/${name}/step`]),
    ],
  };
}

/** Consecutive integers as `<i8`, by halves: BigInt would take longer than the rest of the writing. */
export function encodeSteps(first: number, count: number): Uint8Array {
  const halves = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    halves[2 * i] = (first + i) >>> 0;
    halves[2 * i + 1] = Math.floor((first + i) / 2 ** 32);
  }
  return bytesOf(halves);
}

/** A dataset whose file stays open until `close`. */
export interface OpenHdf5Array {
  readonly dataset: Hdf5Dataset;
  close(): void;
}

/**
 * Opens the dataset that `file.h5:/path` names; without a path the array `name`: `/name`, the observable or, for `x`, the
 * positions of H5MD, or else the only dataset there is.
 *
 * @throws DataError as `openHdf5` and `Hdf5File.dataset`, or if it is not clear which dataset is meant
 */
export async function openHdf5Array(address: string | Address, name: string): Promise<OpenHdf5Array> {
  const { file: path, dataset } = typeof address === 'string' ? parseAddress(address) : address;
  const file = await openHdf5(path);
  try {
    return { dataset: file.dataset(dataset ?? findDataset(file, name)), close: file.close };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether `findDataset` finds something. */
export function hasDataset(file: Hdf5File, name: string): boolean {
  try {
    return findDataset(file, name) !== '';
  } catch {
    return false;
  }
}

/** @throws DataError unless exactly one dataset comes into question, naming those there are */
export function findDataset({ path, datasets }: Hdf5File, name: string): string {
  const exact = datasets.find((candidate) => candidate === `/${name}`);
  if (exact !== undefined) return exact;
  const pattern = name === 'x' ? /^\/particles\/[^/]+\/position\/value$/ : undefined;
  const standard = datasets.filter((candidate) =>
    pattern ? pattern.test(candidate) : candidate.startsWith('/observables/') && candidate.endsWith(`/${name}/value`),
  );
  const found = standard.length > 0 || datasets.length > 1 ? standard : datasets;
  if (found.length === 1) return found[0];
  const what = found.length === 0 ? `no array '${name}'` : `several arrays '${name}'`;
  throw new DataError(
    `${path}: ${what}, found ${listing(found.length === 0 ? datasets : found)}: name the dataset, as in ${path}:/path`,
  );
}
