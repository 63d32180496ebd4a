import test from 'ava';
import { type Field, initialDenseField, initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { type ContinuousFlow, continuousFlow } from '../../src/flows/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { logDensityOfSquaredNorm, meanFreeNormal } from '../../src/priors/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { FlowGradients, type PriorBatch, trainFlow } from '../../src/training/index.js';
import { flowThrough, referenceField } from '../fields/reference-fields.js';
import { randomSource } from '../twin/random.js';
import { flatten, type KernelParameters, loadReference, relativeError } from '../twin/reference.js';

const NO_CAP = Number.POSITIVE_INFINITY;
const DW4 = systemFromSpec('dw4');
const TARGETS: Record<string, string> = { dw4: 'dw4', lj13: 'lj13:pairFactor=2' };

test('the reverse KL and its gradient with respect to all seven parameters agree with automatic differentiation', (t) => {
  for (const reference of loadReference().fields) {
    const { rk4Steps, value, gradient: expected } = reference.reverseKl;
    const flow = flowThrough(referenceField(reference), rk4Steps);
    const engine = new FlowGradients(flow, { resolution: 256 }, systemFromSpec(TARGETS[reference.name]));
    const z = flatten(reference.z);
    const n = reference.z.length;
    const { loss, gradient } = engine.reverseKlGradient({ z, n }, { estimator: 'total', energyCap: NO_CAP });
    // The reference leaves the prior's entropy out.
    const logPrior = meanLogPrior(flow, z, n);
    t.true(
      Math.abs(loss - logPrior - value) < 1e-9 * Math.abs(value),
      `${reference.name}: ${loss - logPrior}, ${value}`,
    );
    for (const [group, values] of Object.entries(expected)) {
      const error = relativeError(gradient[group], flatten(values as KernelParameters[keyof KernelParameters]));
      t.true(error < 1e-6, `${reference.name} ${group}: ${error}`);
    }
  }
});

function meanLogPrior({ prior }: ContinuousFlow, z: Float64Array, n: number): number {
  const C = prior.particles * prior.dimensions;
  const logPrior = logDensityOfSquaredNorm(prior);
  let sum = 0;
  for (let s = 0; s < n; s++) {
    const row = z.subarray(s * C, (s + 1) * C);
    sum += logPrior(row.reduce((norm, value) => norm + value * value, 0));
  }
  return sum / n;
}

function dw4Flow(field: Field, kT = 1): ContinuousFlow {
  return continuousFlow(meanFreeNormal(4, 2, { scale: 2, kT }), field, rk4(8));
}

const FIELDS: Record<string, Field> = {
  kernel: initialKernelField(4, 2, uniformBasis(12, 8, 0.9), { seed: 3, weightScale: 1 }),
  dense: initialDenseField(4, 2, { seed: 3, hidden: 9 }),
};

for (const [name, field] of Object.entries(FIELDS)) {
  test(`${name} field: the total derivative is that of the loss, also where energies are capped and kT is not 1`, (t) => {
    const grid = { intervals: 4096, maxDistance: 16 };
    const engine = new FlowGradients(dw4Flow(field, 1.7), { grid }, DW4);
    const batch: PriorBatch = { seed: 5, first: 0, n: 40 };
    const energyCap = 20;
    const { gradient } = engine.reverseKlGradient(batch, { estimator: 'total', energyCap });
    const capped = engine.reverseKl(batch, energyCap);
    t.true(capped < engine.reverseKl(batch, NO_CAP) - 1, 'the cap is at work');

    const random = randomSource(6);
    const groups = Object.keys(field.parameters);
    const length = Math.sqrt(groups.reduce((sum, group) => sum + gradient[group].reduce((a, g) => a + g * g, 0), 0));
    for (let trial = 0; trial < 10; trial++) {
      const direction = Object.fromEntries(groups.map((group) => [group, random.normals(gradient[group].length)]));
      const norm = Math.sqrt(groups.reduce((sum, group) => sum + direction[group].reduce((a, d) => a + d * d, 0), 0));
      const lossAt = (step: number) => {
        const moved = Object.fromEntries(
          groups.map((group) => [
            group,
            field.parameters[group].map((p, i) => p + (step * direction[group][i]) / norm),
          ]),
        );
        engine.update(moved);
        return engine.reverseKl(batch, energyCap);
      };
      const h = 1e-4;
      const difference = (8 * (lossAt(h) - lossAt(-h)) - (lossAt(2 * h) - lossAt(-2 * h))) / (12 * h);
      const slope = groups.reduce(
        (sum, group) => sum + gradient[group].reduce((a, g, i) => a + (g * direction[group][i]) / norm, 0),
        0,
      );
      t.true(Math.abs(difference - slope) < 1e-6 * length, `${difference} against ${slope}, |g| ${length}`);
      engine.update(field.parameters);
    }
  });

  test(`${name} field: total and path derivatives have the same mean`, (t) => {
    // Their difference, the score, has mean zero: with 60 batches a component is beyond five standard errors once in
    // 1.7 million.
    const engine = new FlowGradients(dw4Flow(field), {}, DW4);
    const [group] = Object.keys(field.parameters);
    const size = field.parameters[group].length;
    const batches = 60;
    const sums = new Float64Array(size);
    const squares = new Float64Array(size);
    for (let b = 0; b < batches; b++) {
      const batch = { seed: 8, first: 64 * b, n: 64 };
      const [total, path] = (['total', 'path'] as const).map(
        (estimator) => engine.reverseKlGradient(batch, { estimator, energyCap: 100 }).gradient[group],
      );
      for (let i = 0; i < size; i++) {
        sums[i] += total[i] - path[i];
        squares[i] += (total[i] - path[i]) ** 2;
      }
    }
    let noisy = 0;
    for (let i = 0; i < size; i++) {
      const mean = sums[i] / batches;
      const error = Math.sqrt((squares[i] / batches - mean ** 2) / (batches - 1));
      if (error > 0) noisy++;
      t.true(Math.abs(mean) <= 5 * error + 1e-9, `${group}[${i}]: ${mean} ± ${error}`);
    }
    t.true(noisy > size / 2, 'the two estimators differ batch by batch');
  });
}

test('where the flow samples its target exactly the path derivative vanishes and the total one does not', (t) => {
  // The prior at kT = 1 and unit scale is the Boltzmann distribution of a harmonic trap, and zero weights are the identity.
  const field = initialKernelField(4, 2, uniformBasis(8, 6, 1), { seed: 1, weightScale: 0 });
  const flow = continuousFlow(meanFreeNormal(4, 2), field, rk4(4));
  const trap = { ...DW4, terms: [{ kind: 'trap', scale: 1, stiffness: 1 }] as const };
  const engine = new FlowGradients(flow, {}, trap);
  const batch = { seed: 2, first: 0, n: 32 };
  const largest = (estimator: 'total' | 'path') => {
    const { gradient } = engine.reverseKlGradient(batch, { estimator, energyCap: NO_CAP });
    return Math.max(...gradient.weights.map(Math.abs), ...gradient.bias.map(Math.abs));
  };
  t.true(largest('path') < 1e-12);
  t.true(largest('total') > 1e-3);
});

test('training on the reverse KL alone pulls a flow towards a target it has no data of', async (t) => {
  const field = initialKernelField(2, 2, uniformBasis(20, 8, 0.6), { seed: 1 });
  const flow = continuousFlow(meanFreeNormal(2, 2, { scale: 2 }), field, rk4(10));
  const target = systemFromSpec('dw2');
  const data = { x: Float64Array.from([1.2, 0, -1.2, 0, 2.7, 0, -2.7, 0]), n: 2 };
  const batch = { seed: 77, first: 0, n: 2000 };
  const before = new FlowGradients(flow, {}, target).reverseKl(batch);
  const options = {
    seed: 1,
    steps: 500,
    batchSize: 128,
    klShare: [1, 1] as const,
    validationInterval: 50,
    warmUpSteps: 10,
  };
  // Two configurations are a batch; the reverse KL draws as many of its own samples, so give it a batch by repeating them.
  const many = { x: Float64Array.from({ length: 128 * 4 }, (_, i) => data.x[i % 8]), n: 128 };
  const trained = await trainFlow(flow, many, data, options, { target });
  const after = new FlowGradients(trained.flow, {}, target).reverseKl(batch);
  // KL(q‖p) = loss + log Z is at least 0.
  const logZ = target.known.logZ!.value;
  t.true(before + logZ > 1, `untrained: KL ${before + logZ}`);
  t.true(after + logZ < 0.3 && after + logZ > -0.05, `trained: KL ${after + logZ}`);
});

test('a share of the reverse KL without a target is refused', async (t) => {
  const flow = dw4Flow(FIELDS.kernel);
  const data = { x: new Float64Array(8).map((_, i) => i), n: 1 };
  await t.throwsAsync(() => trainFlow(flow, data, data, { seed: 1, klShare: [0, 0.5] }), {
    message: /reverse KL has a share in the loss, but there is no target/,
  });
});
