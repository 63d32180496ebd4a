import test from 'ava';
import { DataError } from '../../src/errors.js';
import { bennettAcceptanceRatio, exponentialAveraging, twoSidedDifference } from '../../src/reweighting/index.js';
import { assertCoverage, autoregressive, refusals } from './calibration.js';
import { draw, normals } from './random.js';

function crooks(forward: number, reverse: number, difference: number, sigma: number, seed: number) {
  const normal = normals(seed);
  return [
    draw(forward, () => difference + sigma ** 2 / 2 + sigma * normal()),
    draw(reverse, () => -difference + sigma ** 2 / 2 + sigma * normal()),
  ] as const;
}

for (const difference of [-3, 0, 2]) {
  for (const sigma of [0.3, 1.5, 3]) {
    test(`Gaussian work, ΔF = ${difference}, σ = ${sigma}: intervals of 68 and 95 % hold ΔF as often as they say`, (t) => {
      assertCoverage(t, difference, 200, (r) =>
        bennettAcceptanceRatio(...crooks(700, 300, difference, sigma, 1000 + r)),
      );
      t.true(refusals(50, (r) => bennettAcceptanceRatio(...crooks(700, 300, difference, sigma, r))) < 0.05);
    });
  }
  for (const sigma of [7, 12]) {
    test(`Gaussian work, ΔF = ${difference}, σ = ${sigma}: too little overlap is refused in 95 % of replicates`, (t) => {
      t.true(refusals(200, (r) => bennettAcceptanceRatio(...crooks(700, 300, difference, sigma, r))) >= 0.95);
    });
  }
}

test('the solution fulfils the equation of Bennett to rounding, whatever the constant in the work', (t) => {
  for (const offset of [-50_000, 0, 900]) {
    const [forward, reverse] = crooks(400, 90, 0.7 + offset, 1.5, 3);
    const { value } = bennettAcceptanceRatio(forward, reverse);
    const shift = Math.log(400 / 90);
    const left = forward.reduce((sum, w) => sum + 1 / (1 + Math.exp(shift + w - value)), 0);
    const right = reverse.reduce((sum, w) => sum + 1 / (1 + Math.exp(-shift + w + value)), 0);
    t.true(Math.abs(left / right - 1) < 1e-9, `${left} ${right}`);
  }
});

test('exchanging the states changes the sign alone', (t) => {
  const [forward, reverse] = crooks(400, 90, 0.7, 1.5, 4);
  const a = bennettAcceptanceRatio(forward, reverse);
  const b = bennettAcceptanceRatio(reverse, forward);
  t.true(Math.abs(a.value + b.value) < 1e-11);
  t.true(Math.abs(a.standardError / b.standardError - 1) < 1e-9);
});

test('constant work is ΔF itself, without error', (t) => {
  const { value, standardError } = bennettAcceptanceRatio(
    new Float64Array(200).fill(1.25),
    new Float64Array(300).fill(-1.25),
  );
  t.true(Math.abs(value - 1.25) < 1e-12);
  t.true(standardError < 1e-7);
});

test('correlated work: error bars follow the autocorrelation of each direction and stay calibrated', (t) => {
  assertCoverage(t, 0, 200, (r) =>
    bennettAcceptanceRatio(
      autoregressive(3000, 0.8, 2 * r).map((z) => 0.5 + z),
      crooks(800, 800, 0, 1, 50_000 + r)[1],
      { forwardChains: [2000, 1000] },
    ),
  );
});

test('an exponential average that looks sound alone is refused where Bennett’s ratio contradicts it', (t) => {
  // A: nine tenths of the forward values lie where the reverse samples never come, and nothing in those says so.
  const normal = normals(5);
  const forward = draw(20_000, () => (normal() < 1.2816 ? 12 : 0.1 * normal() - 0.5));
  const work = draw(20_000, () => 0.1 * normal() + 0.5);
  const { bar, forward: one, reverse: other } = twoSidedDifference(forward, work);
  t.not(bar.status.level, 'do-not-trust');
  t.not(one.status.level, 'do-not-trust');
  t.not(exponentialAveraging(work, { direction: 'reverse' }).status.level, 'do-not-trust');
  t.is(other.status.level, 'do-not-trust');
  t.regex(other.status.text, /standard errors from the Bennett acceptance ratio/);
  t.deepEqual(one, exponentialAveraging(forward));
});

test('directions that never meet have neither value nor error', (t) => {
  const { value, standardError, status } = bennettAcceptanceRatio(
    new Float64Array(50).fill(Number.POSITIVE_INFINITY),
    new Float64Array(50),
  );
  t.is(value, Number.NaN);
  t.is(standardError, Number.NaN);
  t.is(status.level, 'do-not-trust');
});

test('bad work is refused by name and index', (t) => {
  const fine = Float64Array.of(1, 2);
  t.throws(() => bennettAcceptanceRatio(new Float64Array(0), fine), { instanceOf: DataError, message: /forwardWork/ });
  t.throws(() => bennettAcceptanceRatio(fine, Float64Array.of(0, Number.NEGATIVE_INFINITY)), {
    instanceOf: DataError,
    message: /reverseWork: -Infinity at index 1/,
  });
});
