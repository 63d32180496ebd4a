import test from 'ava';
import { UsageError } from '../../src/errors.js';
import { DenseField, initialDenseField } from '../../src/fields/index.js';
import { prepareFlow } from '../../src/flows/index.js';
import { type DenseFieldParameters, denseField, removeCentroid } from '../twin/dense-field.js';
import { jacobianTrace } from '../twin/jacobian.js';
import { randomSource } from '../twin/random.js';
import { relativeError } from '../twin/reference.js';
import { flowThrough } from './reference-fields.js';

const BOUND = { f64: 1e-12, f32: 1e-5 } as const;

/** A field with nothing small and nothing zero, so that every parameter counts. */
function exampleField(particles: number, dimensions: number, hidden = 13): DenseField {
  const random = randomSource(17);
  const field = initialDenseField(particles, dimensions, { seed: 5, hidden, times: 4 });
  const C = particles * dimensions;
  return field.withParameters({
    ...field.parameters,
    hiddenBias: random.normals(hidden),
    outputWeights: random.normals(C * hidden),
    outputBias: random.normals(C),
  });
}

function twinParameters(field: DenseField): DenseFieldParameters {
  return field.parameters as unknown as DenseFieldParameters;
}

for (const precision of ['f64', 'f32'] as const) {
  test(`velocity and divergence agree with the twin at every batch size: ${precision}`, (t) => {
    for (const [N, D] of [
      [4, 2],
      [5, 3],
    ]) {
      const field = exampleField(N, D);
      const C = N * D;
      const runner = prepareFlow(flowThrough(field, 50), precision);
      const x = randomSource(1).normals(40 * C);
      for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 40]) {
        for (const stage of [0, 37, 100]) {
          const found = runner.velocity(x.slice(0, n * C), n, stage / 100);
          const expected = Array.from({ length: n }, (_, s) =>
            // Like the flow, which lives on the mean-free subspace.
            denseField(twinParameters(field), stage / 100, removeCentroid(x.slice(s * C, (s + 1) * C), N, D), N, D),
          );
          const velocityError = relativeError(
            found.velocity,
            expected.flatMap((rates) => [...rates.velocity]),
          );
          const divergenceError = relativeError(
            found.divergence,
            expected.map((rates) => rates.divergence),
          );
          t.true(velocityError < BOUND[precision], `n = ${n}: velocity ${velocityError}`);
          t.true(divergenceError < BOUND[precision], `n = ${n}: divergence ${divergenceError}`);
        }
      }
    }
  });

  test(`every batch size gives each sample the same values: ${precision}`, (t) => {
    const field = exampleField(4, 2);
    const runner = prepareFlow(flowThrough(field, 5), precision);
    const x = randomSource(2).normals(40 * 8);
    const all = runner.velocity(x, 40, 0.3);
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 33]) {
      const first = 40 - n;
      const part = runner.velocity(x.slice(first * 8), n, 0.3);
      t.deepEqual(part.velocity, all.velocity.slice(first * 8), `n = ${n}`);
      t.deepEqual(part.divergence, all.divergence.slice(first), `n = ${n}`);
    }
  });
}

test('the closed divergence is the trace of the Jacobian', (t) => {
  for (const [N, D] of [
    [4, 2],
    [5, 3],
  ]) {
    const runner = prepareFlow(flowThrough(exampleField(N, D), 50));
    const random = randomSource(3);
    for (let repeat = 0; repeat < 5; repeat++) {
      const x = random.normals(N * D);
      const trace = jacobianTrace((y) => runner.velocity(y, 1, 0.37).velocity, x, 1e-3);
      const { divergence } = runner.velocity(x, 1, 0.37);
      t.true(Math.abs(divergence[0] - trace) < 1e-8, `${divergence[0]} against ${trace}`);
    }
  }
});

test('the centroid stays where it is: velocities add up to zero', (t) => {
  const [N, D] = [5, 3];
  const runner = prepareFlow(flowThrough(exampleField(N, D), 5));
  const { velocity } = runner.velocity(randomSource(4).normals(9 * N * D), 9, 0.3);
  for (let s = 0; s < 9; s++) {
    for (let a = 0; a < D; a++) {
      let sum = 0;
      for (let i = 0; i < N; i++) sum += velocity[(s * N + i) * D + a];
      t.true(Math.abs(sum) < 1e-13);
    }
  }
});

test('seeds give reproducible parameters', (t) => {
  t.deepEqual(initialDenseField(4, 2, { seed: 1 }), initialDenseField(4, 2, { seed: 1 }));
  t.notDeepEqual(initialDenseField(4, 2, { seed: 1 }), initialDenseField(4, 2, { seed: 2 }));
});

test('parameters that do not fit are refused by name', (t) => {
  const { parameters } = exampleField(4, 2);
  t.throws(() => new DenseField(5, 2, parameters), {
    instanceOf: UsageError,
    message: /'inputWeights' has 104 numbers, expected \[13,10\]/,
  });
  t.throws(() => initialDenseField(4, 2, { seed: 1, hidden: 0 }), { instanceOf: UsageError, message: /hidden is 0/ });
});
