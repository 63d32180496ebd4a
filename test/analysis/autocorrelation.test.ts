import test from 'ava';
import { integratedAutocorrelationTime, meanWithError } from '../../src/analysis/autocorrelation.js';
import { DataError } from '../../src/errors.js';
import { draw, normals } from '../reweighting/random.js';

/** Stationary AR(1) of unit variance about zero: τ = (1 + φ)/(1 − φ). */
function autoregressive(n: number, phi: number, normal: () => number): Float64Array {
  let x = normal();
  return Float64Array.from({ length: n }, () => {
    x = phi * x + Math.sqrt(1 - phi ** 2) * normal();
    return x;
  });
}

test('τ of AR(1) chains is (1 + φ)/(1 − φ), in one chain or many', (t) => {
  // Bounds are 5 standard errors, false alarm below 1e-5 for all cases together.
  for (const phi of [0, 0.5, 0.9, 0.98]) {
    const tau = (1 + phi) / (1 - phi);
    for (const chains of [1, 7]) {
      const normal = normals(1 + chains);
      const series = Array.from({ length: chains }, () => autoregressive(Math.ceil(200_000 / chains), phi, normal));
      const result = integratedAutocorrelationTime(series);
      t.true(result.reliable);
      t.true(Math.abs(result.tau - tau) < 5 * result.tauError, `φ ${phi}: τ ${result.tau} ± ${result.tauError}`);
      t.true(Math.abs(result.effectiveSamples * result.tau - result.n) < 1e-6);
    }
  }
});

test('the autocovariance by FFT equals the direct sum for chains of unequal length', (t) => {
  const normal = normals(5);
  const chains = [1000, 731, 900].map((n) => autoregressive(n, 0.7, normal).map((x) => x + 40));
  const result = integratedAutocorrelationTime(chains);
  const all = chains.flatMap((chain) => Array.from(chain));
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const covariance = (lag: number) => {
    let sum = 0;
    let pairs = 0;
    for (const chain of chains) {
      for (let i = 0; i + lag < chain.length; i++, pairs++) sum += (chain[i] - mean) * (chain[i + lag] - mean);
    }
    return sum / pairs;
  };
  let sum = covariance(0);
  for (let lag = 1; lag <= result.window; lag++) sum += 2 * covariance(lag);
  const longRun = sum * (1 + (2 * result.window + 1) / all.length);
  t.true(Math.abs((result.tau * result.variance) / longRun - 1) < 1e-10);
  t.true(Math.abs(result.mean - mean) < 1e-12);
});

test('error bars of the mean are calibrated for one long chain', (t) => {
  // 300 replicates: the mean of z² has standard deviation 0.082 and the noise of τ adds a few per cent; the bounds
  // are 5 standard deviations, false alarm below 1e-5.
  const normal = normals(6);
  let sum = 0;
  for (let r = 0; r < 300; r++) {
    const estimate = meanWithError([autoregressive(4000, 0.8, normal)]);
    sum += (estimate.value / estimate.standardError) ** 2;
  }
  t.true(Math.abs(sum / 300 - 1) < 0.41, `mean z² ${sum / 300}`);
});

test('error bars from ten chains, the larger of two estimates, are not too small', (t) => {
  // 300 replicates as above; the larger of two estimates makes them a little cautious.
  const normal = normals(7);
  let sum = 0;
  for (let r = 0; r < 300; r++) {
    const estimate = meanWithError(Array.from({ length: 10 }, () => autoregressive(1000, 0.8, normal)));
    const { withinStandardError, betweenStandardError } = estimate.diagnostics;
    t.is(estimate.standardError, Math.max(withinStandardError, betweenStandardError));
    sum += (estimate.value / estimate.standardError) ** 2;
  }
  t.true(sum / 300 > 0.5 && sum / 300 < 1.3, `mean z² ${sum / 300}`);
});

test('chains that are too short get no error bar', (t) => {
  // 200 chains of 10 τ; one in a hundred may underestimate τ badly enough to pass, ten would be a failure.
  const normal = normals(8);
  let refused = 0;
  for (let r = 0; r < 200; r++) {
    const estimate = meanWithError([autoregressive(1000, 0.98, normal)]);
    if (estimate.reliable) continue;
    refused++;
    t.is(estimate.standardError, Number.NaN);
    t.regex(estimate.status, /^Too short: 1000 values .* Expect to need \d+ values/);
  }
  t.true(refused >= 190, `${refused} of 200 refused`);
});

test('a random walk is refused', (t) => {
  const normal = normals(9);
  let x = 0;
  const estimate = meanWithError([
    draw(20_000, () => {
      x += normal();
      return x;
    }),
  ]);
  t.false(estimate.reliable);
  t.is(estimate.standardError, Number.NaN);
});

test('many chains of less than ten τ are refused, however many', (t) => {
  const normal = normals(10);
  const estimate = meanWithError(Array.from({ length: 100 }, () => autoregressive(300, 0.98, normal)));
  t.false(estimate.reliable);
  t.is(estimate.standardError, Number.NaN);
});

test('chains stuck in different states are refused although each looks well mixed', (t) => {
  const normal = normals(11);
  const chains = Array.from({ length: 8 }, (_, c) => draw(2000, normal).map((x) => x + (c % 2 ? 5 : -5)));
  const estimate = meanWithError(chains);
  t.false(estimate.reliable);
  t.true(estimate.diagnostics.betweenStandardError > 1);
});

test('a constant series has no autocorrelation time and no error bar', (t) => {
  for (const value of [0, -25.792, 1e8]) {
    const estimate = meanWithError([new Float64Array(5000).fill(value)]);
    t.is(estimate.value, value);
    t.is(estimate.standardError, Number.NaN);
    t.is(estimate.diagnostics.tau, Number.NaN);
    t.is(estimate.diagnostics.effectiveSamples, 0);
    t.regex(estimate.status, /never moved/);
  }
});

test('a gain from anticorrelation is not claimed', (t) => {
  t.is(integratedAutocorrelationTime([autoregressive(5000, -0.7, normals(12))]).tau, 1);
});

test('a single value is refused without a number', (t) => {
  t.is(meanWithError([Float64Array.of(3)]).standardError, Number.NaN);
});

test('bad chains are refused by chain and step', (t) => {
  t.throws(() => meanWithError([]), { instanceOf: DataError });
  t.throws(() => meanWithError([Float64Array.of(1), new Float64Array(0)]), { message: /chain 1 is empty/ });
  t.throws(() => meanWithError([Float64Array.of(1, 2), Float64Array.of(1, Number.NaN)]), {
    instanceOf: DataError,
    message: /NaN in chain 1 at step 1/,
  });
});
