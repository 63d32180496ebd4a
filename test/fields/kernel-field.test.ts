import test from 'ava';
import { NumericalError, UsageError } from '../../src/errors.js';
import { initialKernelField, KernelField, uniformBasis } from '../../src/fields/index.js';
import { prepareFlow } from '../../src/flows/index.js';
import { jacobianTrace } from '../twin/jacobian.js';
import { type KernelFieldParameters, kernelField } from '../twin/kernel-field.js';
import { randomSource } from '../twin/random.js';
import { flatten, loadReference, relativeError } from '../twin/reference.js';
import {
  flowThrough,
  observedOrder,
  reach,
  referenceCase,
  referenceField,
  referenceParameters,
} from './reference-fields.js';

/** With 50 steps, stage 100·t stands at the times of the reference file. */
const STEPS = 50;
const BOUND = { f64: { velocity: 1e-7, divergence: 1e-5 }, f32: { velocity: 3e-5, divergence: 1e-4 } } as const;

for (const precision of ['f64', 'f32'] as const) {
  test(`velocity and divergence agree with the reference, beyond the last centre too: ${precision}`, (t) => {
    for (const field of loadReference().fields) {
      const runner = prepareFlow(flowThrough(referenceField(field), STEPS), precision);
      for (const [part, slack] of [
        ['x', 1],
        ['tail', 10],
      ] as const) {
        const { x, rhs } = part === 'x' ? field : field.tail;
        for (const { t: time, velocity, divergence } of rhs) {
          const found = runner.velocity(flatten(x), x.length, time);
          const errors = [relativeError(found.velocity, velocity), relativeError(found.divergence, divergence)];
          t.log(`${field.name} ${part} t=${time}: v ${errors[0].toExponential(1)}, div ${errors[1].toExponential(1)}`);
          t.true(
            errors[0] < slack * BOUND[precision].velocity,
            `${field.name} ${part} t=${time}: velocity ${errors[0]}`,
          );
          t.true(
            errors[1] < slack * BOUND[precision].divergence,
            `${field.name} ${part} t=${time}: divergence ${errors[1]}`,
          );
        }
      }
    }
  });

  test(`every batch size gives each sample the same values: ${precision}`, (t) => {
    for (const name of ['dw4', 'lj13']) {
      const runner = prepareFlow(flowThrough(referenceField(referenceCase(name)), 5), precision);
      const { particles, dimensions } = runner.flow.prior;
      const C = particles * dimensions;
      const x = randomSource(1)
        .normals(40 * C)
        .map((value) => 1.5 * value);
      const all = runner.velocity(x, 40, 0.3);
      for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 33]) {
        const first = 40 - n;
        const part = runner.velocity(x.slice(first * C), n, 0.3);
        t.deepEqual(part.velocity, all.velocity.slice(first * C), `${name}, n = ${n}`);
        t.deepEqual(part.divergence, all.divergence.slice(first), `${name}, n = ${n}`);
      }
    }
  });
}

test('every number of particles fits its tiles: agreement with the twin from 2 to 55 particles', (t) => {
  const random = randomSource(7);
  for (const [N, D] of [
    [2, 3],
    [3, 2],
    [7, 2],
    [8, 3],
    [12, 3],
    [13, 2],
    [55, 3],
  ]) {
    const field = initialKernelField(N, D, uniformBasis(12, 4, 0.6), { seed: N, weightScale: 1 });
    // An odd number of samples, more than a tile's blocks hold where particles are few.
    const n = N > 13 ? 3 : 101;
    const x = random.normals(n * N * D);
    const found = prepareFlow(flowThrough(field, STEPS)).velocity(x, n, 0.37);
    const parameters = field.parameters as unknown as KernelFieldParameters;
    const expected = Array.from({ length: n }, (_, s) =>
      kernelField(parameters, 0.37, x.slice(s * N * D, (s + 1) * N * D), N, D),
    );
    const velocity = expected.flatMap((rates) => [...rates.velocity]);
    t.true(relativeError(found.velocity, velocity) < BOUND.f64.velocity, `velocity, N = ${N}`);
    const divergence = expected.map((rates) => rates.divergence);
    t.true(relativeError(found.divergence, divergence) < BOUND.f64.divergence, `divergence, N = ${N}`);
  }
});

