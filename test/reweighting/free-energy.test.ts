import test from 'ava';
import { DataError } from '../../src/errors.js';
import { exponentialAveraging, reducedWork, stateFreeEnergyDifference } from '../../src/reweighting/index.js';
import { assertCoverage, autoregressive, refusals } from './calibration.js';
import { draw, normals, uniforms } from './random.js';

/** Gaussian work that obeys Crooks: mean ΔF + σ²/2 forward, −ΔF + σ²/2 in reverse. */
function gaussianWork(n: number, difference: number, sigma: number, seed: number): Float64Array {
  return draw(n, normals(seed)).map((z) => difference + sigma ** 2 / 2 + sigma * z);
}

test('the estimate is the logarithm of the mean exponential, in both directions', (t) => {
  const work = Float64Array.of(1, 2, 0.5, 3);
  const mean = work.reduce((sum, w) => sum + Math.exp(-w), 0) / 4;
  t.true(Math.abs(exponentialAveraging(work).value + Math.log(mean)) < 1e-15);
  t.true(Math.abs(exponentialAveraging(work, { direction: 'reverse' }).value - Math.log(mean)) < 1e-15);
});

for (const difference of [-3, 0, 2]) {
  for (const sigma of [0.3, 1, 1.5]) {
    test(`Gaussian work, ΔF = ${difference}, σ = ${sigma}: intervals of 68 and 95 % hold ΔF as often as they say`, (t) => {
      assertCoverage(t, difference, 200, (r) => exponentialAveraging(gaussianWork(1000, difference, sigma, 5000 + r)));
      assertCoverage(t, difference, 200, (r) =>
        exponentialAveraging(gaussianWork(1000, -difference, sigma, 9000 + r), { direction: 'reverse' }),
      );
    });
  }
  for (const sigma of [3, 6]) {
    test(`Gaussian work, ΔF = ${difference}, σ = ${sigma}: too little overlap is refused in 95 % of replicates`, (t) => {
      t.true(refusals(200, (r) => exponentialAveraging(gaussianWork(1000, difference, sigma, 300 + r))) >= 0.95);
    });
  }
}

test('between enough overlap and none, an interval holds or the verdict refuses', (t) => {
  // Where Pareto k averages 0.6 the plain delta method covers 90 instead of 95 %.
  assertCoverage(t, 0, 200, (r) => exponentialAveraging(gaussianWork(5000, 0, 2, 100 + r)));
  t.true(refusals(200, (r) => exponentialAveraging(gaussianWork(1000, 0, 2.25, 100 + r))) >= 0.95);
});

test('harmonic oscillators that soften, keep their frequency or stiffen: ΔF = ½ log(k₁/k₀)', (t) => {
  for (const [stiffness, seed] of [
    [0.7, 1],
    [1, 400],
    [2.5, 800],
  ]) {
    assertCoverage(t, Math.log(stiffness) / 2, 200, (r) => {
      const x = draw(2000, normals(seed + r));
      const shift = stiffness === 1 ? 0.5 : 0;
      return exponentialAveraging(
        reducedWork(
          x.map((v) => v ** 2 / 2),
          x.map((v) => (stiffness * (v - shift) ** 2) / 2),
        ),
      );
    });
  }
});

test('correlated work: the error bar grows by √τ and stays calibrated', (t) => {
  const chain = (r: number) => autoregressive(2000, 0.8, 70 + r).map((z) => 0.5 ** 2 / 2 + 0.5 * z);
  assertCoverage(t, 0, 200, (r) => exponentialAveraging(chain(r), { chains: [1200, 800] }));
  const naive = exponentialAveraging(chain(0));
  const honest = exponentialAveraging(chain(0), { chains: [2000] });
  t.true(Math.abs(honest.standardError / naive.standardError / Math.sqrt(honest.diagnostics.tau) - 1) < 1e-12);
});

test('chains too short for τ have no error bar and a refusal', (t) => {
  const { standardError, status } = exponentialAveraging(
    autoregressive(200, 0.98, 3).map((z) => z / 10),
    {
      chains: [200],
    },
  );
  t.is(standardError, Number.NaN);
  t.is(status.level, 'do-not-trust');
  t.regex(status.text, /autocorrelation/);
});

