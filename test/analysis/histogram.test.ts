import test from 'ava';
import { histogram, histogram2d } from '../../src/analysis/histogram.js';
import { DataError, UsageError } from '../../src/errors.js';
import { draw, normals, uniforms } from '../reweighting/random.js';

test('a density integrates to the fraction inside the axis', (t) => {
  const values = draw(5000, normals(1));
  const { density, mass, outside, edges } = histogram(values, { min: -1, max: 2, bins: 30 });
  const integral = density.reduce((a, d) => a + d * 0.1, 0);
  const inside = values.filter((v) => v >= -1 && v <= 2).length;
  t.true(Math.abs(integral - inside / 5000) < 1e-12);
  t.true(Math.abs(outside - (1 - inside / 5000)) < 1e-12);
  t.is(
    mass.reduce((a, m) => a + m, 0),
    inside,
  );
  t.deepEqual([edges.length, edges[0], edges[30]], [31, -1, 2]);
});

test('bins are closed below, the last also above; infinities fall outside', (t) => {
  const values = [0, 0.5, 1, -1e-9, Number.POSITIVE_INFINITY];
  const { mass, outside } = histogram(values, { min: 0, max: 1, bins: 2 });
  t.deepEqual(Array.from(mass), [1, 2]);
  t.true(Math.abs(outside - 0.4) < 1e-15);
});

test('integer weights equal repeated values, at any scale', (t) => {
  const axis = { min: 0, max: 3, bins: 3 };
  const repeated = histogram([0.5, 1.5, 1.5, 1.5, 9], axis);
  const weighted = histogram([0.5, 1.5, 9], axis, [1e-3, 3e-3, 1e-3]);
  for (let i = 0; i < 3; i++) t.true(Math.abs(repeated.density[i] - weighted.density[i]) < 1e-15);
  t.true(Math.abs(repeated.outside - weighted.outside) < 1e-15);
});

test('summing a 2-D histogram over y gives the 1-D one of x', (t) => {
  const x = draw(2000, uniforms(2));
  const y = draw(2000, uniforms(3));
  const weights = draw(2000, uniforms(4));
  const xAxis = { min: 0, max: 1, bins: 7 };
  const plane = histogram2d(x, y, xAxis, { min: 0, max: 1, bins: 5 }, weights);
  const line = histogram(x, xAxis, weights);
  for (let i = 0; i < 7; i++) {
    const sum = plane.density.subarray(5 * i, 5 * i + 5).reduce((a, d) => a + d / 5, 0);
    t.true(Math.abs(sum - line.density[i]) < 1e-12);
  }
});

test('rows of a 2-D histogram are x, columns y', (t) => {
  const { mass, outside } = histogram2d(
    [0.1, 0.9, 0.1],
    [2.5, 0.5, 7],
    { min: 0, max: 1, bins: 2 },
    { min: 0, max: 3, bins: 3 },
  );
  t.deepEqual(Array.from(mass), [0, 0, 1, 1, 0, 0]);
  t.true(Math.abs(outside - 1 / 3) < 1e-15);
});

test('bad input is refused', (t) => {
  const axis = { min: 0, max: 1, bins: 2 };
  t.throws(() => histogram([1], { min: 1, max: 1, bins: 2 }), { instanceOf: UsageError });
  t.throws(() => histogram([1], { min: 0, max: 1, bins: 0 }), { instanceOf: UsageError });
  t.throws(() => histogram([0, Number.NaN], axis), { instanceOf: DataError, message: /NaN at index 1/ });
  t.throws(() => histogram([0, 1], axis, [1, -1]), { instanceOf: DataError, message: /-1 at index 1/ });
  t.throws(() => histogram([0, 1], axis, [1]), { instanceOf: DataError });
  t.throws(() => histogram([], axis), { instanceOf: DataError });
  t.throws(() => histogram2d([0], [0, 1], axis, axis), { instanceOf: DataError });
});
