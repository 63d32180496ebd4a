import test from 'ava';
import { DataError, UsageError } from '../../src/errors.js';
import {
  foldBlocks,
  importanceWeights,
  largestLogWeights,
  logWeights,
  normalizedWeights,
  tailLength,
  WEIGHT_BLOCK_SIZE,
  weightBlock,
  weightBlocks,
  weightedMean,
  weightReport,
} from '../../src/reweighting/index.js';
import { assertCoverage, refusals } from './calibration.js';
import { draw, normals, uniforms } from './random.js';

/** Log-weights of q = N(0, 1) against the unnormalised target exp(−(x − shift)²/2): log Z = ½ log 2π. */
function shiftedNormal(n: number, shift: number, seed: number) {
  const x = draw(n, normals(seed));
  const energy = x.map((v) => (v - shift) ** 2 / 2);
  const logQ = x.map((v) => -(v ** 2) / 2 - Math.log(2 * Math.PI) / 2);
  return { x, logWeight: logWeights(energy, logQ) };
}
const LOG_Z = Math.log(2 * Math.PI) / 2;

test('figures equal the textbook formulas on plain weights', (t) => {
  const weights = Array.from(draw(9000, uniforms(1)), (u) => u ** 3);
  const report = importanceWeights(Float64Array.from(weights, Math.log));
  const n = weights.length;
  const sum = weights.reduce((a, w) => a + w, 0);
  const squares = weights.reduce((a, w) => a + w * w, 0);
  const sd = Math.sqrt(weights.reduce((a, w) => a + (w - sum / n) ** 2, 0) / (n - 1));
  t.true(Math.abs(report.ess / (sum ** 2 / squares) - 1) < 1e-12);
  t.true(Math.abs(report.essFraction * n - report.ess) < 1e-9);
  t.true(Math.abs(report.logZ.value - Math.log(sum / n)) < 1e-12);
  const plainError = report.logZ.standardError / report.logZ.diagnostics.tailFactor;
  t.true(Math.abs(plainError / (sd / (Math.sqrt(n) * (sum / n))) - 1) < 1e-12);
  // The weights are bounded, so that their tail holds nothing unseen.
  t.true(Math.abs(report.logZ.diagnostics.tailFactor - 1) < 0.05, `${report.logZ.diagnostics.tailFactor}`);
  t.true(Math.abs(report.largestShare / (Math.max(...weights) / sum) - 1) < 1e-12);
  t.is(report.n, n);
});

test('a report depends on the sequence alone: any sharding at block borders gives the same bits', (t) => {
  const logWeight = draw(3 * WEIGHT_BLOCK_SIZE + 777, normals(2)).map((z) => 30 * z - 400);
  logWeight[5000] = Number.NEGATIVE_INFINITY;
  const whole = importanceWeights(logWeight);
  const keep = tailLength(logWeight.length) + 1;
  for (const blocksPerShard of [1, 2, 3]) {
    const blocks = [];
    const largest: number[] = [];
    for (let start = 0; start < logWeight.length; start += blocksPerShard * WEIGHT_BLOCK_SIZE) {
      const shard = logWeight.slice(start, start + blocksPerShard * WEIGHT_BLOCK_SIZE);
      blocks.push(...weightBlocks(shard));
      largest.push(...largestLogWeights(shard, keep));
    }
    const merged = weightReport(foldBlocks(blocks), largestLogWeights(Float64Array.from(largest), keep));
    t.deepEqual(merged, whole);
  }
});

test('largest log-weights are those of a full sort, whatever the buffer does', (t) => {
  const values = draw(50_000, normals(3));
  values.fill(Number.NEGATIVE_INFINITY, 0, 100);
  for (const keep of [1, 7, 672, 49_999, 60_000]) {
    t.deepEqual(largestLogWeights(values, keep), values.slice().sort().reverse().slice(0, keep));
  }
});

