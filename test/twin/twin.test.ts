import test from 'ava';
import { type DenseFieldParameters, denseField } from './dense-field.js';
import { jacobianTrace, logAbsDeterminant } from './jacobian.js';
import { type KernelFieldParameters, kernelField } from './kernel-field.js';
import { philox4x32, philoxNormals, type Words } from './philox.js';
import { priorLogDensity } from './prior.js';
import {
  permute,
  randomPermutation,
  randomReflection,
  randomRotation,
  randomSource,
  rotate,
  translate,
} from './random.js';
import { type FieldCase, flatten, loadReference, type RightHandSide, relativeError } from './reference.js';
import { rk4, type TwinField } from './rk4.js';

const reference = loadReference();

function kernelParameters({ parameters }: FieldCase): KernelFieldParameters {
  const flat = Object.entries(parameters).map(([name, values]) => [name, flatten(values)]);
  return Object.fromEntries(flat) as unknown as KernelFieldParameters;
}

function kernelTwin(field: FieldCase): TwinField {
  const parameters = kernelParameters(field);
  return (t, x) => kernelField(parameters, t, x, field.particles, field.dimensions);
}

function denseParameters(seed: number, N: number, D: number, H: number, M: number): DenseFieldParameters {
  const random = randomSource(seed);
  return {
    inputWeights: random.normals(H * N * D).map((w) => w / Math.sqrt(N * D)),
    timeWeights: random.normals(H * M),
    hiddenBias: random.normals(H),
    outputWeights: random.normals(N * D * H).map((w) => w / Math.sqrt(H)),
    outputBias: random.normals(N * D),
    muTime: Float64Array.from({ length: M }, (_, m) => m / (M - 1)),
    logGammaTime: new Float64Array(M).fill(Math.log(0.3)),
  };
}

function denseTwin(seed: number, N: number, D: number): TwinField {
  const parameters = denseParameters(seed, N, D, 16, 4);
  return (t, x) => denseField(parameters, t, x, N, D);
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((largest, value, c) => Math.max(largest, Math.abs(value - b[c])), 0);
}

/** Velocities and divergences of all samples against the reference. */
function rhsErrors(field: FieldCase, x: number[][][], rhs: readonly RightHandSide[]): number[] {
  const twin = kernelTwin(field);
  return rhs.flatMap(({ t, velocity, divergence }) => {
    const rates = x.map((sample) => twin(t, flatten(sample)));
    const velocities = rates.flatMap((r) => [...r.velocity]);
    return [
      relativeError(velocities, velocity),
      relativeError(
        rates.map((r) => r.divergence),
        divergence,
      ),
    ];
  });
}

