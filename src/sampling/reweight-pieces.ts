import { DataError, UsageError } from '../errors.js';
import { withoutThird } from '../formats/plane.js';
import { WEIGHT_BLOCK_SIZE } from '../reweighting/index.js';
import type { System } from '../systems/index.js';
import type { Piece } from './reweight-tasks.js';
import { type ArraySource, rowLength, type SampleRange, type VectorSource } from './vectors.js';

/** Bytes of a piece: some pieces are in memory for each worker. */
const PIECE_BYTES = 1 << 23;
const MOST_BLOCKS = 16;

/** Samples of a flow, or of any density that is known: in files of any size, or in memory. */
export interface ReweightingSamples {
  /** U(x), [n], in units of energy (never U/kT); may be absent if a system is given. */
  readonly energy?: VectorSource;
  /** Normalised log q(x), [n], nats. */
  readonly logQ: VectorSource;
  /** Configurations [n, N, D] or, if a system is given, [n, N·D]. */
  readonly x?: ArraySource;
  /** Further numbers of each sample, [n], by name. */
  readonly arrays?: Readonly<Record<string, VectorSource>>;
}

/** Samples in order, cut into pieces of whole blocks of weights. */
export interface OpenedSamples {
  readonly n: number;
  /** Samples of every piece but the last. */
  readonly pieceLength: number;
  /** In memory of their own, so that they may wait for a worker; of a range alone, if one is named. */
  pieces(range?: SampleRange): AsyncGenerator<Piece>;
}

/**
 * Puts the arrays of a sample set side by side.
 *
 * @param needs the system whose energies are to be evaluated, and whether positions are needed for anything else
 * @throws DataError if lengths or shapes do not fit, or there are no samples
 */
export function openPieces(
  { energy, logQ, x, arrays = {} }: ReweightingSamples,
  { source, system, positions }: { source: string; system?: System; positions: boolean },
): OpenedSamples {
  const { n } = logQ;
  if (system === undefined && energy === undefined) {
    throw new UsageError(`${source}: neither energies nor a system to evaluate, expected one of them`);
  }
  if (system === undefined && energy!.n !== n) {
    throw new DataError(`${source}: ${energy!.n} energies and ${n} log-densities, expected as many of each`);
  }
  for (const [name, vector] of Object.entries(arrays)) {
    if (vector.n !== n)
      throw new DataError(`${name}: ${vector.n} values, expected ${n}, one per log-density of ${source}`);
  }
  if (n === 0) throw new DataError(`${source}: no entries, expected at least one sample`);
  const needed = positions || system !== undefined;
  if (needed && x === undefined)
    throw new DataError(`${source}: no x [n, N, D], expected one for energies or coordinates`);
  const shape = needed ? shapeOf(x!.shape, n, source, system) : undefined;
  // A plane may be stored in space, as programs do that know nothing else.
  const plane = system?.dimensions === 2 && needed && rowLength(x!) === 3 * system.particles;
  const width = shape === undefined ? 0 : rowLength(x!);
  const bytes = 8 * (2 + Object.keys(arrays).length + width);
  const blocks = Math.min(MOST_BLOCKS, Math.max(1, Math.floor(PIECE_BYTES / bytes / WEIGHT_BLOCK_SIZE)));
  const pieceLength = blocks * WEIGHT_BLOCK_SIZE;

  async function* pieces(range?: SampleRange): AsyncGenerator<Piece> {
    const names = Object.keys(arrays);
    const iterators = [
      ...(system === undefined ? [energy!.chunks(pieceLength, range)] : []),
      ...names.map((name) => arrays[name].chunks(pieceLength, range)),
      ...(shape === undefined ? [] : [x!.chunks(pieceLength, range)]),
    ].map((chunks: AsyncIterable<Float32Array | Float64Array>) => chunks[Symbol.asyncIterator]());
    let first = range?.first ?? 0;
    try {
      for await (const q of logQ.chunks(pieceLength, range)) {
        const rest = await Promise.all(iterators.map(async (iterator) => (await iterator.next()).value.slice()));
        const ownEnergy = system === undefined ? { energy: rest.shift() } : {};
        const ownArrays = Object.fromEntries(names.map((name) => [name, rest.shift()]));
        const positions = rest.shift();
        const flat = plane ? withoutThird(positions, system.particles, source, first) : positions;
        yield {
          logQ: q.slice(),
          ...ownEnergy,
          arrays: ownArrays,
          ...(shape === undefined ? {} : { x: flat, shape }),
        };
        first += q.length;
      }
      // Asked once more, a source compares its checksum.
      await Promise.all(iterators.map((iterator) => iterator.next()));
    } finally {
      await Promise.all(iterators.map((iterator) => iterator.return?.()));
    }
  }
  return { n, pieceLength, pieces };
}

function shapeOf(shape: readonly number[], n: number, source: string, system: System | undefined) {
  const size = shape.slice(1).reduce((product, extent) => product * extent, 1);
  if (shape[0] !== n) {
    throw new DataError(`${source}: x has ${shape[0]} configurations, expected ${n}, one per log-density`);
  }
  if (system === undefined) {
    const [, particles, dimensions] = shape;
    if (shape.length === 3) return { particles, dimensions };
    throw new DataError(`${source}: x has shape [${shape}], expected [n, N, D]`);
  }
  const { particles, dimensions, name } = system;
  const inSpace = dimensions === 2 && shape.length === 3 && shape[1] === particles && shape[2] === 3;
  if (inSpace || size === particles * dimensions) return { particles, dimensions };
  throw new DataError(`${source}: x has shape [${shape}], expected [n, ${particles}, ${dimensions}] for ${name}`);
}
