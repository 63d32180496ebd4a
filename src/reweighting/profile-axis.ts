import type { HistogramAxis } from '../analysis/histogram.js';
import { UsageError } from '../errors.js';
import { type Coordinate, type CoordinateData, coordinateValues } from './coordinate.js';

/** Along which coordinate, and where, to histogram. */
export interface ProfileRequest {
  /** As `parseCoordinate` reads it. */
  readonly coordinate: string;
  /** Default 50; for numbers of pairs one each. */
  readonly bins?: number;
  /** Ends of the axis; by default those that the first samples suggest. */
  readonly range?: readonly [number, number];
  /** Whether a suggested axis is to hold most of the samples as they were drawn, too. */
  readonly asDrawn?: boolean;
  /** Coordinate of the bin that is the zero of free energy; absent: F = −log p with p per unit of the axis. */
  readonly reference?: number;
}

const BINS = 50;

/** Samples whose pair distances, many each, suggest a range. */
const SAMPLES_OF_PAIRS = 4096;

/** Weight beyond each end of a suggested range, before a margin is added. */
const BEYOND = 0.001;
const MARGIN = 0.1;

/**
 * Shares of the samples as drawn between which they are most, and by how many times the weighted range they may widen the axis
 * below and above: a flow may throw samples anywhere.
 */
const MOST = [0.02, 0.95] as const;
const WIDENING = [3, 1.5] as const;

/**
 * The axis of a histogram. Without a range it holds all but a thousandth of the weight of the given samples on either side, and a
 * tenth more.
 *
 * @param first the first samples
 * @throws UsageError for a range without extent or bins out of range
 */
export function profileAxis(request: ProfileRequest, coordinate: Coordinate, first: CoordinateData): HistogramAxis {
  const { range, bins } = request;
  if (bins !== undefined && !(Number.isInteger(bins) && bins >= 1 && bins <= 100_000)) {
    throw new UsageError(`profile ${request.coordinate}: ${bins} bins, expected an integer from 1 to 100000`);
  }
  if (range !== undefined) {
    const [min, max] = range;
    if (!(min < max && Number.isFinite(max - min))) {
      throw new UsageError(`profile ${request.coordinate}: range ${min},${max}, expected finite min < max`);
    }
    return { min, max, bins: bins ?? BINS };
  }
  const [low, high] = suggestedRange(coordinate, first, request.asDrawn ?? false);
  if (coordinate.kind === 'short-pairs') {
    const [min, max] = [Math.max(0, low - 1) - 0.5, high + 1.5];
    return { min, max, bins: bins ?? max - min };
  }
  if (low === high) return { min: low - 0.5, max: low + 0.5, bins: bins ?? BINS };
  const margin = MARGIN * (high - low);
  const floor =
    coordinate.kind === 'pair-distance' || coordinate.kind === 'radius-of-gyration' ? 0 : Number.NEGATIVE_INFINITY;
  return { min: Math.max(floor, low - margin), max: high + margin, bins: bins ?? BINS };
}

function suggestedRange(coordinate: Coordinate, first: CoordinateData, asDrawn: boolean): [number, number] {
  const values = coordinateValues(coordinate, first);
  const perSample = values.length / first.n;
  const samples = perSample === 1 ? first.n : Math.min(first.n, SAMPLES_OF_PAIRS);
  const maximum = first.logWeight.subarray(0, samples).reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weightOf = (k: number) => {
    if (maximum === Number.NEGATIVE_INFINITY) return 1;
    return Math.exp(first.logWeight[Math.floor(k / perSample)] - maximum);
  };
  const order = Uint32Array.from({ length: samples * perSample }, (_, k) => k)
    .filter((k) => Number.isFinite(values[k]))
    .sort((a, b) => values[a] - values[b]);
  if (order.length === 0) return [0, 0];
  let total = 0;
  for (const k of order) total += weightOf(k);
  let seen = 0;
  let [low, high] = [values[order[0]], values[order[order.length - 1]]];
  for (const k of order) {
    const before = seen;
    seen += weightOf(k);
    if (before <= BEYOND * total) low = values[k];
    if (before <= (1 - BEYOND) * total) high = values[k];
  }
  if (!asDrawn) return [low, high];
  const [from, to] = MOST.map((share) => values[order[Math.floor(share * (order.length - 1))]]);
  const width = high - low;
  return [
    Math.min(low, Math.max(from, low - WIDENING[0] * width)),
    Math.max(high, Math.min(to, high + WIDENING[1] * width)),
  ];
}