for (const field of reference.fields) {
  test(`${field.name}: velocity and divergence agree with autograd, also beyond the last centre`, (t) => {
    for (const error of rhsErrors(field, field.x, field.rhs)) t.true(error < 1e-11, `${error}`);
    for (const error of rhsErrors(field, field.tail.x, field.tail.rhs)) t.true(error < 1e-11, `${error}`);
  });

  test(`${field.name}: the integrated flow and its log-density agree with the reference`, (t) => {
    const twin = kernelTwin(field);
    const forward = field.z.map((z) => rk4(twin, flatten(z), field.rk4Steps, 'forward'));
    const inverse = field.x.map((x) => rk4(twin, flatten(x), field.rk4Steps, 'inverse'));
    const logProb = inverse.map(({ x, logDet }) => priorLogDensity(x, field.particles, field.dimensions) + logDet);
    const errors = {
      x: relativeError(
        forward.flatMap((end) => [...end.x]),
        field.forward.x,
      ),
      forwardLogDet: relativeError(
        forward.map((end) => end.logDet),
        field.forward.logDet,
      ),
      z: relativeError(
        inverse.flatMap((end) => [...end.x]),
        field.inverse.z,
      ),
      inverseLogDet: relativeError(
        inverse.map((end) => end.logDet),
        field.inverse.logDet,
      ),
      logProb: relativeError(logProb, field.inverse.logProb),
    };
    for (const [name, error] of Object.entries(errors)) t.true(error < 1e-10, `${name}: ${error}`);
  });

  test(`${field.name}: the kernel field's divergence is the trace of its Jacobian`, (t) => {
    const twin = kernelTwin(field);
    const x = flatten(field.x[0]);
    const trace = jacobianTrace((y) => twin(0.37, y).velocity, x);
    const { divergence } = twin(0.37, x);
    t.true(Math.abs(divergence - trace) < 1e-7 * Math.abs(trace), `${divergence} and ${trace}`);
  });

  test(`${field.name}: the kernel field is mean free and equivariant`, (t) => {
    const { particles: N, dimensions: D } = field;
    const twin = kernelTwin(field);
    const random = randomSource(11);
    const x = flatten(field.x[0]);
    const { velocity, divergence } = twin(0.6, x);
    for (let a = 0; a < D; a++) {
      t.true(Math.abs(velocity.reduce((sum, v, c) => (c % D === a ? sum + v : sum), 0)) < 1e-12);
    }
    const shifted = twin(0.6, translate(x, random.normals(D)));
    t.true(largestDifference(shifted.velocity, velocity) < 1e-11);
    for (const Q of [randomRotation(random, D), randomReflection(random, D)]) {
      const turned = twin(0.6, rotate(x, Q, D));
      t.true(largestDifference(turned.velocity, rotate(velocity, Q, D)) < 1e-11);
      t.true(Math.abs(turned.divergence - divergence) < 1e-10);
    }
    const order = randomPermutation(random, N);
    const permuted = twin(0.6, permute(x, order, D));
    t.true(largestDifference(permuted.velocity, permute(velocity, order, D)) < 1e-11);
  });
}

test('the dense field is mean free, its divergence is the trace of its Jacobian, and it is not equivariant', (t) => {
  for (const [N, D] of [
    [4, 2],
    [5, 3],
  ]) {
    const twin = denseTwin(5, N, D);
    const random = randomSource(6);
    const x = random.normals(N * D);
    const { velocity, divergence } = twin(0.3, x);
    for (let a = 0; a < D; a++) {
      t.true(Math.abs(velocity.reduce((sum, v, c) => (c % D === a ? sum + v : sum), 0)) < 1e-12);
    }
    const trace = jacobianTrace((y) => twin(0.3, y).velocity, x);
    t.true(Math.abs(divergence - trace) < 1e-9, `${divergence} and ${trace}`);

    const Q = randomRotation(random, D);
    t.true(largestDifference(twin(0.3, rotate(x, Q, D)).velocity, rotate(velocity, Q, D)) > 1e-2);
    const swap = Array.from({ length: N }, (_, i) => (i + 1) % N);
    t.true(largestDifference(twin(0.3, permute(x, swap, D)).velocity, permute(velocity, swap, D)) > 1e-2);
  }
});

test('log|det| of an integrated flow converges to that of its Jacobian, forward and back', (t) => {
  const twin = denseTwin(7, 3, 2);
  const x = randomSource(8).normals(6);
  for (const direction of ['forward', 'inverse'] as const) {
    const { logDet } = rk4(twin, x, 100, direction);
    const brute = logAbsDeterminant((y) => rk4(twin, y, 100, direction).x, x);
    t.true(Math.abs(logDet - brute) < 1e-7, `${direction}: ${logDet} and ${brute}`);
  }
});

test('RK4 converges with order 4 in x and log|det|, and the inverse undoes the forward flow to that order', (t) => {
  const twin = denseTwin(9, 4, 2);
  const z = randomSource(10).normals(8);
  const exact = rk4(twin, z, 640, 'forward');
  const errorsAt = (steps: number) => {
    const forward = rk4(twin, z, steps, 'forward');
    const back = rk4(twin, forward.x, steps, 'inverse');
    return [
      largestDifference(forward.x, exact.x),
      Math.abs(forward.logDet - exact.logDet),
      largestDifference(back.x, z),
      Math.abs(back.logDet + forward.logDet),
    ];
  };
  const coarse = errorsAt(40);
  const fine = errorsAt(80);
  const orders = coarse.map((error, k) => Math.log2(error / fine[k]));
  // Where the leading terms of forward and inverse cancel, the way back does better than 4.
  for (const order of orders.slice(0, 2)) t.true(Math.abs(order - 4) < 0.25, `${orders}`);
  for (const order of orders.slice(2)) t.true(order > 3.75, `${orders}`);
});

