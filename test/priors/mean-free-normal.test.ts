import test from 'ava';
import { UsageError } from '../../src/errors.js';
import { initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { rk4 } from '../../src/integrators/index.js';
import {
  degreesOfFreedom,
  logNormalization,
  type MeanFreeNormal,
  meanFreeNormal,
  priorVariance,
} from '../../src/priors/index.js';
import { priorLogDensity } from '../twin/prior.js';
import { randomSource } from '../twin/random.js';

/** The prior as a flow that does nothing, which is how it is sampled and evaluated. */
function runnerOf(prior: MeanFreeNormal, precision: 'f32' | 'f64' = 'f64') {
  const { particles, dimensions } = prior;
  const still = initialKernelField(particles, dimensions, uniformBasis(4, 4, 1), { seed: 1, weightScale: 0 });
  return prepareFlow(continuousFlow(prior, still, rk4(1)), precision);
}

test('the dropped constants are those of the literature', (t) => {
  for (const [N, D, constant] of [
    [4, 2, 5.51363],
    [13, 3, 33.0818],
    [55, 3, 148.868],
  ]) {
    const found = -logNormalization(meanFreeNormal(N, D));
    t.true(Math.abs(found / constant - 1) < 5e-6, `${N}, ${D}: ${found}`);
  }
});

test('log-densities agree with the twin for any scale, temperature and centroid', (t) => {
  for (const [N, D, scale, kT] of [
    [4, 2, 1, 1],
    [13, 3, 0.7, 1],
    [5, 3, 1.3, 2.5],
  ]) {
    const prior = meanFreeNormal(N, D, { scale, kT });
    const x = randomSource(N)
      .normals(9 * N * D)
      .map((value) => value + 3);
    const found = runnerOf(prior).logProb(x, 9);
    for (let s = 0; s < 9; s++) {
      const expected = priorLogDensity(x.slice(s * N * D, (s + 1) * N * D), N, D, scale, kT);
      t.true(Math.abs(found[s] - expected) < 1e-12 * Math.abs(expected));
    }
  }
});

test('the density is normalised: one free coordinate pair of two particles integrates to 1', (t) => {
  const runner = runnerOf(meanFreeNormal(2, 2, { scale: 0.8, kT: 1.5 }));
  // On the subspace x₁ = −x₂ = y/√2 the coordinate y has unit metric; the trapezoidal rule converges exponentially.
  const [half, n] = [10, 161];
  const h = (2 * half) / (n - 1);
  const grid = new Float64Array(n * n * 4);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const [a, b] = [(-half + i * h) / Math.SQRT2, (-half + j * h) / Math.SQRT2];
      grid.set([a, b, -a, -b], 4 * (i * n + j));
    }
  }
  const integral = runner.logProb(grid, n * n).reduce((sum, logQ) => sum + Math.exp(logQ) * h * h, 0);
  t.true(Math.abs(integral - 1) < 1e-9, `${integral}`);
});

test('samples are mean-free, and their log q is the density at their position', (t) => {
  for (const precision of ['f32', 'f64'] as const) {
    const prior = meanFreeNormal(4, 2, { scale: 0.9, kT: 2 });
    const { x, logQ } = runnerOf(prior, precision).sample(3, 0, 50);
    const rounding = precision === 'f32' ? 1e-6 : 1e-14;
    for (let s = 0; s < 50; s++) {
      for (const axis of [0, 1]) {
        let sum = 0;
        for (let i = 0; i < 4; i++) sum += x[s * 8 + 2 * i + axis];
        t.true(Math.abs(sum) < 10 * rounding);
      }
      const expected = priorLogDensity(Float64Array.from(x.slice(8 * s, 8 * s + 8)), 4, 2, 0.9, 2);
      t.true(Math.abs(logQ[s] - expected) < 100 * rounding);
    }
  }
});

test('⟨|z|²⟩ of samples is (N−1)·D·kT·scale²', (t) => {
  // |z|²/σ² is χ² with 6 degrees of freedom; 4.9 σ: false alarm 1e-6 for a random seed
  const prior = meanFreeNormal(4, 2, { scale: 0.9, kT: 2 });
  const n = 20_000;
  const { x } = runnerOf(prior).sample(11, 0, n);
  const mean = Float64Array.from(x).reduce((sum, value) => sum + value * value, 0) / n;
  const [variance, freedom] = [priorVariance(prior), degreesOfFreedom(prior)];
  t.true(Math.abs(mean - freedom * variance) < 4.9 * variance * Math.sqrt((2 * freedom) / n));
});

test('priors that cannot be are refused', (t) => {
  const refuse = (build: () => unknown, message: RegExp) => t.throws(build, { instanceOf: UsageError, message });
  refuse(() => meanFreeNormal(1, 2), /particles is 1/);
  refuse(() => meanFreeNormal(4, 4), /dimensions is 4/);
  refuse(() => meanFreeNormal(4, 2, { scale: 0 }), /scale is 0/);
  refuse(() => meanFreeNormal(4, 2, { kT: Number.NaN }), /kT is NaN/);
});
