import test from 'ava';
import { DataError } from '../../src/errors.js';
import { paretoKhat, smoothedLogWeights } from '../../src/reweighting/index.js';
import { draw, uniforms } from './random.js';

/** The same sequence in Python: x = (1664525·x + 1013904223) mod 2³², u = (x + ½)/2³². */
function congruential(n: number, seed: number): Float64Array {
  let x = seed;
  return Float64Array.from({ length: n }, () => {
    x = (Math.imul(1664525, x) + 1013904223) >>> 0;
    return (x + 0.5) / 2 ** 32;
  });
}

/**
 * Values of `arviz.psislw(l)` of ArviZ 0.22.0 with numpy 2.4 for l = f(u), u from the generator above: k̂, the first
 * smoothed log-weight, the three largest in descending order, and Σ exp(2·smoothed).
 */
const references = [
  {
    name: 'light Pareto tail',
    n: 1000,
    seed: 1,
    f: (u: number) => -0.3 * Math.log(u),
    khat: 0.3875930622,
    first: -6.8342029938,
    largest: [-5.0954328392, -5.1112734259, -5.2982727977],
    squares: 1.2327484895e-3,
  },
  {
    name: 'heavy Pareto tail',
    n: 5000,
    seed: 2,
    f: (u: number) => -0.9 * Math.log(u),
    khat: 0.8470698251,
    first: -9.010993869,
    largest: [-3.6354742479, -3.6354742479, -3.6354742479],
    squares: 5.1754063085e-3,
  },
  {
    name: 'bounded weights',
    n: 1000,
    seed: 3,
    f: (u: number) => Math.log(u),
    khat: -0.8427257948,
    first: -7.6366199785,
    largest: [-6.1984790829, -6.1984790829, -6.1984790829],
    squares: 1.343034922e-3,
  },
  {
    name: 'wide logistic with an offset',
    n: 400,
    seed: 4,
    f: (u: number) => 3 * Math.log(u / (1 - u)) - 700,
    khat: 2.035076416,
    first: -20.4887506917,
    largest: [-0.2336417351, -2.2622437201, -3.3025795915],
    squares: 6.3948779709e-1,
  },
  {
    name: 'shortest useful tail',
    n: 30,
    seed: 5,
    f: (u: number) => Math.log(u / (1 - u)),
    khat: 0.5593523408,
    first: -5.9696642125,
    largest: [-0.9190908154, -1.7711682736, -2.271558771],
    squares: 2.0899828412e-1,
  },
];

for (const { name, n, seed, f, khat, first, largest, squares } of references) {
  test(`equals ArviZ: ${name}`, (t) => {
    const logWeight = congruential(n, seed).map(f);
    const smoothed = smoothedLogWeights(logWeight);
    t.true(Math.abs(paretoKhat(logWeight) - khat) < 1e-8);
    t.true(Math.abs(smoothed.khat - khat) < 1e-8);
    t.true(Math.abs(smoothed.logWeight[0] - first) < 1e-8);
    const descending = smoothed.logWeight.slice().sort().reverse();
    for (let i = 0; i < 3; i++) t.true(Math.abs(descending[i] - largest[i]) < 1e-8);
    const sum = smoothed.logWeight.reduce((a, l) => a + Math.exp(2 * l), 0);
    t.true(Math.abs(sum / squares - 1) < 1e-8);
  });
}

test('k̂ finds the exponent of Pareto weights', (t) => {
  // n = 40,000 leaves 600 in the tail: the error is (1 + k)/√600 ≤ 0.09 plus the prior's pull; bounds are 5σ,
  // false alarm below 1e-6.
  for (const k of [0.2, 0.5, 0.8, 1.2]) {
    const khat = paretoKhat(draw(40_000, uniforms(11)).map((u) => -k * Math.log(1 - u)));
    t.true(Math.abs(khat - k) < (5 * (1 + k)) / Math.sqrt(600), `k ${k}, k̂ ${khat}`);
  }
});

test('smoothing keeps the order of weights and never exceeds the largest raw weight', (t) => {
  const logWeight = draw(2000, uniforms(12)).map((u) => -Math.log(1 - u));
  const { logWeight: smoothed } = smoothedLogWeights(logWeight);
  const order = Array.from(logWeight.keys()).sort((i, j) => logWeight[i] - logWeight[j]);
  t.true(order.every((i, rank) => rank === 0 || smoothed[i] >= smoothed[order[rank - 1]]));
  const body = order[0];
  const top = order[order.length - 1];
  t.true(smoothed[top] - smoothed[body] <= logWeight[top] - logWeight[body] + 1e-12);
  t.true(Math.abs(smoothed.reduce((a, l) => a + Math.exp(l), 0) - 1) < 1e-12);
});

test('without a tail k̂ is Infinity and smoothing only normalises', (t) => {
  t.is(paretoKhat(new Float64Array(1000)), Number.POSITIVE_INFINITY);
  t.is(paretoKhat(Float64Array.of(3)), Number.POSITIVE_INFINITY);
  const { logWeight } = smoothedLogWeights(Float64Array.of(0, Number.NEGATIVE_INFINITY, Math.log(3)));
  t.true(Math.abs(logWeight[0] - Math.log(0.25)) < 1e-15);
  t.is(logWeight[1], Number.NEGATIVE_INFINITY);
});

test('bad weights are refused', (t) => {
  t.throws(() => paretoKhat(Float64Array.of(0, Number.NaN)), { instanceOf: DataError });
  t.throws(() => smoothedLogWeights(new Float64Array(9).fill(Number.NEGATIVE_INFINITY)), { instanceOf: DataError });
});