test('the mean-free prior is normalised, ignores translations and scales with kT', (t) => {
  // One particle pair in 1-D: z = (u, −u)/√2 runs along the subspace with arc length u.
  for (const [scale, kT] of [
    [1, 1],
    [0.7, 1],
    [1.3, 2],
  ]) {
    let integral = 0;
    const step = 0.01;
    for (let u = -20; u <= 20; u += step) {
      const z = Float64Array.of(u * Math.SQRT1_2 + 3, -u * Math.SQRT1_2 + 3);
      integral += Math.exp(priorLogDensity(z, 2, 1, scale, kT)) * step;
    }
    t.true(Math.abs(integral - 1) < 1e-10, `${integral}`);
  }
  // The constants quoted in the literature for DW4 and LJ13.
  t.true(Math.abs(priorLogDensity(new Float64Array(8), 4, 2) + 5.51363) < 1e-5);
  t.true(Math.abs(priorLogDensity(new Float64Array(39), 13, 3) + 33.0818) < 1e-4);
});

test('Philox4x32-10 gives the known answers of Random123', (t) => {
  const cases: [Words, [number, number], Words][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  for (const [counter, key, answer] of cases) t.deepEqual(philox4x32(counter, key), answer);
});

test('normals have the moments of a standard normal, independent between coordinates', (t) => {
  // n = 20000 and a bound of 5 standard errors on five moments: false alarm below 3e-6 for a fresh seed.
  const n = 20_000;
  const sums = { first: 0, squares: 0, fourth: 0, product: 0, neighbours: 0 };
  let previous = 0;
  for (let index = 0; index < n; index++) {
    const [a, b] = philoxNormals(2026, 0, index, 2);
    sums.first += a;
    sums.squares += b * b;
    sums.fourth += a ** 4;
    sums.product += a * b;
    sums.neighbours += a * previous;
    previous = b;
  }
  const bound = (standardDeviation: number) => 5 * standardDeviation * Math.sqrt(n);
  t.true(Math.abs(sums.first) < bound(1));
  t.true(Math.abs(sums.squares - n) < bound(Math.sqrt(2)));
  t.true(Math.abs(sums.fourth - 3 * n) < bound(Math.sqrt(96)));
  t.true(Math.abs(sums.product) < bound(1));
  t.true(Math.abs(sums.neighbours) < bound(1));
});

test('random rotations and reflections are orthogonal with determinant 1 and −1', (t) => {
  const random = randomSource(3);
  for (const D of [2, 3]) {
    for (let repeat = 0; repeat < 20; repeat++) {
      const cases = [
        [randomRotation(random, D), 1],
        [randomReflection(random, D), -1],
      ] as const;
      for (const [Q, sign] of cases) {
        // Rotating the rows of Q by Q itself gives Q Qᵀ.
        const identity = Q.map((_, c) => (c % (D + 1) === 0 ? 1 : 0));
        t.true(largestDifference(rotate(Q, Q, D), identity) < 1e-13);
        const [e0, e1] = [Q.subarray(0, D), Q.subarray(D, 2 * D)];
        const handedness =
          D === 2
            ? e0[0] * e1[1] - e0[1] * e1[0]
            : (e0[1] * e1[2] - e0[2] * e1[1]) * Q[6] +
              (e0[2] * e1[0] - e0[0] * e1[2]) * Q[7] +
              (e0[0] * e1[1] - e0[1] * e1[0]) * Q[8];
        t.true(Math.abs(handedness - sign) < 1e-13);
      }
    }
  }
});
