import test from 'ava';
import { DataError } from '../../src/errors.js';
import { entropyAndKl } from '../../src/reweighting/index.js';
import { draw, normals } from './random.js';

// q = N(0, 1); p = N(shift, 1) as U/kT = (x − shift)²/2, so log Z = ½ log 2π and both divergences are shift²/2.
const SHIFT = 0.4;
const KT = 2;
const LOG_Z = Math.log(2 * Math.PI) / 2;
const ENTROPY = Math.log(2 * Math.PI * Math.E) / 2;

function samples(n: number, seed: number) {
  const x = draw(n, normals(seed));
  return { energy: x.map((v) => (KT * (v - SHIFT) ** 2) / 2), logQ: x.map((v) => -(v ** 2) / 2 - LOG_Z) };
}

for (const logZ of [undefined, { value: LOG_Z, standardError: 0 }]) {
  const known = logZ ? 'given' : 'estimated';
  test(`entropies and divergences of normals are found with calibrated errors, log Z ${known}`, (t) => {
    // 300 replicates: the mean of z² has standard deviation 0.082; bounds are 5 of them, false alarm below 1e-5 in all.
    const truth = {
      flowEntropy: ENTROPY,
      targetEntropy: ENTROPY,
      reverseKl: SHIFT ** 2 / 2,
      forwardKl: SHIFT ** 2 / 2,
    };
    const names = Object.keys(truth) as (keyof typeof truth)[];
    const sums = { flowEntropy: 0, targetEntropy: 0, reverseKl: 0, forwardKl: 0 };
    for (let r = 0; r < 300; r++) {
      const { energy, logQ } = samples(2000, 2000 + r);
      const result = entropyAndKl(energy, logQ, logZ ? { kT: KT, logZ } : { kT: KT });
      for (const name of names) sums[name] += ((result[name].value - truth[name]) / result[name].standardError) ** 2;
    }
    for (const name of names) t.true(Math.abs(sums[name] / 300 - 1) < 0.41, `${name}: mean z² ${sums[name] / 300}`);
  });
}

test('the error of a given log Z adds in quadrature', (t) => {
  const { energy, logQ } = samples(500, 3);
  const exact = entropyAndKl(energy, logQ, { kT: KT, logZ: { value: LOG_Z, standardError: 0 } });
  const rough = entropyAndKl(energy, logQ, { kT: KT, logZ: { value: LOG_Z, standardError: 0.3 } });
  t.is(rough.reverseKl.standardError, Math.hypot(exact.reverseKl.standardError, 0.3));
  t.is(rough.flowEntropy.standardError, exact.flowEntropy.standardError);
});

test('a sample of infinite energy makes KL(q‖p) infinite and leaves the rest finite', (t) => {
  const { energy, logQ } = samples(500, 4);
  energy[7] = Number.POSITIVE_INFINITY;
  const result = entropyAndKl(energy, logQ, { kT: KT });
  t.is(result.reverseKl.value, Number.POSITIVE_INFINITY);
  t.is(result.reverseKl.standardError, Number.NaN);
  t.true(Number.isFinite(result.forwardKl.value) && Number.isFinite(result.targetEntropy.standardError));
});

test('only zero weights are refused', (t) => {
  const energy = new Float64Array(4).fill(Number.POSITIVE_INFINITY);
  t.throws(() => entropyAndKl(energy, new Float64Array(4)), { instanceOf: DataError });
});