test('a constant added to all log-weights moves log Z by it and nothing else', (t) => {
  const logWeight = draw(5000, normals(4));
  const a = importanceWeights(logWeight);
  for (const offset of [-50_000, 900]) {
    const b = importanceWeights(logWeight.map((l) => l + offset));
    t.true(Math.abs(b.logZ.value - a.logZ.value - offset) < 1e-10);
    t.true(Math.abs(b.ess / a.ess - 1) < 1e-9);
    t.true(Math.abs(b.khat - a.khat) < 1e-8);
  }
});

test('nearly equal weights keep the digits of their variance', (t) => {
  const logWeight = draw(20_000, normals(5)).map((z) => 1e-9 * z);
  t.true(Math.abs((importanceWeights(logWeight).logZ.standardError * Math.sqrt(20_000)) / 1e-9 - 1) < 0.03);
});

test('error bars of log Z are calibrated: squared z-scores average to one', (t) => {
  // 400 replicates: the mean of z² has standard deviation 0.07; the bounds are 5 of them, false alarm below 1e-6.
  let sum = 0;
  for (let r = 0; r < 400; r++) {
    const { logZ } = importanceWeights(shiftedNormal(1000, 0.5, 100 + r).logWeight);
    sum += ((logZ.value - LOG_Z) / logZ.standardError) ** 2;
  }
  t.true(Math.abs(sum / 400 - 1) < 0.35, `mean z² ${sum / 400}`);
});

/** log-weights whose mean weight is known, by how heavy their tail is: k is what k̂ comes out as. */
const TAILS = [
  { k: 0.1, name: 'Gaussian work, σ = 0.5', of: (z: number) => 0.5 * z - 0.125, logZ: 0 },
  { k: 0.25, name: 'Gaussian work, σ = 1', of: (z: number) => z - 0.5, logZ: 0 },
  { k: 0.3, name: 'an oscillator that softens to 0.7', of: (z: number) => 0.15 * z ** 2, logZ: -Math.log(0.7) / 2 },
  { k: 0.43, name: 'Gaussian work, σ = 1.5', of: (z: number) => 1.5 * z - 1.125, logZ: 0 },
  { k: 0.47, name: 'an oscillator that softens to 0.5', of: (z: number) => 0.25 * z ** 2, logZ: -Math.log(0.5) / 2 },
  { k: 0.6, name: 'Gaussian work, σ = 2', of: (z: number) => 2 * z - 2, logZ: 0 },
];
for (const { k, name, of, logZ } of TAILS) {
  test(`k̂ = ${k}, ${name}: intervals of log Z of 68 and 95 % hold it as often as they say`, (t) => {
    let khat = 0;
    assertCoverage(t, logZ, 200, (r) => {
      const report = importanceWeights(draw(10_000, normals(31 * r + 1)).map(of));
      khat += report.khat / 200;
      return report.logZ;
    });
    t.true(Math.abs(khat - k) < 0.04, `${khat}`);
  });
}

test('too little overlap is refused in 95 % of replicates', (t) => {
  for (const of of [(z: number) => 3 * z, (z: number) => 0.5 * z ** 2, (z: number) => 6 * z]) {
    t.true(refusals(200, (r) => importanceWeights(draw(10_000, normals(31 * r + 1)).map(of))) >= 0.95);
  }
});

test('a reweighted mean is right and its error bars are calibrated', (t) => {
  // As above, 400 replicates, false alarm below 1e-6.
  let sum = 0;
  for (let r = 0; r < 400; r++) {
    const { x, logWeight } = shiftedNormal(1000, 0.5, 600 + r);
    const estimate = weightedMean(x, logWeight);
    sum += ((estimate.value - 0.5) / estimate.standardError) ** 2;
  }
  t.true(Math.abs(sum / 400 - 1) < 0.35, `mean z² ${sum / 400}`);
});

test('a mean that one sample decides has no error bar', (t) => {
  const estimate = weightedMean(Float64Array.of(1, 2, 3), Float64Array.of(0, 0, 50));
  t.is(estimate.value, 3);
  t.is(estimate.standardError, Number.NaN);
});