test('the closed divergence is that of the tabulated field itself, however coarse its table', (t) => {
  const h = 1e-4;
  for (const name of ['dw4', 'lj13']) {
    const reference = referenceCase(name);
    const parameters = referenceParameters(reference);
    const { particles: N, dimensions: D } = reference;
    const grid = { intervals: 64, maxDistance: reach(parameters) };
    const runner = prepareFlow(flowThrough(referenceField(reference), STEPS), 'f64', { grid });
    const velocity = (x: Float64Array) => runner.velocity(x, 1, 0.37).velocity;
    const random = randomSource(2);
    let checked = 0;
    let tableError = 0;
    while (checked < 5) {
      const x = random.normals(N * D).map((value) => 1.5 * value);
      // Across a knot the second derivative jumps, and finite differences lose their order.
      if (closestKnot(x, N, D, grid.maxDistance / grid.intervals) < 4 * h) continue;
      checked++;
      const { divergence } = runner.velocity(x, 1, 0.37);
      const trace = jacobianTrace(velocity, x, h);
      t.true(
        Math.abs(divergence[0] - trace) < 1e-9 * Math.max(1, Math.abs(trace)),
        `${name}: ${divergence[0]} against ${trace}`,
      );
      tableError = Math.max(tableError, Math.abs(divergence[0] - kernelField(parameters, 0.37, x, N, D).divergence));
    }
    // The table is so coarse that the untabulated field's divergence would not have passed.
    t.true(tableError > 1e-5, `${name}: ${tableError}`);
  }
});

/** Distance of the nearest pair distance to a knot. */
function closestKnot(x: Float64Array, N: number, D: number, spacing: number): number {
  let closest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < N; i++) {
    for (let j = i + 1; j < N; j++) {
      const d = Math.hypot(...Array.from({ length: D }, (_, a) => x[i * D + a] - x[j * D + a]));
      closest = Math.min(closest, Math.abs(d - spacing * Math.round(d / spacing)));
    }
  }
  return closest;
}

test('cubic tables converge: velocity at fourth order in their spacing, divergence at third', (t) => {
  const reference = referenceCase('dw4');
  const parameters = referenceParameters(reference);
  const x = randomSource(3)
    .normals(100 * 8)
    .map((value) => 1.8 * value);
  const exact = Array.from({ length: 100 }, (_, s) => kernelField(parameters, 0.37, x.slice(8 * s, 8 * s + 8), 4, 2));
  const velocity = exact.flatMap((rates) => [...rates.velocity]);
  const divergence = exact.map((rates) => rates.divergence);
  const intervals = [128, 256, 512, 1024];
  const found = intervals.map((count) => {
    const grid = { intervals: count, maxDistance: reach(parameters) };
    return prepareFlow(flowThrough(referenceField(reference), STEPS), 'f64', { grid }).velocity(x, 100, 0.37);
  });
  const velocityOrder = -observedOrder(
    intervals,
    found.map((rates) => relativeError(rates.velocity, velocity)),
  );
  const divergenceOrder = -observedOrder(
    intervals,
    found.map((rates) => relativeError(rates.divergence, divergence)),
  );
  t.log(`orders ${velocityOrder.toFixed(2)}, ${divergenceOrder.toFixed(2)}`);
  t.true(Math.abs(velocityOrder - 4) < 0.2, `velocity: ${velocityOrder}`);
  t.true(Math.abs(divergenceOrder - 3) < 0.2, `divergence: ${divergenceOrder}`);
});

test('beyond the table f is constant and its slope is zero', (t) => {
  const reference = referenceCase('dw4');
  const parameters = referenceParameters(reference);
  const runner = prepareFlow(flowThrough(new KernelField(2, 2, { ...parameters }), STEPS));
  const far = [1.01, 1.5, 100].map((factor) => {
    const d = factor * reach(parameters);
    const { velocity, divergence } = runner.velocity(Float64Array.of(0, 0, d, 0), 1, 0.37);
    return { f: velocity[2] / d, perDimension: divergence[0] / 4 };
  });
  for (const { f, perDimension } of far) {
    t.true(Math.abs(f - far[0].f) < 1e-14);
    t.true(Math.abs(f - perDimension) < 1e-14, 'div v = 2·D·f where f′ = 0');
  }
  t.not(far[0].f, 0);
});

