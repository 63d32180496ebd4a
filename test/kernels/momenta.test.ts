import test from 'ava';
import { philoxMomenta } from '../twin/philox.js';
import { kolmogorov, normalCdf } from './distributions.js';
import { drawMomenta } from './draw-momenta.js';

test('momenta agree with f64 Box–Muller of the same words to 1e-6', (t) => {
  let worst = 0;
  for (const [numbers, groups, chain, step] of [
    [6, 50, 0, 0],
    [36, 7, 400, 12],
    [9, 3, 8, 2 ** 32 - 1],
    [1, 1, 2 ** 32 - 4, 5],
    [162, 4, 64, 77],
    [2, 5, 4, 1],
  ]) {
    const found = drawMomenta(11, 8, chain, step, numbers, groups);
    for (let c = 0; c < 4 * groups; c++) {
      const expected = philoxMomenta(11, 8, chain + c, step, numbers);
      for (let i = 0; i < numbers; i++)
        worst = Math.max(worst, Math.abs(found.normals[c * numbers + i] - expected.normals[i]));
      t.true(Math.abs(found.minusTwiceLog[c] - expected.minusTwiceLog) <= 3e-7 * expected.minusTwiceLog);
      t.is(found.words[c], expected.word);
    }
  }
  t.log(`largest difference ${worst.toExponential(1)}`);
  t.true(worst < 1e-6, `${worst}`);
});

test('a chain has the same momenta in groups of any number', (t) => {
  for (const numbers of [2, 6, 7, 36]) {
    const all = drawMomenta(3, 7, 100, 9, numbers, 9);
    for (const [first, groups] of [
      [0, 1],
      [1, 2],
      [4, 5],
      [8, 1],
    ]) {
      const part = drawMomenta(3, 7, 100 + 4 * first, 9, numbers, groups);
      const rows = <A extends Float64Array | Int32Array>(values: A, width: number) =>
        values.slice(4 * first * width, 4 * (first + groups) * width);
      t.deepEqual(part.normals, rows(all.normals, numbers));
      t.deepEqual(part.minusTwiceLog, rows(all.minusTwiceLog, 1));
      t.deepEqual(part.words, rows(all.words, 1));
    }
  }
});

test('seeds, streams, chains and steps give different numbers', (t) => {
  const draws = [
    drawMomenta(1, 7, 0, 0, 6, 2),
    drawMomenta(2, 7, 0, 0, 6, 2),
    drawMomenta(1, 8, 0, 0, 6, 2),
    drawMomenta(1, 7, 8, 0, 6, 2),
    drawMomenta(1, 7, 0, 1, 6, 2),
  ];
  t.is(new Set(draws.flatMap(({ normals }) => [...normals])).size, 5 * 48);
});

/** 2048 chains of six numbers at each of 16 steps. */
const STEPS = Array.from({ length: 16 }, (_, step) => drawMomenta(20261125, 8, 0, step, 6, 512));
const NUMBERS = Float64Array.from(STEPS.flatMap(({ normals }) => [...normals]));

test('momenta have the moments, the distribution and the tails of N(0, 1)', (t) => {
  // Five checks at 4.9 σ or the same level: false alarm below 5e-6 for a random seed.
  const n = NUMBERS.length;
  const moment = (power: number) => NUMBERS.reduce((sum, value) => sum + value ** power, 0) / n;
  t.true(Math.abs(moment(1)) < 4.9 * Math.sqrt(1 / n));
  t.true(Math.abs(moment(2) - 1) < 4.9 * Math.sqrt(2 / n));
  t.true(Math.abs(moment(3)) < 4.9 * Math.sqrt(15 / n));
  t.true(Math.abs(moment(4) - 3) < 4.9 * Math.sqrt(96 / n));
  // Kolmogorov: P(√n·D > 2.69) = 1e-6
  t.true(kolmogorov(NUMBERS, normalCdf) < 2.69);
});

