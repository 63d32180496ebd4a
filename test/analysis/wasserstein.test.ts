import test from 'ava';
import { energyW2, wassersteinDistance, wassersteinEstimate } from '../../src/analysis/wasserstein.js';
import { DataError, UsageError } from '../../src/errors.js';
import { draw, normals, uniforms } from '../reweighting/random.js';

const W = (a: ArrayLike<number>, b: ArrayLike<number>, order: 1 | 2) =>
  wassersteinDistance({ values: a }, { values: b }, order);

/** Every value as often as its count says. */
function repeated(values: ArrayLike<number>, counts: ArrayLike<number>): number[] {
  return Array.from(values).flatMap((v, i) => new Array<number>(counts[i]).fill(v));
}

/** Least mean cost over all assignments. */
function bestAssignment(a: readonly number[], b: readonly number[], order: number): number {
  if (a.length === 0) return 0;
  const [head, ...rest] = a;
  return Math.min(...b.map((y, j) => Math.abs(head - y) ** order + bestAssignment(rest, b.toSpliced(j, 1), order)));
}

test('the quantile coupling is the best of all assignments', (t) => {
  const normal = normals(1);
  for (let trial = 0; trial < 20; trial++) {
    const [a, b] = [Array.from(draw(6, normal)), Array.from(draw(6, normal))];
    for (const order of [1, 2] as const) {
      t.true(Math.abs(W(a, b, order) - (bestAssignment(a, b, order) / 6) ** (1 / order)) < 1e-12);
    }
  }
});

test('samples of unequal sizes and integer weights equal their common repetition', (t) => {
  const normal = normals(2);
  const [a, b] = [draw(4, normal), draw(6, normal)];
  const [weightsA, weightsB] = [
    [1, 2, 0, 3],
    [1, 1, 5, 2, 2, 1],
  ];
  for (const order of [1, 2] as const) {
    const equal = W(repeated(a, [3, 3, 3, 3]), repeated(b, [2, 2, 2, 2, 2, 2]), order);
    t.true(Math.abs(W(a, b, order) - equal) < 1e-12);
    const weighted = wassersteinDistance(
      { values: a, weights: weightsA.map((w) => w * 1e-200) },
      { values: b, weights: weightsB },
      order,
    );
    t.true(Math.abs(weighted - W(repeated(a, weightsA), repeated(b, weightsB), order)) < 1e-12);
  }
});

test('it is a metric: zero to itself, symmetric, triangle inequality; W1 is at most W2', (t) => {
  const normal = normals(3);
  const [a, b, c] = [50, 71, 33].map((n, k) => draw(n, normal).map((v) => v * (1 + k)));
  for (const order of [1, 2] as const) {
    t.is(W(a, a.toReversed(), order), 0);
    t.true(Math.abs(W(a, b, order) - W(b, a, order)) < 1e-12);
    t.true(W(a, c, order) <= W(a, b, order) + W(b, c, order));
  }
  t.true(W(a, b, 1) <= W(a, b, 2));
});

test('a shift is its own distance, whatever the sizes', (t) => {
  const a = draw(1000, normals(4));
  for (const order of [1, 2] as const) {
    const shifted = a.map((v) => v - 2.5);
    t.true(Math.abs(W(a, shifted, order) - 2.5) < 1e-12);
    t.true(Math.abs(W([...a, ...a], shifted, order) - 2.5) < 1e-12);
  }
});

test('normals of different width are |σ1 − σ2| apart; their W1 is that times √(2/π)', (t) => {
  // n = 20 000: the standard errors are below 0.01; bounds of 5, false alarm below 1e-5.
  const normal = normals(5);
  const a = { values: draw(20_000, normal).map((v) => 3 * v) };
  const b = { values: draw(15_000, normal) };
  const expected = [2 * Math.sqrt(2 / Math.PI), 2];
  for (const order of [1, 2] as const) {
    const { value, standardError } = wassersteinEstimate(a, b, order, { replicates: 99 });
    t.true(standardError > 0.005 && standardError < 0.03, `standard error ${standardError}`);
    t.true(Math.abs(value - expected[order - 1]) < 5 * standardError, `order ${order}: ${value}`);
  }
});

test('error bars of distances above the floor are calibrated, weighted and correlated samples too', (t) => {
  // 150 replicates: mean z² has standard deviation 0.12; the bounds are 4.5 of them, false alarm below 1e-5 each.
  const normal = normals(6);
  const sums = { plain: 0, weighted: 0, correlated: 0 };
  for (let r = 0; r < 150; r++) {
    const reference = { values: draw(300, normal) };
    const z2 = (sample: Parameters<typeof energyW2>[0], expected: number) => {
      const { value, standardError } = wassersteinEstimate(sample, reference, 2, { replicates: 99 });
      return ((value - expected) / standardError) ** 2;
    };
    sums.plain += z2({ values: draw(200, normal).map((v) => 2 + v) }, 2) / 150;
    // N(2, ½²) with weights e^x is N(2.25, ½²).
    const proposal = draw(200, normal).map((v) => 2 + v / 2);
    const weights = proposal.map((v) => Math.exp(v));
    sums.weighted += z2({ values: proposal, weights }, Math.hypot(2.25, 0.5)) / 150;
    const distinct = draw(50, normal).map((v) => 2 + v);
    const values = repeated(distinct, new Array(50).fill(4));
    sums.correlated += z2({ values, independentSamples: 50 }, 2) / 150;
  }
  for (const [name, sum] of Object.entries(sums)) t.true(sum > 0.46 && sum < 1.54, `${name}: mean z² ${sum}`);
});

