import test from 'ava';
import { histogram } from '../../src/analysis/histogram.js';
import {
  type ConfigurationSample,
  pairDistributionDistances,
  pairDistributions,
} from '../../src/analysis/pair-distribution.js';
import { DataError, UsageError } from '../../src/errors.js';
import { draw, normals, uniforms } from '../reweighting/random.js';

const FOUR = { particles: 4, dimensions: 3, species: [0, 0, 0, 0] };
const AXIS = { min: 0, max: 6, bins: 30 };

/** n configurations with independent normal coordinates. */
function gas(
  { particles, dimensions }: typeof FOUR,
  n: number,
  normal: () => number,
  scale = 1,
): ConfigurationSample & { readonly x: Float64Array } {
  return { x: draw(n * particles * dimensions, normal).map((v) => scale * v), n };
}

test('it is the histogram of all distances between two particles', (t) => {
  const axis = { min: 0.5, max: 3, bins: 25 };
  for (const dimensions of [2, 3]) {
    const particles = { ...FOUR, dimensions };
    const sample = gas(particles, 50, normals(1));
    const weights = draw(50, uniforms(2));
    const distances: number[] = [];
    const pairWeights: number[] = [];
    for (let s = 0; s < 50; s++) {
      const rows = Array.from({ length: 4 }, (_, i) =>
        Array.from(sample.x.subarray((4 * s + i) * dimensions, (4 * s + i + 1) * dimensions)),
      );
      for (let i = 0; i < 4; i++) {
        for (let j = 0; j < i; j++) {
          distances.push(Math.hypot(...rows[i].map((v, axis) => v - rows[j][axis])));
          pairWeights.push(weights[s]);
        }
      }
    }
    const expected = histogram(distances, axis, pairWeights);
    const [found, ...others] = pairDistributions(particles, { ...sample, weights }, axis);
    t.is(others.length, 0);
    t.is(found.pairs, 6);
    t.deepEqual(found.edges, expected.edges);
    t.true(found.density.every((d, k) => Math.abs(d - expected.density[k]) < 1e-12));
    t.true(Math.abs(found.outside - expected.outside) < 1e-12);
  }
});

test('p(d) integrates to one over distance, g(d) over space', (t) => {
  for (const dimensions of [2, 3]) {
    const particles = { ...FOUR, dimensions };
    const [{ density, radialDensity, outside, edges }] = pairDistributions(
      particles,
      gas(particles, 200, normals(3)),
      AXIS,
    );
    const volume = (d: number) => (dimensions === 2 ? Math.PI * d ** 2 : (4 / 3) * Math.PI * d ** 3);
    const overDistance = density.reduce((sum, p, k) => sum + p * (edges[k + 1] - edges[k]), 0);
    const overSpace = radialDensity.reduce((sum, g, k) => sum + g * (volume(edges[k + 1]) - volume(edges[k])), 0);
    t.true(Math.abs(overDistance + outside - 1) < 1e-12);
    t.true(Math.abs(overSpace + outside - 1) < 1e-12);
  }
});

test('independent normal particles have the Maxwell distribution of distances', (t) => {
  // d/√2 of normal vectors is chi-distributed; g(0) = (4π)^(−3/2). 20 000 configurations: p has a standard error of 0.004 at
  // its maximum; bounds of 5, false alarm below 2e-5 over all bins.
  const [{ density, radialDensity }] = pairDistributions(FOUR, gas(FOUR, 20_000, normals(4)), AXIS);
  for (let k = 0; k < 30; k++) {
    const d = (k + 0.5) * 0.2;
    const expected = (d ** 2 * Math.exp(-(d ** 2) / 4)) / (2 * Math.sqrt(Math.PI));
    t.true(Math.abs(density[k] - expected) < 0.02, `p(${d}) = ${density[k]}, expected ${expected}`);
  }
  // The third bin holds some 1600 of 120 000 pairs; 0.15 is 6 standard errors.
  t.true(Math.abs(radialDensity[2] / ((4 * Math.PI) ** -1.5 * Math.exp(-0.0625)) - 1) < 0.15);
});

test('it does not change with labels, rotation and place', (t) => {
  const sample = gas(FOUR, 30, normals(5));
  const moved = Float64Array.from(sample.x);
  const [cos, sin] = [Math.cos(0.7), Math.sin(0.7)];
  for (let s = 0; s < 30; s++) {
    for (let i = 0; i < 4; i++) {
      const [x, y, z] = sample.x.subarray(12 * s + 3 * i, 12 * s + 3 * i + 3);
      moved.set([cos * x - sin * y + 5, sin * x + cos * y, -z], 12 * s + 3 * ((i + 1) % 4));
    }
  }
  const [{ value }] = pairDistributionDistances(FOUR, { x: moved, n: 30 }, sample, AXIS);
  t.true(value < 1e-12);
});

test('species are told apart, and pairs of species without pairs left out', (t) => {
  const particles = { particles: 4, dimensions: 2, species: [0, 1, 0, 0] };
  // Particles of species 0 at distances 1 and 2 on a line, particle 1 of species 1 three above the middle one.
  const x = Float64Array.from([-1, 0, 0, 3, 0, 0, 1, 0]);
  const found = pairDistributions(particles, { x, n: 1 }, { min: 0, max: 4, bins: 4 });
  t.deepEqual(
    found.map(({ species, pairs, fraction }) => ({ species, pairs, fraction: Array.from(fraction) })),
    [
      { species: [0, 0], pairs: 3, fraction: [0, 2 / 3, 1 / 3, 0] },
      { species: [0, 1], pairs: 3, fraction: [0, 0, 0, 1] },
    ],
  );
});