test('zero weights count as samples and hide infinite values', (t) => {
  const zero = Number.NEGATIVE_INFINITY;
  const report = importanceWeights(Float64Array.of(0, zero, 0, zero));
  t.is(report.zeroWeights, 2);
  t.is(report.ess, 2);
  t.true(Math.abs(report.logZ.value - Math.log(0.5)) < 1e-15);
  t.is(weightedMean(Float64Array.of(1, Number.POSITIVE_INFINITY, 3), Float64Array.of(0, zero, 0)).value, 2);
  t.deepEqual(Array.from(normalizedWeights(Float64Array.of(0, zero, 0))), [0.5, 0, 0.5]);
});

test('status: sound weights are trusted, heavy tails and small samples are not', (t) => {
  const level = (logWeight: Float64Array) => importanceWeights(logWeight).status.level;
  const pareto = (k: number, n: number) => draw(n, uniforms(3)).map((u) => -k * Math.log(1 - u));
  t.is(level(pareto(0.2, 20_000)), 'trust');
  t.is(level(pareto(0.6, 20_000)), 'care');
  t.is(level(pareto(1.2, 20_000)), 'do-not-trust');
  t.is(level(pareto(0.2, 3000)), 'care');
  t.is(level(pareto(0.2, 60)), 'do-not-trust');
  t.is(level(Float64Array.of(0)), 'do-not-trust');
  t.is(level(new Float64Array(20_000)), 'trust');
  t.is(level(draw(20_000, normals(8)).map((z) => 400 + 1e-13 * z)), 'trust');
  t.is(level(pareto(1.2, 20_000).map((l) => Math.min(l, 1))), 'do-not-trust');
  t.is(level(new Float64Array(500).fill(Number.NEGATIVE_INFINITY)), 'do-not-trust');
});

test('status of a heavy tail says why and what to do', (t) => {
  const { status } = importanceWeights(draw(10_000, normals(9)).map((z) => 8 * z));
  t.regex(status.text, /Pareto k = \d\.\d\d exceeds 0\.70/);
  t.regex(status.text, /train longer/);
});

test('one sample has a log Z but no error bar; only zero weights give −Infinity and no error bar', (t) => {
  const one = importanceWeights(Float64Array.of(1.5));
  t.is(one.logZ.value, 1.5);
  t.is(one.logZ.standardError, Number.NaN);
  const none = importanceWeights(new Float64Array(30).fill(Number.NEGATIVE_INFINITY));
  t.is(none.logZ.value, Number.NEGATIVE_INFINITY);
  t.is(none.logZ.standardError, Number.NaN);
  t.is(none.ess, 0);
});

test('bad log-weights are refused with their count and first index', (t) => {
  const bad = Float64Array.of(0, 1, Number.NaN, Number.POSITIVE_INFINITY);
  const error = t.throws(() => importanceWeights(bad, { source: 'a.npz: logWeight' }), { instanceOf: DataError });
  t.regex(error?.message ?? '', /^a\.npz: logWeight: 2 of 4 .* index 2/);
  t.throws(() => importanceWeights(new Float64Array(0)), { instanceOf: DataError, message: /no entries/ });
  t.throws(() => normalizedWeights(Float64Array.of(Number.NEGATIVE_INFINITY)), { instanceOf: DataError });
  t.throws(() => weightedMean(Float64Array.of(1), Float64Array.of(0, 0)), { instanceOf: DataError });
  t.throws(() => weightedMean(Float64Array.of(1, Number.NaN), Float64Array.of(0, 0)), { message: /index 1/ });
  t.throws(() => weightBlock(new Float64Array(WEIGHT_BLOCK_SIZE + 1)), { instanceOf: DataError });
  t.throws(() => weightReport(foldBlocks(weightBlocks(new Float64Array(100))), new Float64Array(5)), {
    instanceOf: DataError,
    message: /5 entries, expected 21/,
  });
  t.throws(() => logWeights(Float64Array.of(1), Float64Array.of(1), 0), { instanceOf: UsageError });
  t.throws(() => logWeights(Float64Array.of(1), Float64Array.of(1, 2)), { instanceOf: DataError });
});

test('the temperature divides the energy alone', (t) => {
  t.deepEqual(Array.from(logWeights(Float64Array.of(4, Number.POSITIVE_INFINITY), Float64Array.of(-1, 0), 2)), [
    -1,
    Number.NEGATIVE_INFINITY,
  ]);
});
