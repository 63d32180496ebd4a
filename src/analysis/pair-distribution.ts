import { DataError, UsageError } from '../errors.js';
import { speciesPairs } from '../fields/index.js';
import type { System } from '../systems/index.js';
import type { HistogramAxis } from './histogram.js';
import {
  correlationFactor,
  type DistanceEstimate,
  distanceEstimate,
  effectiveSamples,
  kishSize,
  type NoiseFloorOptions,
  noiseFloor,
  type SampleWorth,
} from './noise-floor.js';

/** Most configurations of the reference that the noise floor is resampled from: it needs their scatter, not all of them. */
const NOISE_ATOMS = 4096;

/** The parts of a system that pair distances depend on. */
export type Particles = Pick<System, 'particles' | 'dimensions' | 'species'>;

/** Configurations, drawn independently or worth fewer independent ones, weighted or not. */
export interface ConfigurationSample extends SampleWorth {
  /** Shape [n, N, D]. */
  readonly x: Float32Array | Float64Array;
  readonly n: number;
}

/** Distribution of the distance between two particles of given species, a and b in one configuration. */
export interface PairDistribution {
  readonly species: readonly [number, number];
  /** Pairs of these species in a configuration. */
  readonly pairs: number;
  /** Bin edges, shape [bins + 1]. */
  readonly edges: Float64Array;
  /** Fraction of the pairs in each bin, shape [bins]; with `outside` these sum to one. */
  readonly fraction: Float64Array;
  /** Probability per unit of distance p(d), shape [bins]; ∫ p dd = 1 − outside. */
  readonly density: Float64Array;
  /**
   * g(d) as a cluster has it: probability per unit of volume (of area in the plane) of the vector from one particle to
   * another, shape [bins]; its integral over space is 1 − outside. There is no bulk density to divide by, so that g does not
   * tend to 1 but to 0.
   */
  readonly radialDensity: Float64Array;
  /** Fraction of the pairs beyond the axis. */
  readonly outside: number;
}

/** Total variation distance of two pair distributions, with its noise floor. */
export interface PairDistributionDistance extends DistanceEstimate {
  readonly species: readonly [number, number];
}