test('total variation is 0 for equal, 1 for disjoint samples, and counts what is beyond the axis', (t) => {
  const pair = { particles: 2, dimensions: 2, species: [0, 0] };
  const at = (...distances: number[]): ConfigurationSample => ({
    x: Float64Array.from(distances.flatMap((d) => [0, 0, d, 0])),
    n: distances.length,
  });
  const axis = { min: 0, max: 2, bins: 2 };
  const tv = (a: ConfigurationSample, b: ConfigurationSample) => pairDistributionDistances(pair, a, b, axis)[0].value;
  t.is(tv(at(0.5, 1.5), at(1.7, 0.1)), 0);
  t.is(tv(at(0.5, 0.5), at(1.5)), 1);
  t.is(tv(at(0.5), at(3)), 1);
  t.is(tv(at(0.5, 0.5, 1.5, 9), at(0.5)), 0.5);
  t.is(tv({ ...at(0.5, 1.5), weights: [3, 1] }, at(0.5)), 0.25);
});

test('between samples of one distribution the noise floor is the distance to expect', (t) => {
  // 120 replicates. The exceedance is uniform: mean 0.5 with standard deviation 0.026, 4.5 of them as bounds (1e-5). More
  // than 7 of 120 false alarms of 1 % have probability 2e-4. A floor of independent pairs would fail: distances within a
  // configuration share its size here.
  const normal = normals(6);
  const breathing = (n: number) => {
    const sample = gas(FOUR, n, normal);
    for (let s = 0; s < n; s++) {
      const scale = Math.exp(0.4 * normal());
      for (let c = 12 * s; c < 12 * (s + 1); c++) sample.x[c] *= scale;
    }
    return sample;
  };
  let exceedance = 0;
  let alarms = 0;
  for (let r = 0; r < 120; r++) {
    const [distance] = pairDistributionDistances(FOUR, breathing(100), breathing(300), AXIS, { seed: r });
    exceedance += distance.diagnostics.exceedance / 120;
    if (distance.distinguishable) alarms++;
  }
  t.true(Math.abs(exceedance - 0.5) < 0.12, `mean exceedance ${exceedance}`);
  t.true(alarms <= 7, `${alarms} false alarms`);
});

test('error bars of distances above the floor are calibrated', (t) => {
  // 200 replicates against the distance of two large samples: mean z² has standard deviation 0.1; bounds of 5, false alarm
  // below 1e-6. Noise in bins where both agree biases the distance by a part of its floor, so that four bins are used.
  const normal = normals(7);
  const axis = { min: 0, max: 6, bins: 4 };
  const distance = (n: number, m: number) =>
    pairDistributionDistances(FOUR, gas(FOUR, n, normal), gas(FOUR, m, normal, 1.5), axis, { replicates: 99 })[0];
  const { value: truth, diagnostics } = distance(40_000, 40_000);
  t.true(truth > 10 * diagnostics.noiseFloor);
  let sum = 0;
  for (let r = 0; r < 200; r++) {
    const { value, standardError } = distance(150, 200);
    sum += ((value - truth) / standardError) ** 2 / 200;
  }
  t.true(sum > 0.5 && sum < 1.5, `mean z² ${sum}`);
});

test('the floor of a long reference is resampled from a part of it without changing the floor', (t) => {
  // Both are means of 199 replicates, of which each has a spread of 10 %, and of different atoms: 6 % is 5 standard errors.
  const normal = normals(8);
  const sample = gas(FOUR, 500, normal);
  const short = gas(FOUR, 4000, normal);
  const long = gas(FOUR, 20_000, normal);
  const [a] = pairDistributionDistances(FOUR, sample, short, AXIS);
  const [b] = pairDistributionDistances(FOUR, sample, { ...long, independentSamples: 4000 }, AXIS, { seed: 2 });
  t.true(Math.abs(b.diagnostics.noiseFloor / a.diagnostics.noiseFloor - 1) < 0.06);
});

test('weights move the distance and raise the floor', (t) => {
  // Normal coordinates of scale 1.2 reweighted to scale 1.
  const normal = normals(9);
  const sample = gas(FOUR, 4000, normal, 1.2);
  const reference = gas(FOUR, 4000, normal);
  const weights = Float64Array.from({ length: 4000 }, (_, s) => {
    const squared = sample.x.subarray(12 * s, 12 * (s + 1)).reduce((sum, v) => sum + v ** 2, 0);
    return Math.exp(-squared * (0.5 - 0.5 / 1.2 ** 2));
  });
  const [raw] = pairDistributionDistances(FOUR, sample, reference, AXIS);
  const [weighted] = pairDistributionDistances(FOUR, { ...sample, weights }, reference, AXIS);
  t.true(raw.distinguishable && raw.value > 3 * weighted.value, `raw ${raw.value}, weighted ${weighted.value}`);
  t.false(weighted.distinguishable, weighted.status);
  t.true(weighted.diagnostics.noiseFloor > 1.1 * raw.diagnostics.noiseFloor);
});

test('bad input is refused', (t) => {
  const good = gas(FOUR, 3, normals(10));
  const refused = (sample: ConfigurationSample, axis: typeof AXIS, error: object) =>
    t.throws(() => pairDistributionDistances(FOUR, sample, good, axis), error);
  refused({ x: good.x, n: 4 }, AXIS, { instanceOf: DataError, message: /36 coordinates, expected 4·4·3/ });
  refused({ x: good.x, n: 3, weights: [1, 1] }, AXIS, { instanceOf: DataError });
  const broken = { x: good.x.with(14, Number.NaN), n: 3 };
  refused(broken, AXIS, { instanceOf: DataError, message: /NaN in sample 1/ });
  refused(good, { ...AXIS, max: 0 }, { instanceOf: UsageError });
  refused(good, { ...AXIS, bins: 1.5 }, { instanceOf: UsageError });
});
