import { DataError, UsageError } from '../errors.js';
import { type ConfigurationShape, pairDistance, radiusOfGyration } from './coordinates.js';

/** A number of every sample (of every pair, for distances without a pair) along which to histogram, or to average. */
export type Coordinate =
  | { readonly kind: 'energy' | 'log-weight' | 'radius-of-gyration' }
  | { readonly kind: 'pair-distance'; readonly pair?: readonly [number, number] }
  | { readonly kind: 'short-pairs'; readonly cutoff: number }
  | { readonly kind: 'array'; readonly name: string };

/** Consecutive samples with what coordinates are made of. */
export interface CoordinateData {
  readonly n: number;
  /** U(x), [n]. */
  readonly energy: Float64Array;
  /** −U/kT − log q, [n]. */
  readonly logWeight: Float64Array;
  /** Shape [n, N, D]. */
  readonly x?: Float32Array | Float64Array;
  readonly shape?: ConfigurationShape;
  /** Arrays [n] by name. */
  readonly arrays?: Readonly<Record<string, Float64Array>>;
}

const PAIR = /^d(\d+)-(\d+)$/;
const SHORT = /^short@(\d*\.?\d+)$/;

/**
 * Reads a coordinate as it is written on the command line: `energy`, `log-weight`, `rg`, `d` (all pairs), `d0-1` (one pair, from 0),
 * `short@4` (number of pairs closer than 4), or the name of an array.
 *
 * @param arrays names of the arrays there are
 * @throws UsageError for anything else
 */
export function parseCoordinate(text: string, arrays: readonly string[] = []): Coordinate {
  if (arrays.includes(text)) return { kind: 'array', name: text };
  if (text === 'energy' || text === 'log-weight') return { kind: text };
  if (text === 'rg') return { kind: 'radius-of-gyration' };
  if (text === 'd') return { kind: 'pair-distance' };
  const pair = PAIR.exec(text);
  if (pair) return { kind: 'pair-distance', pair: [Number(pair[1]), Number(pair[2])] };
  const short = SHORT.exec(text);
  if (short && Number(short[1]) > 0) return { kind: 'short-pairs', cutoff: Number(short[1]) };
  const known = ['energy', 'log-weight', 'rg', 'd', 'd0-1', 'short@4', ...arrays].join(', ');
  throw new UsageError(`coordinate '${text}', expected one of ${known} (pairs and distance are yours to choose)`);
}

/** Whether a coordinate is made of positions. */
export function needsConfigurations({ kind }: Coordinate): boolean {
  return kind === 'radius-of-gyration' || kind === 'pair-distance' || kind === 'short-pairs';
}

/** Whether a sample has several values, one per pair. */
export function isPerPair(coordinate: Coordinate): boolean {
  return coordinate.kind === 'pair-distance' && coordinate.pair === undefined;
}

/**
 * @returns shape [n], or [n, N(N−1)/2] for the distances of all pairs
 * @throws UsageError for particles that do not exist; DataError if positions or the array are not there
 */
export function coordinateValues(coordinate: Coordinate, data: CoordinateData): Float64Array {
  switch (coordinate.kind) {
    case 'energy':
      return data.energy;
    case 'log-weight':
      return data.logWeight;
    case 'array': {
      const values = data.arrays?.[coordinate.name];
      if (values === undefined) throw new DataError(`coordinate '${coordinate.name}': no such array`);
      return values;
    }
    case 'radius-of-gyration':
      return radiusOfGyration(...positions(data));
    case 'pair-distance':
      return coordinate.pair ? pairDistance(...positions(data), coordinate.pair) : allDistances(...positions(data));
    case 'short-pairs': {
      const [x, shape] = positions(data);
      const distances = allDistances(x, shape);
      const pairs = distances.length / data.n;
      return Float64Array.from({ length: data.n }, (_, s) => {
        let count = 0;
        for (let p = s * pairs; p < (s + 1) * pairs; p++) if (distances[p] < coordinate.cutoff) count++;
        return count;
      });
    }
  }
}

/** One value per sample: of pair distances their mean. */
export function sampleValues(coordinate: Coordinate, data: CoordinateData): Float64Array {
  const values = coordinateValues(coordinate, data);
  const perSample = values.length / data.n;
  if (perSample === 1) return values;
  return Float64Array.from({ length: data.n }, (_, s) => {
    let sum = 0;
    for (let k = s * perSample; k < (s + 1) * perSample; k++) sum += values[k];
    return sum / perSample;
  });
}

function positions({ x, shape }: CoordinateData): [Float32Array | Float64Array, ConfigurationShape] {
  if (x === undefined || shape === undefined) {
    throw new DataError('coordinates of positions: no x [n, N, D], expected one in the sample set');
  }
  return [x, shape];
}

/** Distances of all pairs i < j, shape [n, N(N−1)/2]. */
function allDistances(
  x: Float32Array | Float64Array,
  { particles: N, dimensions: D }: ConfigurationShape,
): Float64Array {
  const n = x.length / (N * D);
  const distances = new Float64Array((n * N * (N - 1)) / 2);
  let at = 0;
  for (let s = 0; s < n; s++) {
    for (let i = s * N; i < (s + 1) * N; i++) {
      for (let j = i + 1; j < (s + 1) * N; j++) {
        let square = 0;
        for (let axis = 0; axis < D; axis++) square += (x[i * D + axis] - x[j * D + axis]) ** 2;
        distances[at++] = Math.sqrt(square);
      }
    }
  }
  return distances;
}