test('tails are as heavy as those of N(0, 1), and end at 6.66', (t) => {
  // A million numbers: 2700 beyond 3 σ and 63.3 beyond 4 σ are expected. Each count within 4.9 σ, false alarm below 1e-5 (Poisson, the smaller).
  let [beyond3, beyond4, largest] = [0, 0, 0];
  const numbers = 1000;
  for (let step = 0; step < 10; step++) {
    for (const value of drawMomenta(7, 7, 0, step, numbers, 25).normals) {
      const size = Math.abs(value);
      if (size > 3) beyond3++;
      if (size > 4) beyond4++;
      largest = Math.max(largest, size);
    }
  }
  t.true(Math.abs(beyond3 - 2699.8) < 4.9 * Math.sqrt(2699.8), `${beyond3} beyond 3 σ`);
  t.true(Math.abs(beyond4 - 63.3) < 4.9 * Math.sqrt(63.3), `${beyond4} beyond 4 σ`);
  t.true(largest < 6.67);
});

test('radius and angle of a pair are independent, with their distributions', (t) => {
  // Kolmogorov at 1e-6 each, and a correlation at 4.9 σ: false alarm 3e-6 for a random seed.
  const pairs = Array.from({ length: NUMBERS.length / 2 }, (_, i) => [NUMBERS[2 * i], NUMBERS[2 * i + 1]]);
  const radial = Float64Array.from(pairs, ([a, b]) => 1 - Math.exp(-(a * a + b * b) / 2));
  const angle = Float64Array.from(pairs, ([a, b]) => (Math.atan2(b, a) / Math.PI + 1) / 2);
  const uniform = (u: number) => u;
  t.true(kolmogorov(radial, uniform) < 2.69);
  t.true(kolmogorov(angle, uniform) < 2.69);
  t.true(Math.abs(correlation(radial, angle)) < 4.9 / Math.sqrt(pairs.length));
});

/** Correlation of numbers that are uniform on [0, 1]. */
function correlation(a: Float64Array, b: Float64Array): number {
  return (12 / a.length) * a.reduce((sum, value, i) => sum + (value - 0.5) * (b[i] - 0.5), 0);
}

test('numbers are uncorrelated along a chain, from chain to chain and from step to step, and so are their squares', (t) => {
  // Twelve correlations at 4.9 σ: false alarm 1.2e-5 for a random seed. Lags: the pair's other number, the next pair, the counter's other half, the next
  // chain, the next group, the next step.
  for (const lag of [1, 2, 4, 6, 24, 6 * 2048]) {
    let [product, squares] = [0, 0];
    const n = NUMBERS.length - lag;
    for (let i = 0; i < n; i++) {
      product += NUMBERS[i] * NUMBERS[i + lag];
      squares += (NUMBERS[i] ** 2 - 1) * (NUMBERS[i + lag] ** 2 - 1);
    }
    t.true(Math.abs(product) < 4.9 * Math.sqrt(n), `lag ${lag}`);
    t.true(Math.abs(squares) < 4.9 * 2 * Math.sqrt(n), `squares, lag ${lag}`);
  }
});

test('what decides about acceptance and what jitters the step are uniform and independent of the momenta', (t) => {
  // Two Kolmogorov tests at 1e-6 and two correlations at 4.9 σ: false alarm 4e-6 for a random seed.
  const decisions = Float64Array.from(
    STEPS.flatMap((draws) => [...draws.minusTwiceLog]),
    (r) => Math.exp(-r / 2),
  );
  const words = Float64Array.from(
    STEPS.flatMap((draws) => [...draws.words]),
    (word) => word / 2 ** 32 + 0.5,
  );
  const kinetic = Float64Array.from(decisions, (_, c) => {
    const half = NUMBERS.subarray(6 * c, 6 * c + 6).reduce((sum, value) => sum + value ** 2, 0) / 2;
    return 1 - Math.exp(-half) * (1 + half + half ** 2 / 2);
  });
  const uniform = (u: number) => u;
  for (const values of [decisions, words, kinetic]) t.true(kolmogorov(values, uniform) < 2.69);
  for (const [a, b] of [
    [decisions, words],
    [decisions, kinetic],
    [words, kinetic],
  ])
    t.true(Math.abs(correlation(a, b)) < 4.9 / Math.sqrt(a.length));
});
