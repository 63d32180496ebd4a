import test from 'ava';
import { DataError, UsageError } from '../../src/errors.js';
import { blockBootstrap, blockLength, weightedMean } from '../../src/reweighting/index.js';
import { assertCoverage, autoregressive } from './calibration.js';
import { draw, normals, uniforms } from './random.js';

const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;

test('the error of a mean of independent values is the textbook one', (t) => {
  // 2000 replicates know it to 1.6 %; the bound is five of that, false alarm below 1e-6.
  const values = draw(500, normals(1));
  const { value, standardError } = blockBootstrap([values], ([v]) => mean(v), {
    seed: 1,
    replicates: 2000,
    blockLength: 1,
  });
  const sd = Math.sqrt(values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / 500);
  t.is(value, mean(values));
  t.true(Math.abs(standardError / (sd / Math.sqrt(500)) - 1) < 0.08);
});

test('equal seeds give equal bits, other seeds other ones', (t) => {
  const values = draw(200, normals(2));
  const run = (seed: number) => blockBootstrap([values], ([v]) => mean(v), { seed, replicates: 50 });
  t.deepEqual(run(3), run(3));
  t.not(run(3).standardError, run(4).standardError);
});

test('series stay together: a weighted mean keeps its weights, and agrees with the delta method', (t) => {
  const normal = normals(7);
  const x = draw(2000, normal);
  const logWeight = x.map((v) => 0.5 * v);
  const paired = blockBootstrap([x, logWeight], ([v, l]) => weightedMean(v, l).value, { seed: 1, blockLength: 1 });
  // 400 replicates know the error to 3.5 %, and the delta method is first order; false alarm below 1e-5.
  t.true(Math.abs(paired.standardError / weightedMean(x, logWeight).standardError - 1) < 0.18);
});

test('intervals of 68 and 95 % of a mean of independent values hold it as often as they say', (t) => {
  assertCoverage(t, 1, 200, (r) => {
    const values = draw(300, uniforms(r)).map((u) => -Math.log(1 - u));
    return blockBootstrap([values], ([v]) => mean(v), { seed: r, replicates: 200, blockLength: 1 });
  });
});

test('blocks carry autocorrelation: calibrated along two correlated chains, too small with single samples', (t) => {
  const chain = (r: number) => autoregressive(4000, 0.7, 40 + r);
  const options = { replicates: 200, chains: [3000, 1000] };
  assertCoverage(t, 0, 200, (r) => blockBootstrap([chain(r)], ([v]) => mean(v), { ...options, seed: r }));
  const blocks = blockBootstrap([chain(0)], ([v]) => mean(v), { ...options, seed: 1 });
  const single = blockBootstrap([chain(0)], ([v]) => mean(v), { ...options, seed: 1, blockLength: 1 });
  // τ = 5.67, so that the errors differ by a factor of 2.4.
  t.true(blocks.standardError > 1.8 * single.standardError);
});

test('the percentile interval of 95 % is the wider and holds the value', (t) => {
  const { value, interval68, interval95 } = blockBootstrap([draw(300, normals(3))], ([v]) => mean(v), { seed: 5 });
  t.true(interval95[0] < interval68[0] && interval68[0] < value);
  t.true(interval95[1] > interval68[1] && interval68[1] > value);
});

test('the block length is 1 for independent and constant values and grows as ∛n with correlation', (t) => {
  t.true(blockLength(draw(5000, normals(5))) <= 4);
  t.is(blockLength(new Float64Array(100).fill(2)), 1);
  // AR(1) with a = 0.7: τ = 17/3, ∛(3/8·((τ² − 1)/τ)²·20 000) = 58.
  const length = blockLength(autoregressive(20_000, 0.7, 6));
  t.true(length > 50 && length < 67, `${length}`);
});

test('blocks do not cross from one chain to the next', (t) => {
  const values = Float64Array.from({ length: 200 }, (_, i) => (i < 100 ? 0 : 1));
  let steps = 0;
  const blocks = 20;
  blockBootstrap(
    [values],
    ([v]) => {
      for (let i = 1; i < v.length; i++) if (v[i] !== v[i - 1] && i % 10 !== 0) steps++;
      return mean(v);
    },
    { seed: 1, replicates: blocks, blockLength: 10, chains: [100, 100] },
  );
  t.is(steps, 0);
});

test('too few blocks, or an estimator that fails, give no error bar', (t) => {
  const values = draw(100, normals(8));
  const few = blockBootstrap([values], ([v]) => mean(v), { seed: 1, blockLength: 20 });
  t.is(few.standardError, Number.NaN);
  t.is(few.diagnostics.blocks, 5);
  const failing = blockBootstrap([values], ([v]) => (v[0] > 0 ? Number.POSITIVE_INFINITY : 1), { seed: 1 });
  t.is(failing.standardError, Number.NaN);
  t.true(failing.diagnostics.failed > 0);
});

test('bad options are refused by name', (t) => {
  const values = draw(100, normals(9));
  const run = (options: object) => () => blockBootstrap([values], ([v]) => mean(v), { seed: 1, ...options });
  t.throws(run({ seed: -1 }), { instanceOf: UsageError, message: /seed: -1/ });
  t.throws(run({ replicates: 5 }), { instanceOf: UsageError, message: /replicates: 5/ });
  t.throws(run({ blockLength: 101 }), { instanceOf: UsageError, message: /blockLength: 101/ });
  t.throws(run({ chains: [50] }), { instanceOf: DataError, message: /50 samples together/ });
  t.throws(() => blockBootstrap([], () => 0, { seed: 1 }), { instanceOf: DataError });
  t.throws(() => blockBootstrap([values, new Float64Array(3)], () => 0, { seed: 1 }), { message: /series 1 has 3/ });
});