test('the centroid stays where it is: velocities add up to zero', (t) => {
  for (const name of ['dw4', 'lj13']) {
    const runner = prepareFlow(flowThrough(referenceField(referenceCase(name)), 5));
    const { particles: N, dimensions: D } = runner.flow.prior;
    const { velocity } = runner.velocity(randomSource(4).normals(9 * N * D), 9, 0.3);
    const largest = velocity.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    for (let s = 0; s < 9; s++) {
      for (let a = 0; a < D; a++) {
        let sum = 0;
        for (let i = 0; i < N; i++) sum += velocity[(s * N + i) * D + a];
        t.true(Math.abs(sum) < 1e-14 * N * largest);
      }
    }
  }
});

test('particles at one place have a finite velocity and divergence', (t) => {
  for (const precision of ['f32', 'f64'] as const) {
    const runner = prepareFlow(flowThrough(referenceField(referenceCase('dw4')), 5), precision);
    const { velocity, divergence } = runner.velocity(new Float64Array(8), 1, 0.3);
    t.deepEqual([...velocity].map(Math.abs), new Array(8).fill(0));
    const f0 = kernelField(referenceParameters(referenceCase('dw4')), 0.3, new Float64Array(8), 4, 2).divergence;
    t.true(Math.abs(divergence[0] - f0) < 1e-5 * Math.abs(f0));
  }
});

test('a NaN coordinate shows in the result of its own sample only', (t) => {
  const runner = prepareFlow(flowThrough(referenceField(referenceCase('dw4')), 5), 'f32');
  const x = randomSource(5).normals(4 * 8);
  const clean = runner.velocity(x, 4, 0.3);
  x[8] = Number.NaN;
  const { velocity, divergence } = runner.velocity(x, 4, 0.3);
  t.true(velocity.slice(8, 16).some(Number.isNaN));
  t.true(Number.isNaN(divergence[1]));
  t.deepEqual(velocity.slice(16), clean.velocity.slice(16));
  t.deepEqual(
    [divergence[0], divergence[2], divergence[3]],
    [clean.divergence[0], clean.divergence[2], clean.divergence[3]],
  );
});

test('zero weights give the identity, seeds give reproducible weights', (t) => {
  const basis = uniformBasis(10, 8, 0.5);
  const still = prepareFlow(flowThrough(initialKernelField(4, 2, basis, { seed: 1, weightScale: 0 }), 5));
  const { velocity, divergence } = still.velocity(randomSource(6).normals(8), 1, 0);
  t.deepEqual([...velocity].map(Math.abs), new Array(8).fill(0));
  t.is(Math.abs(divergence[0]), 0);
  const weights = (seed: number) => initialKernelField(4, 2, basis, { seed }).parameters.weights;
  t.deepEqual(weights(1), weights(1));
  t.notDeepEqual(weights(1), weights(2));
});

test('parameters that do not fit are refused by name', (t) => {
  const good = { ...referenceParameters(referenceCase('dw4')) };
  const { bias: _, ...missing } = good;
  const refuse = (parameters: Record<string, Float64Array>, message: RegExp) =>
    t.throws(() => new KernelField(4, 2, parameters), { instanceOf: UsageError, message });
  refuse(missing, /'bias' is missing/);
  refuse({ ...good, weights: new Float64Array(7) }, /'weights' has 7 numbers, expected \[50,10\]/);
  refuse(
    { ...good, logGamma: good.logGamma.map((g, k) => (k === 3 ? Number.NaN : g)) },
    /'logGamma' has NaN at index 3/,
  );
});

test('centres or widths that have run away are an error, not a table without end', (t) => {
  const field = referenceField(referenceCase('dw4'));
  const logGamma = field.parameters.logGamma.with(2, 800);
  const flow = flowThrough(field.withParameters({ ...field.parameters, logGamma }) as KernelField, 5);
  t.throws(() => prepareFlow(flow, 'f64'), { instanceOf: NumericalError, message: /give a table of length Infinity/ });
});

test('a table grid that cannot be is refused', (t) => {
  for (const grid of [
    { intervals: 3, maxDistance: 10 },
    { intervals: 64.5, maxDistance: 10 },
    { intervals: 64, maxDistance: 0 },
  ]) {
    const flow = flowThrough(referenceField(referenceCase('dw4')), 5);
    t.throws(() => prepareFlow(flow, 'f64', { grid }), { instanceOf: UsageError, message: /table grid/ });
  }
});
