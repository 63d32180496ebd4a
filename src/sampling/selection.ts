import { DataError, UsageError } from '../errors.js';
import type { Elements } from '../formats/element-writer.js';
import { listing } from '../formats/hdf5/index.js';
import { formatShape } from '../formats/shape.js';
import { gigabytes } from '../formats/space.js';
import { randomWords, STREAM } from '../kernels/index.js';
import type { ManifestContent } from './sample-manifest.js';
import { openSamples, type StoredSamples, storedVector } from './stored-weights.js';
import { type ArraySource, rowLength, type VectorSource } from './vectors.js';

/** Rows of positions that are read at a time. */
const ROWS = 8192;

/** A selection is gathered in memory. */
const MAXIMUM_BYTES = 1.5e9;

const VECTORS: readonly VectorName[] = ['energy', 'logQ', 'logWeight'];
/** The per-sample vectors that a selection takes along. */
export type VectorName = 'energy' | 'logQ' | 'logWeight';

/** Which samples: some of those that are there, or as many as wanted by their weights. */
export type Selection =
  | {
      /** Index of the first one, 0 unless told otherwise. */
      readonly first?: number;
      /** At most so many; all that there are unless told otherwise. */
      readonly count?: number;
      /** Every so many-th. */
      readonly stride?: number;
    }
  | {
      /** So many, drawn in proportion to their weights: equilibrium configurations, as far as the weights can be trusted. */
      readonly resample: number;
      readonly seed: number;
    };

/** Samples that are in memory. */
export interface SelectedSamples {
  readonly n: number;
  readonly particles: number;
  readonly dimensions: number;
  /** The set's name and what its manifest says. */
  readonly source: { readonly path: string; readonly manifest: ManifestContent };
  /** Where each one stands in its set, [n]. */
  readonly index: Float64Array;
  /** [n, N, D]. */
  readonly x: Elements;
  /** [n]; those that the set has. Resampled ones have no densities and no weights any more. */
  readonly vectors: Readonly<Partial<Record<VectorName, Float64Array>>>;
}

/**
 * Reads selected samples of a stored set: in one pass, which compares checksums with the manifest's, and by weights in three more
 * over energies and densities.
 *
 * @throws InputError, IoError, UnavailableError as `openSamples`
 * @throws DataError if the set is damaged, has no positions [n, N, D], or its weights are NaN, +Inf or all zero
 * @throws UsageError if nothing is selected, or more than fits memory
 */
export async function selectSamples(path: string, selection: Selection): Promise<SelectedSamples> {
  const stored = await openSamples(path);
  const positions = await stored.array('x');
  if (positions === undefined) {
    throw new DataError(`${path}: no array 'x', expected one; found ${listing(stored.names)}`);
  }
  const { shape } = positions;
  if (shape.length !== 3) {
    throw new DataError(`${path}: x has shape ${formatShape(shape)}, expected [n, particles, dimensions]`);
  }
  const [total, particles, dimensions] = shape;
  if (total === 0) throw new DataError(`${path}: no samples, expected at least one`);
  const resampled = 'resample' in selection;
  const index = resampled
    ? await drawByWeight(path, stored, selection.resample, selection.seed)
    : everyOther(path, total, selection);
  const bytes = index.length * 8 * (particles * dimensions + 4);
  if (bytes > MAXIMUM_BYTES) {
    const limit = gigabytes(MAXIMUM_BYTES);
    throw new UsageError(
      `${path}: ${index.length} samples are ${gigabytes(bytes)}, expected at most ${limit}: select fewer`,
    );
  }
  const vectors: Partial<Record<VectorName, Float64Array>> = {};
  for (const name of resampled ? (['energy'] as const) : VECTORS) {
    const vector = stored.has(name) ? await stored.array(name) : undefined;
    if (vector === undefined) continue;
    if (vector.shape.length !== 1 || vector.shape[0] !== total) {
      throw new DataError(`${path}: '${name}' has shape ${formatShape(vector.shape)}, expected [${total}] as x has`);
    }
    vectors[name] = Float64Array.from(await gather(vector, index));
  }
  const x = await gather(positions, index);
  const source = { path, manifest: stored.manifest };
  return { n: index.length, particles, dimensions, source, index, x, vectors };
}

