import test from 'ava';
import { UsageError } from '../../src/errors.js';
import {
  defineSystem,
  EnergyEvaluator,
  type PairFunction,
  tabulatePair,
  tabulatePoints,
} from '../../src/systems/index.js';
import { observedOrder } from '../fields/reference-fields.js';

/** Pair functions unlike one another, each on its domain. */
const FUNCTIONS: readonly { name: string; u: PairFunction; dMin: number; dMax: number }[] = [
  { name: 'Lennard-Jones', u: (d) => d ** -12 - 2 * d ** -6, dMin: 0.75, dMax: 3 },
  { name: 'Yukawa', u: (d) => (3 * Math.exp(-1.3 * d)) / d, dMin: 0.2, dMax: 6 },
  { name: 'wave', u: (d) => Math.sin(5 * d), dMin: 1, dMax: 4 },
];

/** Energies and their derivatives along the distance of one pair at each distance. */
function alongDistance(term: ReturnType<typeof tabulatePair>['term'], distances: readonly number[]) {
  const pair = defineSystem({
    name: 'pair',
    particles: 2,
    dimensions: 2,
    terms: [term],
    convention: 'for tests',
    sampling: { metropolisStep: 0.1, start: [0, 0, 1, 0] },
  });
  const x = Float64Array.from(distances.flatMap((d) => [0, 0, d, 0]));
  const { energy, gradient } = new EnergyEvaluator(pair).energyAndGradient(x, distances.length);
  return { energy, slope: energy.map((_, s) => gradient[4 * s + 2]) };
}

test('the error reported is the error that there is', (t) => {
  for (const { name, u, dMin, dMax } of FUNCTIONS) {
    for (const intervals of [32, 100, 257]) {
      const { term, error } = tabulatePair(u, { dMin, dMax, intervals });
      const n = 23 * intervals;
      const distances = Array.from({ length: n }, (_, i) => dMin + ((i + 0.5) / n) * (dMax - dMin));
      const { energy } = alongDistance(term, distances);
      const found = distances.reduce((worst, d, i) => Math.max(worst, Math.abs(energy[i] - u(d))), 0);
      // Five points an interval miss the largest deviation by little.
      t.true(
        found <= 1.05 * error.value && found >= 0.9 * error.value,
        `${name}, ${intervals}: ${found}, ${error.value}`,
      );
      t.true(error.distance >= dMin && error.distance <= dMax);
      const [there] = alongDistance(term, [error.distance]).energy;
      t.true(Math.abs(Math.abs(there - u(error.distance)) - error.value) < 1e-12 * Math.abs(u(dMin)) + 1e-13);
    }
  }
});

test('the error falls with the fourth power of the spacing', (t) => {
  for (const { name, u, dMin, dMax } of FUNCTIONS) {
    const intervals = [512, 1024, 2048, 4096];
    const errors = intervals.map((count) => tabulatePair(u, { dMin, dMax, intervals: count }).error.value);
    const order = -observedOrder(intervals, errors);
    t.true(order > 3.8 && order < 4.2, `${name}: order ${order}, errors ${errors}`);
  }
});

test('the function is never asked outside its domain', (t) => {
  for (const [dMin, dMax] of [
    [1, 2],
    [0.1, 0.7],
    [1e-3, 1e3],
  ]) {
    let [least, most] = [Number.POSITIVE_INFINITY, 0];
    const u = (d: number) => {
      least = Math.min(least, d);
      most = Math.max(most, d);
      return d * d;
    };
    tabulatePair(u, { dMin, dMax, intervals: 37 });
    t.deepEqual([least, most], [dMin, dMax]);
  }
});

test('below the domain the energy goes on as a straight line, value and slope continuous', (t) => {
  for (const { name, u, dMin, dMax } of FUNCTIONS) {
    const { term } = tabulatePair(u, { dMin, dMax, intervals: 4096 });
    const [value, slope] = [term.values[0], term.slopes[0]];
    t.is(value, u(dMin));
    const h = 1e-6 * dMin;
    const derivative = (u(dMin + h) - u(dMin - h)) / (2 * h);
    t.true(Math.abs(slope / derivative - 1) < 1e-6, `${name}: slope ${slope}, du/dd ${derivative}`);
    const inside = [0.001, 0.2, 0.5, 0.99, 1 - 1e-9].map((fraction) => fraction * dMin);
    const core = alongDistance(term, inside);
    const scale = Math.abs(value) + Math.abs(slope) * dMin;
    for (let i = 0; i < inside.length; i++) {
      const line = value + slope * (inside[i] - dMin);
      t.true(Math.abs(core.energy[i] - line) < 1e-12 * scale, `${name} at ${inside[i]}: ${core.energy[i]}, ${line}`);
      t.true(Math.abs(core.slope[i] / slope - 1) < 1e-12, `${name} at ${inside[i]}`);
    }
    const after = alongDistance(term, [dMin * (1 + 1e-9)]);
    t.true(Math.abs(after.energy[0] - core.energy[4]) < 1e-7 * scale);
    t.true(Math.abs(after.slope[0] / core.slope[4] - 1) < 1e-5, `${name}: ${after.slope[0]}, ${core.slope[4]}`);
  }
});

