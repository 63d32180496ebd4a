import test from 'ava';
import { Kernels, type Precision } from '../../src/kernels/index.js';
import { randomSource } from '../twin/random.js';
import { expFixed, logFixed, sinTurnsFixed, tanhFixed, toFixed, toNumber } from './fixed-point.js';

// Bounds are the ones that assembly/math.ts states; the log of each test says what was measured.

const FUNCTIONS = { exp: 0, tanh: 1, log: 2, sin: 3, cos: 4 } as const;
const kernels = new Kernels();

/** Applies a function of assembly/math.ts to numbers of the given lane type. */
function elementary(name: keyof typeof FUNCTIONS, x: ArrayLike<number>, precision: Precision = 'f64'): Float64Array {
  return kernels.scoped(() => {
    const { lanes, bytes, elementary } = kernels.lane(precision);
    const vectors = Math.ceil(x.length / lanes);
    const offset = kernels.allocate(vectors * lanes * bytes);
    const values = kernels.view(precision, offset, x.length);
    values.set(x);
    elementary(FUNCTIONS[name], offset, vectors);
    return Float64Array.from(values);
  });
}

/** `n` numbers evenly spread with random offsets: every part of the range is met, none at a round number. */
function points(seed: number, n: number, low: number, high: number): Float64Array {
  const random = randomSource(seed);
  return Float64Array.from({ length: n }, (_, i) => low + ((high - low) * (i + random.uniform())) / n);
}

function ulp(y: number, digits: number): number {
  return 2 ** (Math.floor(Math.log2(Math.abs(y))) - digits);
}

function worst(n: number, errorOf: (i: number) => number): number {
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, errorOf(i));
  return largest;
}

test('exp in f64 is within 1.1 ulp over its whole range', (t) => {
  // the worst argument of 10⁶ random ones first: 1.04 ulp
  const x = Float64Array.of(
    151.46963182510228,
    ...points(1, 2000, -700, 709),
    ...points(2, 2000, -1, 1),
    ...points(3, 500, -1e-3, 1e-3),
  );
  const y = elementary('exp', x);
  const error = worst(x.length, (i) => {
    const { mantissa, exponent } = expFixed(x[i]);
    const found = y[i] * 2 ** -Math.trunc(exponent / 2) * 2 ** -(exponent - Math.trunc(exponent / 2));
    return Math.abs(toNumber(toFixed(found) - mantissa)) / ulp(toNumber(mantissa), 52);
  });
  t.log(`${error.toFixed(3)} ulp`);
  t.true(error < 1.1, `${error} ulp`);
});

test('exp in f32 is within 1.5 ulp over its whole range', (t) => {
  const x = Float32Array.of(...points(4, 100_000, -69, 88), ...points(5, 50_000, -1, 1));
  const y = elementary('exp', x, 'f32');
  const error = worst(x.length, (i) => Math.abs(y[i] - Math.exp(x[i])) / ulp(Math.exp(x[i]), 23));
  t.log(`${error.toFixed(3)} ulp`);
  t.true(error < 1.5, `${error} ulp`);
});

test('exp clamps its argument, and takes NaN for the lower end', (t) => {
  t.deepEqual(elementary('exp', [-1e300, -701, Number.NaN, -Infinity]), elementary('exp', [-700, -700, -700, -700]));
  t.deepEqual(elementary('exp', [1e300, 710, Infinity, 709.5]), elementary('exp', [709, 709, 709, 709]));
  t.deepEqual(elementary('exp', [-1e30, -70, Number.NaN, 1e30], 'f32'), elementary('exp', [-69, -69, -69, 88], 'f32'));
  t.true(elementary('exp', [Number.NaN], 'f32')[0] > 2 ** -100);
  t.deepEqual([...elementary('exp', [0, -0])], [1, 1]);
});

test('tanh is within its absolute bounds and ends at exactly ±1', (t) => {
  const x = Float64Array.of(...points(6, 2000, -20, 20), ...points(7, 2000, -1, 1));
  const y = elementary('tanh', x);
  const error = worst(x.length, (i) => Math.abs(toNumber(toFixed(y[i]) - tanhFixed(x[i]))));
  t.log(`f64 ${error.toExponential(2)}`);
  t.true(error < 4e-16, `f64: ${error}`);

  const single = Float32Array.of(...points(8, 100_000, -12, 12), ...points(9, 50_000, -1, 1));
  const z = elementary('tanh', single, 'f32');
  const singleError = worst(single.length, (i) => Math.abs(z[i] - Math.tanh(single[i])));
  t.log(`f32 ${singleError.toExponential(2)}`);
  t.true(singleError < 2e-7, `f32: ${singleError}`);

  for (const precision of ['f32', 'f64'] as const) {
    t.deepEqual([...elementary('tanh', [40, -40, 1e30, -1e30, Infinity, -Infinity], precision)], [1, -1, 1, -1, 1, -1]);
    t.deepEqual([...elementary('tanh', [0, 0], precision)], [0, 0]);
  }
});

test('log is within 1 ulp from the smallest to the largest normal number', (t) => {
  const random = randomSource(10);
  const wide = Float64Array.from(
    { length: 2000 },
    () => (1 + random.uniform()) * 2 ** Math.floor(2046 * random.uniform() - 1022),
  );
  // the uniforms of Box–Muller end at 1, where the result is small, and start at 2^−52
  const nearOne = Float64Array.from({ length: 1000 }, (_, i) => 1 - (i + 1) * 2 ** -52);
  const aroundOne = points(12, 2000, 0.5, 1.5);
  const x = Float64Array.of(...wide, ...points(11, 2000, 2 ** -52, 1), ...nearOne, ...aroundOne, 2 ** -52, 2 ** -1022);
  const y = elementary('log', x);
  const error = worst(x.length, (i) => {
    const exact = logFixed(x[i]);
    return Math.abs(toNumber(toFixed(y[i]) - exact)) / ulp(toNumber(exact), 52);
  });
  t.log(`${error.toFixed(3)} ulp`);
  t.true(error < 1, `${error} ulp`);
  t.deepEqual([...elementary('log', [1, 1])], [0, 0]);
});

test('sine and cosine of whole turns are within 2^−52', (t) => {
  const u = Float64Array.of(
    ...points(13, 3000, 0, 1),
    ...points(14, 500, -8, 8),
    ...points(15, 200, -(2 ** 40), 2 ** 40),
  );
  for (const name of ['sin', 'cos'] as const) {
    const y = elementary(name, u);
    const error = worst(u.length, (i) =>
      Math.abs(toNumber(toFixed(y[i]) - sinTurnsFixed(u[i], name === 'sin' ? 0 : 1))),
    );
    t.log(`${name} ${(error / 2 ** -53).toFixed(3)}·2^−53`);
    t.true(error < 2 ** -52, `${name}: ${error}`);
  }
});

test('quarter turns give exact zeros and ones', (t) => {
  const quarters = [0, 0.25, 0.5, 0.75, 1, -0.25];
  t.deepEqual(
    [...elementary('sin', quarters)].map((y) => y + 0),
    [0, 1, 0, -1, 0, -1],
  );
  t.deepEqual(
    [...elementary('cos', quarters)].map((y) => y + 0),
    [1, 0, -1, 0, 1, 0],
  );
});
