// Theorems 1 and 2 of Köhler, Klein and Noé (2019): an equivariant field has an equivariant flow, and with an invariant
// prior an invariant density. The dense field, which is not equivariant, has to fail where the kernel field passes.

import test from 'ava';
import { initialDenseField, initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { type FlowRunner, prepareFlow } from '../../src/flows/index.js';
import { dopri5, type Integrator, rk4 } from '../../src/integrators/index.js';
import { flowThrough, observedOrder } from '../fields/reference-fields.js';
import {
  permute,
  type RandomSource,
  randomPermutation,
  randomReflection,
  randomRotation,
  randomSource,
  rotate,
  translate,
} from '../twin/random.js';

const SAMPLES = 10;

type Transformation = (random: RandomSource, N: number, D: number) => (x: Float64Array) => Float64Array;

const GROUP: Record<'rotation' | 'reflection' | 'permutation', Transformation> = {
  rotation: (random, _, D) => {
    const Q = randomRotation(random, D);
    return (x) => rotate(x, Q, D);
  },
  reflection: (random, _, D) => {
    const Q = randomReflection(random, D);
    return (x) => rotate(x, Q, D);
  },
  permutation: (random, N, D) => {
    const order = randomPermutation(random, N);
    return (x) => permute(x, order, D);
  },
};

/** Applies `g` to every sample of x [n, N, D]. */
function each(x: Float64Array, C: number, g: (sample: Float64Array) => Float64Array): Float64Array {
  const out = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += C) out.set(g(x.slice(at, at + C)), at);
  return out;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

function kernelRunner(N: number, D: number, integrator: Integrator = rk4(20)): FlowRunner {
  const field = initialKernelField(N, D, uniformBasis(30, 8, 0.5), { seed: 2, weightScale: 1.5 });
  return prepareFlow({ ...flowThrough(field, 1), integrator });
}

function denseRunner(N: number, D: number, integrator: Integrator = rk4(20)): FlowRunner {
  const field = initialDenseField(N, D, { seed: 2, hidden: 32 });
  const louder = field.parameters.outputWeights.map((value) => 5 * value);
  const flow = flowThrough(field.withParameters({ ...field.parameters, outputWeights: louder }), 1);
  return prepareFlow({ ...flow, integrator });
}

/** How far `g` is from being a symmetry of the density, the field and the map. */
function violations(runner: FlowRunner, g: (x: Float64Array) => Float64Array, x: Float64Array) {
  const C = runner.flow.prior.particles * runner.flow.prior.dimensions;
  const gx = each(x, C, g);
  const [v, gv] = [runner.velocity(x, SAMPLES, 0.425), runner.velocity(gx, SAMPLES, 0.425)];
  const [y, gy] = [runner.forward(x, SAMPLES), runner.forward(gx, SAMPLES)];
  return {
    'log q': largestDifference(runner.logProb(gx, SAMPLES), runner.logProb(x, SAMPLES)),
    velocity: largestDifference(gv.velocity, each(v.velocity, C, g)),
    divergence: largestDifference(gv.divergence, v.divergence),
    'flow map': largestDifference(gy.x, each(y.x, C, g)),
  };
}

for (const [N, D] of [
  [4, 2],
  [6, 3],
]) {
  for (const [name, transformation] of Object.entries(GROUP)) {
    // At loose tolerance too: errors are measured by norms that know no directions and no labels, so that steps are the same.
    for (const integrator of [rk4(20), dopri5({ rtol: 1e-4 })])
      test(`kernel field, ${D}-D, ${integrator.kind}: density invariant, field and map equivariant under ${name}`, (t) => {
        const random = randomSource(N);
        const runner = kernelRunner(N, D, integrator);
        const x = random.normals(SAMPLES * N * D).map((value) => 1.5 * value);
        for (let repeat = 0; repeat < 5; repeat++) {
          const found = violations(runner, transformation(random, N, D), x);
          for (const [what, violation] of Object.entries(found)) t.true(violation < 1e-9, `${what}: ${violation}`);
        }
      });

    for (const integrator of [rk4(20), dopri5({ rtol: 1e-4 })])
      test(`dense field, ${D}-D, ${integrator.kind}: density and field change under ${name}`, (t) => {
        const random = randomSource(N);
        const runner = denseRunner(N, D, integrator);
        const x = random.normals(SAMPLES * N * D).map((value) => 1.5 * value);
        const found = violations(runner, transformation(random, N, D), x);
        for (const [what, violation] of Object.entries(found)) t.true(violation > 1e-2, `${what}: ${violation}`);
      });
  }

  test(`${D}-D: densities of both fields are invariant under translation`, (t) => {
    const random = randomSource(N);
    const adaptive = dopri5({ rtol: 1e-4 });
    const runners = [kernelRunner(N, D), denseRunner(N, D), kernelRunner(N, D, adaptive), denseRunner(N, D, adaptive)];
    for (const runner of runners) {
      const x = random.normals(SAMPLES * N * D).map((value) => 1.5 * value);
      const shift = random.normals(D).map((value) => 10 * value);
      const moved = each(x, N * D, (sample) => translate(sample, shift));
      t.true(largestDifference(runner.logProb(moved, SAMPLES), runner.logProb(x, SAMPLES)) < 1e-9);
    }
  });
}

test('the flow of the equivariance tests is far from the identity', (t) => {
  const runner = kernelRunner(4, 2);
  const z = randomSource(1).normals(SAMPLES * 8);
  const { logDet } = runner.forward(z, SAMPLES);
  t.true(Math.max(...logDet.map(Math.abs)) > 0.1, `${logDet}`);
});

test('log q converges at fourth order; that of a sample and of its configuration approach each other at fifth', (t) => {
  const steps = [5, 10, 20, 40];
  const finest = kernelRunner(4, 2, rk4(160));
  const discretisation: number[] = [];
  const difference: number[] = [];
  for (const count of steps) {
    const runner = kernelRunner(4, 2, rk4(count));
    const { x, logQ } = runner.sample(3, 0, 200);
    const backwards = runner.logProb(x, 200);
    discretisation.push(largestDifference(backwards, finest.logProb(x, 200)));
    difference.push(largestDifference(backwards, logQ));
  }
  const [order, differenceOrder] = [-observedOrder(steps, discretisation), -observedOrder(steps, difference)];
  t.log(`order ${order.toFixed(2)}: ${discretisation.map((error) => error.toExponential(1)).join(', ')} nats`);
  t.log(`order ${differenceOrder.toFixed(2)}: ${difference.map((error) => error.toExponential(1)).join(', ')} nats`);
  t.true(Math.abs(order - 4) < 0.35, `order ${order}`);
  // The leading error, even in h, is the same in both directions, so their difference says less than the error itself.
  t.true(Math.abs(differenceOrder - 5) < 0.35, `order ${differenceOrder}`);
  t.true(difference[3] < 1e-6 && discretisation[3] < 1e-5);
});

test('the density is normalised: importance weights of a broader proposal average to 1', (t) => {
  // E_p[q/p] = 1 for p a wider prior; n = 40000, tested at 4.9 standard errors: false alarm 1e-6 for a random seed.
  const field = initialKernelField(2, 2, uniformBasis(30, 8, 0.5), { seed: 4, weightScale: 1.5 });
  const runner = prepareFlow(flowThrough(field, 20));
  const still = initialKernelField(2, 2, uniformBasis(4, 4, 1), { seed: 1, weightScale: 0 });
  const wide = flowThrough(still, 1);
  const proposal = prepareFlow({ ...wide, prior: { ...wide.prior, scale: 2 } });
  const n = 40_000;
  const { x, logQ } = proposal.sample(5, 0, n);
  const weights = runner.logProb(x, n).map((value, s) => Math.exp(value - logQ[s]));
  const mean = weights.reduce((a, b) => a + b, 0) / n;
  const variance = weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / (n - 1);
  t.log(`${mean.toFixed(4)} ± ${Math.sqrt(variance / n).toFixed(4)}`);
  t.true(Math.abs(mean - 1) < 4.9 * Math.sqrt(variance / n), `${mean}`);
  t.true(Math.sqrt(variance / n) < 0.05, 'the estimate is sharp enough to mean something');
});