test('between samples of one distribution the noise floor is the distance to expect', (t) => {
  // 200 replicates. The exceedance is uniform: mean 0.5 with standard deviation 0.02, 5 of them as bounds. More than 9 of
  // 200 false alarms of 1 % have probability 1e-4; the seed is fixed.
  const normal = normals(7);
  let exceedance = 0;
  let z = 0;
  let alarms = 0;
  for (let r = 0; r < 200; r++) {
    const estimate = energyW2({ values: draw(150, normal) }, { values: draw(400, normal) }, { seed: r });
    const { noiseFloor, noiseFloorSpread } = estimate.diagnostics;
    exceedance += estimate.diagnostics.exceedance / 200;
    z += (estimate.value - noiseFloor) / noiseFloorSpread / 200;
    if (estimate.distinguishable) alarms++;
  }
  t.true(Math.abs(exceedance - 0.5) < 0.1, `mean exceedance ${exceedance}`);
  t.true(Math.abs(z) < 0.35, `mean z ${z}`);
  t.true(alarms <= 9, `${alarms} false alarms`);
});

test('the noise floor of weighted samples knows where the large weights are', (t) => {
  // N(0, 1) reweighted to N(1, 1), so that the upper tail has all the large weights. 100 replicates: the mean exceedance has
  // standard deviation 0.029, bounds of 5 (1e-6). A floor from the effective size alone gives 0.16.
  const normal = normals(8);
  let exceedance = 0;
  for (let r = 0; r < 100; r++) {
    const values = draw(500, normal);
    const reference = { values: draw(500, normal).map((v) => 1 + v) };
    const sample = { values, weights: values.map(Math.exp) };
    exceedance += energyW2(sample, reference, { seed: r, replicates: 99 }).diagnostics.exceedance / 100;
  }
  t.true(Math.abs(exceedance - 0.5) < 0.145, `mean exceedance ${exceedance}`);
});

test('a weighted reference has the floor of its distribution', (t) => {
  // Half of the values have no weight: the same atoms, drawn as often.
  const values = draw(600, normals(9));
  const sample = { values: draw(300, normals(10)) };
  const half = energyW2(sample, { values: values.slice(0, 300) }).diagnostics;
  const weights = values.map((_, i) => (i < 300 ? 7 : 0));
  const weighted = energyW2(sample, { values, weights }).diagnostics;
  t.deepEqual(weighted, half);
});

test('half a standard deviation is told apart, a fiftieth is not; the seed alone decides the floor', (t) => {
  const normal = normals(11);
  const reference = { values: draw(1000, normal) };
  const values = draw(500, normal);
  const far = energyW2({ values: values.map((v) => v + 0.5) }, reference);
  t.true(far.distinguishable);
  t.is(far.n, 500);
  t.regex(far.status, /^Distinguishable: 0\.\d+ is above the noise floor/);
  const near = energyW2({ values: values.map((v) => v + 0.02) }, reference);
  t.false(near.distinguishable);
  t.regex(near.status, /^Not distinguishable/);
  t.deepEqual(far.diagnostics.noiseFloor, near.diagnostics.noiseFloor);
  t.not(energyW2({ values }, reference, { seed: 2 }).diagnostics.noiseFloor, near.diagnostics.noiseFloor);
});

test('infinite energies are infinitely far, unless they have no weight', (t) => {
  const values = Float64Array.from([0.5, 2, Number.POSITIVE_INFINITY]);
  const reference = { values: draw(100, uniforms(12)) };
  const { value, standardError, distinguishable } = energyW2({ values }, reference);
  t.deepEqual([value, standardError, distinguishable], [Number.POSITIVE_INFINITY, Number.NaN, true]);
  t.is(
    wassersteinDistance({ values, weights: [1, 1, 0] }, reference, 2),
    wassersteinDistance({ values: [0.5, 2] }, reference, 2),
  );
});

test('bad input is refused', (t) => {
  const good = { values: [1, 2, 3] };
  const bad = (sample: Parameters<typeof energyW2>[0], message: RegExp) =>
    t.throws(() => energyW2(sample, good), { instanceOf: DataError, message });
  bad({ values: [] }, /sample: no samples/);
  bad({ values: [1, Number.NaN] }, /NaN at index 1/);
  bad({ values: [1, 2], weights: [1] }, /1 entries, expected 2/);
  bad({ values: [1, 2], weights: [1, -1] }, /-1 at index 1/);
  bad({ values: [1, 2], weights: [0, 0] }, /all 2 are zero/);
  t.throws(() => energyW2(good, { values: [1, Number.POSITIVE_INFINITY] }), { instanceOf: DataError });
  t.throws(() => energyW2({ ...good, independentSamples: 4 }, good), { instanceOf: UsageError });
  t.throws(() => energyW2(good, good, { replicates: 98 }), { instanceOf: UsageError });
  t.throws(() => energyW2(good, good, { seed: -1 }), { instanceOf: UsageError });
});