function everyOther(path: string, total: number, { first = 0, count = Number.POSITIVE_INFINITY, stride = 1 }) {
  if (first >= total) throw new UsageError(`${path}: first is ${first}, expected below its ${total} samples`);
  const n = Math.min(count, Math.ceil((total - first) / stride));
  return Float64Array.from({ length: n }, (_, i) => first + i * stride);
}

/**
 * Systematic resampling (Kitagawa 1996): of all ways to draw by weight the one with the least scatter, and one that needs
 * the weights in their order only. A sample of weight w comes ⌊m·w⌋ or ⌈m·w⌉ times.
 */
async function drawByWeight(path: string, stored: StoredSamples, count: number, seed: number): Promise<Float64Array> {
  const energy = await storedVector(stored, path, 'energy');
  const logQ = await storedVector(stored, path, 'logQ');
  if (energy.n !== logQ.n) {
    throw new DataError(`${path}: ${energy.n} energies and ${logQ.n} log-densities, expected as many of each`);
  }
  const pass = () => logWeightPieces(energy, logQ, stored.manifest.kT ?? 1);
  let maximum = Number.NEGATIVE_INFINITY;
  let seen = 0;
  const bad = { count: 0, first: -1, value: 0 };
  for await (const logWeight of pass()) {
    for (let i = 0; i < logWeight.length; i++) {
      if (logWeight[i] > maximum) maximum = logWeight[i];
      if (!(logWeight[i] < Number.POSITIVE_INFINITY) && bad.count++ === 0) {
        Object.assign(bad, { first: seen + i, value: logWeight[i] });
      }
    }
    seen += logWeight.length;
  }
  if (bad.count > 0) {
    throw new DataError(
      `${path}: ${bad.count} of ${seen} log-weights are NaN or +Inf, the first is ${bad.value} at index ${bad.first}`,
    );
  }
  if (maximum === Number.NEGATIVE_INFINITY) throw new DataError(`${path}: all ${seen} weights are zero`);
  let sum = 0;
  for await (const logWeight of pass()) for (const l of logWeight) sum += Math.exp(l - maximum);
  const offset = randomWords(seed, STREAM.selection, 1)[0] / 2 ** 32;
  const index = new Float64Array(count);
  let drawn = 0;
  let below = 0;
  let at = 0;
  for await (const logWeight of pass()) {
    for (const l of logWeight) {
      below += Math.exp(l - maximum);
      // The last comparison may fail by rounding alone, hence the bound by the sum itself.
      while (drawn < count && ((drawn + offset) / count) * sum < Math.min(below, sum)) index[drawn++] = at;
      at++;
    }
  }
  if (drawn !== count) throw new Error(`${path}: ${drawn} of ${count} samples drawn`);
  return index;
}

/** Log-weights of all samples in order, in pieces. */
async function* logWeightPieces(energy: VectorSource, logQ: VectorSource, kT: number): AsyncGenerator<Float64Array> {
  const densities = logQ.chunks()[Symbol.asyncIterator]();
  try {
    for await (const u of energy.chunks()) {
      const { value: q } = await densities.next();
      yield u.map((value, i) => -value / kT - q[i]);
    }
    // One step further ends the pass over the densities, too, and compares their checksum.
    await densities.next();
  } finally {
    await densities.return?.();
  }
}

/** The rows of an array at indices in ascending order. */
async function gather(array: ArraySource, index: Float64Array): Promise<Elements> {
  const width = rowLength(array);
  let selected: Elements = new Float64Array(0);
  let next = 0;
  let start = 0;
  // To the end, where the checksum is compared.
  for await (const data of array.chunks(ROWS)) {
    if (start === 0) {
      const room = index.length * width;
      selected = data instanceof Float32Array ? new Float32Array(room) : new Float64Array(room);
    }
    const rows = data.length / width;
    for (; next < index.length && index[next] < start + rows; next++) {
      const at = (index[next] - start) * width;
      selected.set(data.subarray(at, at + width), next * width);
    }
    start += rows;
  }
  return selected;
}
