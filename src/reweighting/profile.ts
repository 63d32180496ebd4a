import { type HistogramAxis, histogram } from '../analysis/histogram.js';
import { UsageError } from '../errors.js';
import { tailFactorOf } from './averages.js';
import { binIndex } from './bins.js';
import { CHAINS_TOO_SHORT, gravest } from './estimates.js';
import { type ChainLengths, influenceVariance } from './influence.js';
import { requireSameLength } from './log-weights.js';
import type { WeightStatus } from './status.js';
import { importanceWeights, normalizedWeights } from './weights.js';

/** Unit and zero of a profile, and how its samples are correlated. */
export interface ProfileOptions {
  /** Temperature in units of energy, the unit of the result; default 1. */
  readonly kT?: number;
  /** Coordinate of the bin that is the zero of free energy, without error; absent: F = −kT log p with p per unit of the axis. */
  readonly reference?: number;
  /** Lengths of the consecutive chains in the arrays; absent if the samples are independent. */
  readonly chains?: ChainLengths;
}

/** Density and free energy along a coordinate, with error bands of one standard deviation. Arrays have shape [bins]. */
export interface ProfileBands {
  /** Shape [bins + 1]. */
  readonly edges: Float64Array;
  /** Probability per unit of the coordinate; integrates to 1 − outside. */
  readonly density: Float64Array;
  readonly densityError: Float64Array;
  /** −kT log p, less that of the reference if there is one; Infinity in empty bins. */
  readonly freeEnergy: Float64Array;
  /** NaN in empty bins and where one sample holds more than half of the bin's weight; 0 in the reference bin. */
  readonly freeEnergyError: Float64Array;
  /** Kish's effective size of the samples in each bin. */
  readonly effectiveSamples: Float64Array;
  /** Share of the weight beyond the axis. */
  readonly outside: number;
}

/** A profile whose free energies are in units of energy. */
export interface FreeEnergyProfile extends ProfileBands {
  readonly n: number;
  readonly status: WeightStatus;
}

/**
 * Free-energy profile F(s) = −kT log p(s) along a coordinate: a pair distance, the radius of gyration, the energy, or any array.
 * No Jacobian is taken out: p is the density of the coordinate's values.
 *
 * Errors are the delta method's: sample i contributes w̃_i(1_b − p_b) to bin b, or w̃_i(1_b/p_b − 1_r/p_r) to the difference from the
 * reference, times √τ of that along chains, and times what the unseen tail of the weights adds to the error of log Z.
 *
 * @param coordinate shape [n]; ±Inf counts as outside
 * @param logWeight log-weights in nats, shape [n]; all 0 for samples of the ensemble itself
 * @throws UsageError for an axis without extent or bins, kT that is not positive, or a reference outside the axis or in an empty bin;
 *   DataError for differing lengths, NaN, or bad weights
 */
export function freeEnergyProfile(
  coordinate: Float64Array,
  logWeight: Float64Array,
  axis: HistogramAxis,
  options: ProfileOptions = {},
): FreeEnergyProfile {
  const kT = options.kT ?? 1;
  if (!(kT > 0 && kT < Number.POSITIVE_INFINITY)) throw new UsageError(`kT: ${kT}, expected a positive number`);
  requireSameLength('coordinate', coordinate, 'logWeight', logWeight);
  const report = importanceWeights(logWeight);
  const weights = normalizedWeights(logWeight);
  const { edges, density, mass, outside, n } = histogram(coordinate, axis, weights);
  const members = membersOf(coordinate, axis);
  const reference = options.reference === undefined ? undefined : binAt(options.reference, axis, mass);
  const width = (axis.max - axis.min) / axis.bins;
  const bins = members.map((member, b) => {
    let squares = 0;
    let largest = 0;
    for (const i of member) {
      squares += weights[i] ** 2;
      largest = Math.max(largest, weights[i]);
    }
    return { member, p: mass[b], ess: squares === 0 ? 0 : mass[b] ** 2 / squares, decided: largest > mass[b] / 2 };
  });

  const unseen = Math.max(1, tailFactorOf({ report }));
  let reliable = true;
  const deviation = (influence: Float64Array): number => {
    const variance = influenceVariance(influence, options.chains);
    reliable &&= variance.reliable;
    return variance.reliable ? Math.sqrt(variance.independent * variance.tau) * unseen : Number.NaN;
  };
  const influence = new Float64Array(n);
  const densityError = new Float64Array(axis.bins);
  const freeEnergyError = new Float64Array(axis.bins).fill(Number.NaN);
  const zero = reference === undefined ? undefined : bins[reference];
  for (const [b, bin] of bins.entries()) {
    if (bin.p === 0) continue;
    for (let i = 0; i < n; i++) influence[i] = -weights[i] * bin.p;
    for (const i of bin.member) influence[i] += weights[i];
    densityError[b] = deviation(influence) / width;
    if (bin.decided) continue;
    if (zero === undefined) {
      freeEnergyError[b] = (kT * densityError[b]) / density[b];
    } else if (b === reference) {
      freeEnergyError[b] = 0;
    } else if (!zero.decided) {
      influence.fill(0);
      for (const i of bin.member) influence[i] = weights[i] / bin.p;
      for (const i of zero.member) influence[i] = -weights[i] / zero.p;
      freeEnergyError[b] = kT * deviation(influence);
    }
  }
  const level = reference === undefined ? 0 : -kT * Math.log(density[reference]);
  return {
    edges,
    density,
    densityError,
    freeEnergy: density.map((p) => -kT * Math.log(p) - level),
    freeEnergyError,
    effectiveSamples: Float64Array.from(bins, ({ ess }) => ess),
    outside,
    n,
    status: reliable ? report.status : gravest(CHAINS_TOO_SHORT, report.status),
  };
}

/** Samples of each bin, [bins][…], by the rule of `histogram`. */
function membersOf(coordinate: Float64Array, axis: HistogramAxis): number[][] {
  const members: number[][] = Array.from({ length: axis.bins }, () => []);
  for (let i = 0; i < coordinate.length; i++) {
    if (coordinate[i] < axis.min || coordinate[i] > axis.max) continue;
    members[binIndex(coordinate[i], axis)].push(i);
  }
  return members;
}

function binAt(reference: number, axis: HistogramAxis, mass: Float64Array): number {
  if (!(reference >= axis.min && reference <= axis.max)) {
    throw new UsageError(`reference: ${reference}, expected a coordinate from ${axis.min} to ${axis.max}`);
  }
  const bin = binIndex(reference, axis);
  if (mass[bin] === 0) throw new UsageError(`reference: ${reference} lies in an empty bin, expected one with samples`);
  return bin;
}
