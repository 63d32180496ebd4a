import test from 'ava';
import {
  binomialFraction,
  mean,
  quantile,
  standardErrorOfMean,
  variance,
  weightedFraction,
} from '../../src/analysis/statistics.js';
import { DataError, UsageError } from '../../src/errors.js';
import { draw, uniforms } from '../reweighting/random.js';

test('mean and variance survive a large offset', (t) => {
  const values = [4, 7, 13, 16].map((v) => v + 1e9);
  t.is(mean(values), 1e9 + 10);
  t.is(variance(values), 30);
  t.is(standardErrorOfMean(values), Math.sqrt(7.5));
  t.is(variance([3]), Number.NaN);
});

test('quantiles interpolate like numpy', (t) => {
  const values = [7, 1, 3, 10];
  t.deepEqual(
    [0, 0.25, 0.5, 1].map((p) => quantile(values, p)),
    [1, 2.5, 5, 10],
  );
  t.is(quantile([5], 0.3), 5);
  t.is(quantile([1, Number.POSITIVE_INFINITY], 0), 1);
});

test('a fraction of which nothing was seen still has an error of order 1/n', (t) => {
  for (const successes of [0, 50]) {
    const { standardError } = binomialFraction(successes, 50);
    t.true(standardError > 0.5 / 50 && standardError < 1.5 / 50);
  }
  t.true(Math.abs(binomialFraction(3000, 10_000).standardError / Math.sqrt((0.3 * 0.7) / 1e4) - 1) < 1e-3);
});

test('equal weights give the binomial fraction', (t) => {
  const member = Array.from({ length: 1000 }, (_, i) => i < 300);
  const weighted = weightedFraction(member, new Float64Array(1000).fill(1e-200));
  const plain = binomialFraction(300, 1000);
  t.true(Math.abs(weighted.value - plain.value) < 1e-12);
  t.true(Math.abs(weighted.standardError / plain.standardError - 1) < 2e-3);
  t.true(Math.abs(weighted.diagnostics.ess - 1000) < 1e-8);
});

test('error bars of weighted fractions are calibrated', (t) => {
  // Uniform samples weighted by 2u towards density 2u: P(u < ½) = ¼. 400 replicates, the mean of z² has standard
  // deviation 0.07; the bounds are 5 of them, false alarm below 1e-6.
  const uniform = uniforms(5);
  let sum = 0;
  for (let r = 0; r < 400; r++) {
    const u = draw(500, uniform);
    const { value, standardError } = weightedFraction(
      Array.from(u, (v) => v < 0.5),
      u,
    );
    sum += ((value - 0.25) / standardError) ** 2;
  }
  // The larger of two errors is a little cautious where the delta method's is the smaller, as here.
  t.true(sum / 400 > 0.4 && sum / 400 < 1.35, `mean z² ${sum / 400}`);
});

test('a weighted fraction without members is uncertain by the effective, not the nominal, size', (t) => {
  const weights = Float64Array.from({ length: 1000 }, (_, i) => (i < 10 ? 1 : 1e-9));
  const { value, standardError } = weightedFraction(new Uint8Array(1000), weights);
  t.is(value, 0);
  t.true(standardError > 0.03 && standardError < 0.1);
});

test('bad input is refused', (t) => {
  t.throws(() => mean([]), { instanceOf: DataError });
  t.throws(() => quantile([1], 1.5), { instanceOf: UsageError });
  t.throws(() => quantile([1, Number.NaN], 0.5), { instanceOf: DataError });
  t.throws(() => binomialFraction(3, 2), { instanceOf: UsageError });
  t.throws(() => binomialFraction(0, 0), { instanceOf: UsageError });
  t.throws(() => weightedFraction([1, 0], [1]), { instanceOf: DataError });
  t.throws(() => weightedFraction([1, 0], [1, Number.NaN]), { instanceOf: DataError, message: /NaN at index 1/ });
  t.throws(() => weightedFraction([1, 0], [0, 0]), { instanceOf: DataError });
});