test('beyond the domain the energy is constant, its value continuous', (t) => {
  for (const { name, u, dMin, dMax } of FUNCTIONS) {
    const { term } = tabulatePair(u, { dMin, dMax, intervals: 300 });
    const beyond = alongDistance(term, [dMax * (1 + 1e-12), dMax + 0.1, 10 * dMax, 1e6, 1e100]);
    t.true(
      beyond.energy.every((energy) => energy === u(dMax)),
      name,
    );
    t.true(
      beyond.slope.every((slope) => slope === 0),
      name,
    );
    const before = alongDistance(term, [dMax * (1 - 1e-9)]);
    t.true(Math.abs(before.energy[0] - u(dMax)) < 1e-6 * Math.abs(u(dMin)));
  }
});

for (const precision of ['f64', 'f32'] as const) {
  test(`NaN or infinite positions give a NaN energy, to their own sample alone: ${precision}`, (t) => {
    const [{ u, dMin, dMax }] = FUNCTIONS;
    const { term } = tabulatePair(u, { dMin, dMax });
    for (const dimensions of [2, 3]) {
      const C = 3 * dimensions;
      const system = defineSystem({
        name: 'three',
        particles: 3,
        dimensions,
        species: [0, 0, 1],
        terms: [
          { ...term, species: [0, 1] },
          { ...term, species: [0, 0] },
        ],
        convention: 'for tests',
        sampling: { metropolisStep: 0.1, start: new Array(C).fill(0) },
      });
      const n = 9;
      const x = Float64Array.from({ length: n * C }, (_, c) => Math.sin(7 * c));
      const evaluator = new EnergyEvaluator(system, precision);
      const before = evaluator.energyAndGradient(x, n);
      t.true(before.energy.every(Number.isFinite));
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (let s = 0; s < n; s++) {
          const spoilt = x.slice();
          spoilt[s * C + (s % C)] = bad;
          const after = evaluator.energyAndGradient(spoilt, n);
          t.true(Number.isNaN(after.energy[s]), `${bad} in sample ${s}: ${after.energy[s]}`);
          const others = (values: Float64Array, size: number) => values.filter((_, c) => Math.floor(c / size) !== s);
          t.deepEqual(others(after.energy, 1), others(before.energy, 1));
          t.deepEqual(others(after.gradient, C), others(before.gradient, C));
        }
      }
    }
  });
}

test('a table through points passes through them, and through a straight line everywhere', (t) => {
  const distances = [0.5, 0.8, 1.1, 1.9, 2.4, 4];
  const energies = [3, -1, -2, 0.5, 0.7, 0];
  const { term, error } = tabulatePoints(distances, energies, { intervals: 4000 });
  const { energy } = alongDistance(term, distances);
  // The third derivative of the spline jumps at its points, so that the table is of third order there.
  energies.forEach((expected, i) => {
    t.true(Math.abs(energy[i] - expected) <= error.value + 1e-12, `at ${distances[i]}: ${energy[i]}`);
  });
  t.true(error.value < 1e-7, `${error.value}`);
  const line = tabulatePoints(
    distances,
    distances.map((d) => 2 - 3 * d),
    { intervals: 64 },
  );
  t.true(line.error.value < 1e-12);
  t.true(line.term.slopes.every((slope) => Math.abs(slope + 3) < 1e-9));
});

test('domains, counts and functions that cannot be tabulated are refused, naming why', (t) => {
  const refuse = (make: () => unknown, message: RegExp) => t.throws(make, { instanceOf: UsageError, message });
  const domain = { dMin: 1, dMax: 2 };
  for (const [dMin, dMax] of [
    [0, 1],
    [-1, 1],
    [2, 1],
    [1, 1],
    [1, Number.POSITIVE_INFINITY],
    [Number.NaN, 1],
  ]) {
    refuse(() => tabulatePair((d) => d, { dMin, dMax }), /domain \[.*expected positive distances, the first below/);
  }
  for (const intervals of [7, 8.5, 1_000_001, Number.NaN]) {
    refuse(
      () => tabulatePair((d) => d, { ...domain, intervals }),
      /intervals .*, expected an integer from 8 to 1000000/,
    );
  }
  refuse(() => tabulatePair((d) => 1 / (d - 1), domain), /u\(1\) is Infinity, expected a finite number on \[1, 2\]/);
  refuse(() => tabulatePair((d) => Math.log(1.5 - d), domain), /u\(1\.5.*\) is (NaN|-Infinity)/);
  refuse(
    () => tabulatePoints([1, 2, 3], [1, 2, 3]),
    /3 distances and 3 energies, expected as many of each, at least 4/,
  );
  refuse(() => tabulatePoints([1, 2, 3, 4], [1, 2, 3]), /4 distances and 3 energies/);
  refuse(() => tabulatePoints([1, 3, 2, 4], [1, 2, 3, 4]), /positive and ascending/);
  refuse(() => tabulatePoints([1, 2, 2, 4], [1, 2, 3, 4]), /positive and ascending/);
  refuse(() => tabulatePoints([0, 1, 2, 4], [1, 2, 3, 4]), /positive and ascending/);
  refuse(() => tabulatePoints([1, 2, Number.NaN, 4], [1, 2, 3, 4]), /positive and ascending/);
  refuse(() => tabulatePoints([1, 2, 3, 4], [1, Number.NaN, 3, 4]), /u\(1.*\) is NaN/);
});
