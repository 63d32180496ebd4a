import { DataError } from '../errors.js';
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

/** Values of one variable, drawn independently or worth fewer independent ones, weighted or not. */
export interface ValueSample extends SampleWorth {
  /** Shape [n]; ±Inf is allowed in the first of two samples only and makes the distance infinite. */
  readonly values: ArrayLike<number>;
}

/** 1: mean |Δ|; 2: root mean square Δ of quantiles. */
export type WassersteinOrder = 1 | 2;

/** Atoms of a distribution in ascending order, shape [n]; masses have any scale. */
interface Atoms {
  readonly values: Float64Array;
  readonly mass: Float64Array;
}

/**
 * Wasserstein distance of two empirical distributions on the line, in the units of the values: the p-th root of
 * ∫₀¹ |Q_a(u) − Q_b(u)|^p du over their quantile functions (Peyré and Cuturi 2019, "Computational optimal transport",
 * remark 2.30). Exact for any sizes and weights, O(n log n).
 *
 * @throws DataError for no samples, NaN, infinite values in b, or bad weights
 */
export function wassersteinDistance(a: ValueSample, b: ValueSample, order: WassersteinOrder): number {
  const { first, second } = checked(a, b);
  return cost(first, second, order) ** (1 / order);
}

/**
 * Wasserstein distance of a sample from a reference, with its standard error and its noise floor.
 *
 * The standard error is the delta method's, from the Kantorovich potentials (del Barrio and Loubes, Ann. Probab. 47 (2019)
 * 926). It describes distances well above the floor and is NaN for distances of zero or infinity; at the floor, go by
 * `distinguishable`. The distance itself is not corrected for the floor. Where few weights carry the sum (k̂ > 0.7) neither
 * error nor floor can be believed, since the sample does not show how large weights can be.
 *
 * @param sample as for `wassersteinDistance`
 * @param reference the distribution that the noise floor is resampled from
 * @throws as `wassersteinDistance`, and UsageError for options out of range
 */
export function wassersteinEstimate(
  sample: ValueSample,
  reference: ValueSample,
  order: WassersteinOrder,
  options: NoiseFloorOptions = {},
): DistanceEstimate {
  const { first: a, second: b, effective } = checked(sample, reference);
  const total = cost(a, b, order);
  const value = total ** (1 / order);
  const variance =
    potentialVariance(a, b, order) * correlationFactor(sample.values.length, sample) +
    potentialVariance(b, a, order) * correlationFactor(reference.values.length, reference);
  const standardError = (Math.sqrt(variance) * value) / (order * total);

  const sides = [transported(a, b), b];
  const drawn = sides.map(({ values }) => ({ values, mass: new Float64Array(values.length) }));
  const floor = noiseFloor(
    [a.values.length, b.values.length],
    // Draws carry their weights, so that more of them make up one effective sample.
    [effective[0] * drawsPerSample(a), effective[1] * drawsPerSample(b)],
    (...counts) => {
      counts.forEach((count, side) => {
        const { mass } = sides[side];
        for (let i = 0; i < mass.length; i++) drawn[side].mass[i] = count[i] * mass[i];
      });
      return cost(drawn[0], drawn[1], order) ** (1 / order);
    },
    options,
  );
  return distanceEstimate({ value, standardError, n: sample.values.length }, floor, effective);
}

/**
 * Wasserstein-2 distance of the energies of a sample from those of a reference ensemble, in units of energy, with its noise
 * floor (see `wassersteinEstimate`). A few configurations of very high energy dominate it: that is the metric, not an
 * artefact, but W1 beside it tells whether the bulk differs too.
 */
export function energyW2(
  sample: ValueSample,
  reference: ValueSample,
  options: NoiseFloorOptions = {},
): DistanceEstimate {
  return wassersteinEstimate(sample, reference, 2, options);
}

function checked(a: ValueSample, b: ValueSample): { first: Atoms; second: Atoms; effective: [number, number] } {
  const effective: [number, number] = [
    effectiveSamples('sample', a.values.length, a),
    effectiveSamples('reference', b.values.length, b),
  ];
  const [first, second] = [sortedAtoms('sample', a), sortedAtoms('reference', b)];
  const { values } = second;
  if (!Number.isFinite(values[0]) || !Number.isFinite(values[values.length - 1])) {
    throw new DataError('reference: infinite values, expected finite ones where the weight is positive');
  }
  return { first, second, effective };
}

