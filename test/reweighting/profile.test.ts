import test from 'ava';
import { DataError, UsageError } from '../../src/errors.js';
import { blockBootstrap, freeEnergyProfile, pairDistance, radiusOfGyration } from '../../src/reweighting/index.js';
import { assertCoverage, autoregressive } from './calibration.js';
import { draw, normals } from './random.js';

const AXIS = { min: -2, max: 2, bins: 8 };
/** Probabilities of the bins −2…−1.5, −1…−0.5 and 0…0.5 under N(0, 1). */
const P = { 0: 0.0440570693, 2: 0.1498822848, 4: 0.1914624613 };

/** Samples of N(0.3, 1) with log-weights for N(0, 1). */
function reweighted(n: number, seed: number) {
  const x = draw(n, normals(seed)).map((z) => z + 0.3);
  return { x, logWeight: x.map((v) => -(v ** 2) / 2 + (v - 0.3) ** 2 / 2) };
}

for (const [bin, p] of Object.entries(P)) {
  test(`bin ${bin}: density and free energy of reweighted normals have calibrated bands`, (t) => {
    const profile = (r: number) => {
      const { x, logWeight } = reweighted(1500, 200 + r);
      return freeEnergyProfile(x, logWeight, AXIS, { kT: 2 });
    };
    const b = Number(bin);
    assertCoverage(t, -2 * Math.log(p / 0.5), 200, (r) => {
      const { freeEnergy, freeEnergyError } = profile(r);
      return { value: freeEnergy[b], standardError: freeEnergyError[b] };
    });
    assertCoverage(t, p / 0.5, 200, (r) => {
      const { density, densityError } = profile(r);
      return { value: density[b], standardError: densityError[b] };
    });
  });
}

test('differences from a reference bin along a correlated chain are calibrated', (t) => {
  assertCoverage(t, Math.log(P[4] / P[0]), 200, (r) => {
    const x = autoregressive(4000, 0.7, 70 + r);
    const profile = freeEnergyProfile(
      x,
      new Float64Array(4000),
      { min: -2, max: 1, bins: 6 },
      { reference: 0.2, chains: [3000, 1000] },
    );
    return { value: profile.freeEnergy[0], standardError: profile.freeEnergyError[0] };
  });
});

test('the reference bin is zero without error, and others are differences', (t) => {
  const { x, logWeight } = reweighted(1000, 3);
  const absolute = freeEnergyProfile(x, logWeight, AXIS);
  const relative = freeEnergyProfile(x, logWeight, AXIS, { reference: 0.2 });
  t.true(Math.abs(relative.freeEnergy[4]) < 1e-15);
  t.is(relative.freeEnergyError[4], 0);
  t.true(Math.abs(relative.freeEnergy[1] - (absolute.freeEnergy[1] - absolute.freeEnergy[4])) < 1e-12);
  t.true(relative.freeEnergyError[1] > absolute.freeEnergyError[1]);
});

test('the delta method agrees with the bootstrap', (t) => {
  const { x, logWeight } = reweighted(3000, 4);
  const { freeEnergyError } = freeEnergyProfile(x, logWeight, AXIS);
  const { standardError } = blockBootstrap([x, logWeight], ([c, l]) => freeEnergyProfile(c, l, AXIS).freeEnergy[2], {
    seed: 1,
    blockLength: 1,
  });
  // 400 replicates know the error to 3.5 %: false alarm below 1e-4.
  t.true(Math.abs(standardError / freeEnergyError[2] - 1) < 0.15);
});

test('the density integrates to what lies within the axis', (t) => {
  const { x, logWeight } = reweighted(1000, 5);
  const { density, outside, edges, effectiveSamples } = freeEnergyProfile(x, logWeight, AXIS);
  t.true(Math.abs(density.reduce((a, b) => a + b, 0) * 0.5 + outside - 1) < 1e-12);
  t.true(outside > 0.02 && outside < 0.08);
  t.is(edges.length, 9);
  t.true(effectiveSamples.every((ess) => ess > 10));
});

test('empty bins are infinitely high without error; bins that one sample decides have no error', (t) => {
  const x = Float64Array.of(0.1, 0.2, 0.3, 1.1, 0.15, 0.2);
  const profile = freeEnergyProfile(x, new Float64Array(6), AXIS);
  t.is(profile.freeEnergy[0], Number.POSITIVE_INFINITY);
  t.is(profile.freeEnergyError[0], Number.NaN);
  t.is(profile.densityError[0], 0);
  t.is(profile.freeEnergyError[6], Number.NaN);
  t.true(profile.freeEnergyError[4] > 0);
});

test('bad options are refused by name', (t) => {
  const x = Float64Array.of(0.1, 0.2);
  const weights = new Float64Array(2);
  t.throws(() => freeEnergyProfile(x, weights, AXIS, { reference: 3 }), {
    instanceOf: UsageError,
    message: /3, expec/,
  });
  t.throws(() => freeEnergyProfile(x, weights, AXIS, { reference: 1 }), { message: /empty bin/ });
  t.throws(() => freeEnergyProfile(x, weights, AXIS, { kT: 0 }), { instanceOf: UsageError, message: /kT/ });
  t.throws(() => freeEnergyProfile(x, new Float64Array(1), AXIS), { instanceOf: DataError });
});

test('coordinates: pair distance and radius of gyration do not change with position and orientation', (t) => {
  const shape = { particles: 3, dimensions: 2 };
  const triangle = [0, 0, 3, 0, 3, 4];
  const moved = triangle.flatMap((_, i) => (i % 2 ? [] : [5 - triangle[i + 1], triangle[i] - 2]));
  const x = Float64Array.from([...triangle, ...moved]);
  for (const distance of pairDistance(x, shape, [0, 2])) t.true(Math.abs(distance - 5) < 1e-14);
  // Mean of the squared distances of all pairs over N: (9 + 16 + 25)/9.
  for (const radius of radiusOfGyration(x, shape)) t.true(Math.abs(radius - Math.sqrt(50 / 9)) < 1e-14);
  t.throws(() => pairDistance(x, shape, [0, 3]), { instanceOf: UsageError, message: /particle 3/ });
  t.throws(() => pairDistance(x, shape, [1, 1]), { instanceOf: UsageError });
  t.throws(() => radiusOfGyration(x.subarray(1), shape), { instanceOf: DataError });
});