test('only infinite work: infinite free energy, no error bar, refusal', (t) => {
  const { value, standardError, status } = exponentialAveraging(new Float64Array(50).fill(Number.POSITIVE_INFINITY));
  t.is(value, Number.POSITIVE_INFINITY);
  t.is(standardError, Number.NaN);
  t.is(status.level, 'do-not-trust');
});

test('populations of states: ΔF of a two-state mixture, reweighted, is calibrated for both signs and zero', (t) => {
  // Drawn with P(B) = ½, reweighted to P(B) = p by weights that also scatter.
  for (const p of [0.8, 0.5, 0.1]) {
    assertCoverage(t, Math.log((1 - p) / p), 200, (r) => {
      const uniform = uniforms(40 + r);
      const normal = normals(90_000 + r);
      const inB = Array.from({ length: 2000 }, () => uniform() < 0.5);
      const logWeight = Float64Array.from(inB, (b) => Math.log(b ? p : 1 - p) + 0.5 * normal());
      return stateFreeEnergyDifference(
        inB.map((b) => !b),
        inB,
        logWeight,
      );
    });
  }
});

test('populations under heavy weights: ΔF of two states of a softened oscillator, k̂ about 0.47, is calibrated', (t) => {
  // Target exp(−x²/4) from standard normals; P(x > 1) = Φ(−1/√2) = 0.2397501.
  const p = 0.2397500610934768;
  assertCoverage(t, Math.log((1 - p) / p), 200, (r) => {
    const x = draw(5000, normals(17 * r + 5));
    return stateFreeEnergyDifference(
      x.map((v) => Number(v <= 1)),
      x.map((v) => Number(v > 1)),
      x.map((v) => v ** 2 / 4),
    );
  });
});

test('populations along a correlated chain are calibrated', (t) => {
  // States by the sign of an AR(1) process with respect to 0.5: P(z > 0.5) = 0.30854.
  const p = 0.308537539;
  assertCoverage(t, Math.log((1 - p) / p), 200, (r) => {
    const z = autoregressive(4000, 0.7, 900 + r);
    return stateFreeEnergyDifference(
      z.map((v) => Number(v <= 0.5)),
      z.map((v) => Number(v > 0.5)),
      new Float64Array(4000),
      { chains: [4000] },
    );
  });
});

test('a state never seen, or hardly, is refused', (t) => {
  const logWeight = new Float64Array(1000);
  const inA = logWeight.map((_, i) => Number(i > 5));
  const hardly = stateFreeEnergyDifference(
    inA,
    inA.map((a) => 1 - a),
    logWeight,
  );
  t.true(Math.abs(hardly.value - Math.log(994 / 6)) < 1e-12);
  t.is(hardly.status.level, 'do-not-trust');
  const never = stateFreeEnergyDifference(inA, new Float64Array(1000), logWeight);
  t.is(never.value, Number.POSITIVE_INFINITY);
  t.is(never.standardError, Number.NaN);
  t.regex(never.status.text, /State B was never seen/);
  t.throws(() => stateFreeEnergyDifference(new Float64Array(1000), new Float64Array(1000), logWeight), {
    instanceOf: DataError,
  });
});

test('bad input is refused by name', (t) => {
  t.throws(() => exponentialAveraging(new Float64Array(0)), { instanceOf: DataError, message: /\bwork\b/ });
  t.throws(() => exponentialAveraging(Float64Array.of(1, Number.NaN)), { instanceOf: DataError, message: /index 1/ });
  t.throws(() => exponentialAveraging(new Float64Array(30), { chains: [10, 10] }), {
    instanceOf: DataError,
    message: /20 samples together, expected 30/,
  });
  t.throws(() => exponentialAveraging(new Float64Array(30), { chains: [30, 0] }), { message: /chain 1 has length 0/ });
  t.throws(() => stateFreeEnergyDifference([1], [0, 1], Float64Array.of(0, 0)), { message: /inA has 1/ });
});