/** Values of positive weight in ascending order. */
function sortedAtoms(name: string, { values, weights }: ValueSample): Atoms {
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) throw new DataError(`${name}: NaN at index ${i}, expected a number`);
  }
  if (weights === undefined)
    return { values: Float64Array.from(values).sort(), mass: new Float64Array(values.length).fill(1) };
  const order: number[] = [];
  for (let i = 0; i < values.length; i++) if (weights[i] > 0) order.push(i);
  // Subtraction would give NaN for equal infinities.
  order.sort((i, j) => (values[i] < values[j] ? -1 : values[i] > values[j] ? 1 : 0));
  return {
    values: Float64Array.from(order, (i) => values[i]),
    mass: Float64Array.from(order, (i) => weights[i]),
  };
}

/**
 * The atoms of a moved to the quantiles of b at the same levels: a sample of b's distribution whose weights depend on the
 * value as they do in a. A floor from effective sizes alone would be too low where large weights sit in a tail.
 */
function transported(a: Atoms, b: Atoms): Atoms {
  const [totalA, totalB] = [sumOf(a.mass), sumOf(b.mass)];
  let [sumA, sumB, j] = [0, b.mass[0], 0];
  const values = a.values.map((_, i) => {
    const level = (sumA + a.mass[i] / 2) / totalA;
    sumA += a.mass[i];
    while (sumB / totalB < level && j + 1 < b.mass.length) sumB += b.mass[++j];
    return b.values[j];
  });
  return { values, mass: a.mass };
}

function drawsPerSample({ mass }: Atoms): number {
  const largest = mass.reduce((x, m) => Math.max(x, m), 0);
  return mass.length / kishSize(mass.length, (i) => mass[i] / largest);
}

/** ∫₀¹ |Q_a − Q_b|^order du, along the merged levels of both distribution functions. */
function cost(a: Atoms, b: Atoms, order: WassersteinOrder): number {
  const [totalA, totalB] = [sumOf(a.mass), sumOf(b.mass)];
  let [i, j] = [0, 0];
  let [sumA, sumB] = [a.mass[0], b.mass[0]];
  let level = 0;
  let result = 0;
  while (i < a.values.length && j < b.values.length) {
    const upperA = sumA / totalA;
    const upperB = sumB / totalB;
    const upper = Math.min(upperA, upperB);
    // Steps of no width are skipped: 0·∞ is not a number.
    if (upper > level) {
      result += (upper - level) * gap(a.values[i], b.values[j], order);
      level = upper;
    }
    if (upperA <= upper) sumA += a.mass[++i];
    if (upperB <= upper) sumB += b.mass[++j];
  }
  return result;
}

/**
 * Variance of the cost due to a, Σ w̃²(φ − φ̄)², where the Kantorovich potential φ is the derivative of the cost with respect
 * to the mass at a value: φ'(x) = d/dx |x − T(x)|^p at fixed T(x) = Q_b(F_a(x)), which is constant between atoms of a.
 */
function potentialVariance(a: Atoms, b: Atoms, order: WassersteinOrder): number {
  const [totalA, totalB] = [sumOf(a.mass), sumOf(b.mass)];
  const n = a.values.length;
  const potential = new Float64Array(n);
  let [sumA, sumB, j] = [0, b.mass[0], 0];
  for (let i = 0; i + 1 < n; i++) {
    sumA += a.mass[i];
    while (sumB / totalB < sumA / totalA && j + 1 < b.values.length) sumB += b.mass[++j];
    potential[i + 1] = potential[i] + gap(a.values[i + 1], b.values[j], order) - gap(a.values[i], b.values[j], order);
  }
  const mean = potential.reduce((sum, phi, i) => sum + (a.mass[i] / totalA) * phi, 0);
  return potential.reduce((sum, phi, i) => sum + ((a.mass[i] / totalA) * (phi - mean)) ** 2, 0);
}

function gap(x: number, y: number, order: WassersteinOrder): number {
  const difference = Math.abs(x - y);
  return order === 2 ? difference * difference : difference;
}

function sumOf(mass: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < mass.length; i++) sum += mass[i];
  return sum;
}