/** Indices of the particles that make the pairs of one pair of species. */
interface Pairs {
  readonly species: readonly [number, number];
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

/**
 * Distributions of pair distances, one per pair of species that has pairs, in the order (0,0), (0,1), …, (1,1), …
 *
 * @param axis bins of the distance; d = max counts as inside
 * @throws DataError for arrays of the wrong length, bad weights, or coordinates that are not numbers; UsageError for a bad axis
 */
export function pairDistributions(
  particles: Particles,
  sample: ConfigurationSample,
  axis: HistogramAxis,
): PairDistribution[] {
  checkInput('sample', particles, sample, axis);
  return pairsOf(particles).map((pairs) => {
    const { bins, min, max } = axis;
    const all = fractions(particles, sample, axis, pairs);
    const fraction = all.slice(0, bins);
    const edges = Float64Array.from({ length: bins + 1 }, (_, k) =>
      k === bins ? max : min + ((max - min) * k) / bins,
    );
    return {
      species: pairs.species,
      pairs: pairs.first.length,
      edges,
      fraction,
      density: fraction.map((f) => (f * bins) / (max - min)),
      radialDensity: fraction.map((f, k) => f / shellVolume(edges[k], edges[k + 1], particles.dimensions)),
      outside: all[bins],
    };
  });
}

/**
 * Total variation distance of a sample's pair distances from a reference's, ½Σ|p − q| over bins, per pair of species, with
 * standard error and noise floor: the fraction of pairs that would have to move to another bin, where what lies beyond the
 * axis counts as one. Distance and floor both grow with the number of bins: values on different axes cannot be compared.
 *
 * Whole configurations are resampled, from the reference, since distances within one depend on each other; the sample's
 * weights enter the floor by their effective size alone, which is not enough where k̂ > 0.7. The standard error is the delta
 * method's; it describes distances well above the floor. The distance itself is not corrected for the floor.
 *
 * @throws as `pairDistributions`, and UsageError for options out of range
 */
export function pairDistributionDistances(
  particles: Particles,
  sample: ConfigurationSample,
  reference: ConfigurationSample,
  axis: HistogramAxis,
  options: NoiseFloorOptions = {},
): PairDistributionDistance[] {
  const effective = [
    checkInput('sample', particles, sample, axis),
    checkInput('reference', particles, reference, axis),
  ] as const;
  return pairsOf(particles).map((pairs) => {
    const [p, q] = [sample, reference].map((side) => fractions(particles, side, axis, pairs));
    const difference = p.map((f, k) => f - q[k]);
    const variances = [sample, reference].map((side) => signVariance(particles, side, axis, pairs, difference));
    const measured = {
      value: halfSum(difference),
      standardError: Math.sqrt(variances[0] + variances[1]),
      n: sample.n,
    };
    const floor = resampledVariation(particles, reference, axis, pairs, effective, options);
    return { species: pairs.species, ...distanceEstimate(measured, floor, effective) };
  });
}

function resampledVariation(
  particles: Particles,
  reference: ConfigurationSample,
  axis: HistogramAxis,
  pairs: Pairs,
  effective: readonly [number, number],
  options: NoiseFloorOptions,
) {
  const candidates: number[] = [];
  for (let s = 0; s < reference.n; s++) if (weightOf(reference, s) > 0) candidates.push(s);
  const atoms = Math.min(NOISE_ATOMS, candidates.length);
  const P = pairs.first.length;
  const weights = new Float64Array(atoms);
  const bins = new Uint32Array(atoms * P);
  for (let i = 0; i < atoms; i++) {
    // Evenly spread, so that every chain of the reference is represented.
    const s = candidates[Math.floor((i * candidates.length) / atoms)];
    weights[i] = weightOf(reference, s);
    fillBins(particles, reference.x, s, axis, pairs, bins.subarray(i * P, (i + 1) * P));
  }
  const largest = weights.reduce((x, w) => Math.max(x, w), 0);
  // Draws carry the weights of the reference, so that more of them make up one effective sample.
  const drawsPerSample = atoms / kishSize(atoms, (i) => weights[i] / largest);
  const difference = new Float64Array(axis.bins + 1);
  return noiseFloor(
    [atoms, atoms],
    [effective[0] * drawsPerSample, effective[1] * drawsPerSample],
    (first, second) => {
      let [total1, total2] = [0, 0];
      for (let i = 0; i < atoms; i++) {
        total1 += first[i] * weights[i];
        total2 += second[i] * weights[i];
      }
      difference.fill(0);
      for (let i = 0; i < atoms; i++) {
        const share = (weights[i] * (first[i] / total1 - second[i] / total2)) / P;
        if (share === 0) continue;
        for (let k = i * P; k < (i + 1) * P; k++) difference[bins[k]] += share;
      }
      return halfSum(difference);
    },
    options,
  );
}

/** Weighted fraction of the pairs per bin, shape [bins + 1]; the last is beyond the axis. */
function fractions(particles: Particles, sample: ConfigurationSample, axis: HistogramAxis, pairs: Pairs): Float64Array {
  const P = pairs.first.length;
  const bins = new Uint32Array(P);
  const result = new Float64Array(axis.bins + 1);
  let total = 0;
  for (let s = 0; s < sample.n; s++) {
    const weight = weightOf(sample, s);
    if (weight === 0) continue;
    fillBins(particles, sample.x, s, axis, pairs, bins);
    for (let k = 0; k < P; k++) result[bins[k]] += weight;
    total += weight;
  }
  return result.map((mass) => mass / total / P);
}

/**
 * Variance of the distance due to one sample, Σ w̃²(h − h̄)² over configurations, with h = ½·(mean over pairs of the sign of
 * `difference` in the pair's bin).
 */
function signVariance(
  particles: Particles,
  sample: ConfigurationSample,
  axis: HistogramAxis,
  pairs: Pairs,
  difference: Float64Array,
): number {
  const P = pairs.first.length;
  const bins = new Uint32Array(P);
  const sign = difference.map((d) => Math.sign(d) / (2 * P));
  const values = new Float64Array(sample.n);
  let total = 0;
  let sum = 0;
  for (let s = 0; s < sample.n; s++) {
    const weight = weightOf(sample, s);
    if (weight === 0) continue;
    fillBins(particles, sample.x, s, axis, pairs, bins);
    for (let k = 0; k < P; k++) values[s] += sign[bins[k]];
    total += weight;
    sum += weight * values[s];
  }
  const mean = sum / total;
  let variance = 0;
  for (let s = 0; s < sample.n; s++) variance += ((weightOf(sample, s) / total) * (values[s] - mean)) ** 2;
  return variance * correlationFactor(sample.n, sample);
}

/** Bin of every pair of one configuration; `axis.bins` for those beyond the axis. */
function fillBins(
  { particles: N, dimensions: D }: Particles,
  x: Float32Array | Float64Array,
  s: number,
  { min, max, bins }: HistogramAxis,
  { first, second }: Pairs,
  out: Uint32Array,
): void {
  const base = s * N * D;
  const scale = bins / (max - min);
  for (let k = 0; k < first.length; k++) {
    const i = base + first[k] * D;
    const j = base + second[k] * D;
    let squared = (x[i] - x[j]) ** 2 + (x[i + 1] - x[j + 1]) ** 2;
    if (D === 3) squared += (x[i + 2] - x[j + 2]) ** 2;
    const distance = Math.sqrt(squared);
    if (distance >= min && distance <= max) out[k] = Math.min(bins - 1, Math.floor((distance - min) * scale));
    else if (Number.isNaN(distance)) throw new DataError(`x: NaN in sample ${s}, expected numbers`);
    else out[k] = bins;
  }
}

/** Checks a sample and returns how many independent configurations it is worth. */
function checkInput(
  name: string,
  { particles: N, dimensions: D }: Particles,
  sample: ConfigurationSample,
  { min, max, bins }: HistogramAxis,
): number {
  if (!(min >= 0 && max > min && max < Number.POSITIVE_INFINITY)) {
    throw new UsageError(`axis: [${min}, ${max}], expected distances 0 ≤ min < max`);
  }
  if (!Number.isInteger(bins) || bins < 1) throw new UsageError(`axis: ${bins} bins, expected a positive integer`);
  if (sample.x.length !== sample.n * N * D) {
    throw new DataError(`${name}: x has ${sample.x.length} coordinates, expected ${sample.n}·${N}·${D}`);
  }
  return effectiveSamples(name, sample.n, sample);
}

/** The pairs i < j of each pair of species that has any. */
function pairsOf({ particles: N, species }: Particles): Pairs[] {
  const numbered = speciesPairs(N, species);
  const found = Array.from({ length: numbered.pairs }, () => [] as [number, number][]);
  for (let i = 0; i < N; i++) for (let j = i + 1; j < N; j++) found[numbered.of(i, j)].push([i, j]);
  return found
    .filter((list) => list.length > 0)
    .map((list) => {
      const [a, b] = list[0].map((particle) => species[particle]);
      return {
        species: [Math.min(a, b), Math.max(a, b)],
        first: Uint32Array.from(list, ([i]) => i),
        second: Uint32Array.from(list, ([, j]) => j),
      };
    });
}

function weightOf({ weights }: ConfigurationSample, s: number): number {
  return weights === undefined ? 1 : weights[s];
}

function shellVolume(inner: number, outer: number, dimensions: number): number {
  return dimensions === 2 ? Math.PI * (outer ** 2 - inner ** 2) : ((4 * Math.PI) / 3) * (outer ** 3 - inner ** 3);
}

function halfSum(difference: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < difference.length; k++) sum += Math.abs(difference[k]);
  return sum / 2;
}
