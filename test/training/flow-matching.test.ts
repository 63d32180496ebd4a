import test from 'ava';
import { NumericalError, UsageError } from '../../src/errors.js';
import {
  type Field,
  initialDenseField,
  initialKernelField,
  type ParameterSet,
  uniformBasis,
} from '../../src/fields/index.js';
import { standardNormals } from '../../src/kernels/index.js';
import {
  type Configurations,
  type FlowGradientsOptions,
  matchingBatches,
  TRAINING_DEFAULTS,
  type TrainingOptions,
  trainFlow,
  type VelocityBatch,
  VelocityGradients,
} from '../../src/training/index.js';
import { flowThrough, reach, referenceCase, referenceField, referenceParameters } from '../fields/reference-fields.js';
import { type DenseFieldParameters, denseField, removeCentroid } from '../twin/dense-field.js';
import { type KernelFieldParameters, kernelField, radial } from '../twin/kernel-field.js';
import { type RandomSource, randomSource } from '../twin/random.js';
import { relativeError } from '../twin/reference.js';

const TIMES = Float64Array.of(0.03, 0.31, 0.52, 0.9);

interface Example {
  readonly field: Field;
  readonly options: FlowGradientsOptions;
  /** The velocity by the plain twin, without tables. */
  readonly velocity: (parameters: ParameterSet, t: number, x: Float64Array) => Float64Array;
}

function kernelExample(name: string): Example {
  const reference = referenceCase(name);
  const { particles: N, dimensions: D } = reference;
  return {
    field: referenceField(reference),
    options: { grid: { intervals: 8192, maxDistance: 1.1 * reach(referenceParameters(reference)) } },
    velocity: (p, t, x) => kernelField(p as unknown as KernelFieldParameters, t, x, N, D).velocity,
  };
}

function denseExample(): Example {
  const field = initialDenseField(5, 3, { seed: 3, hidden: 11, times: 4 });
  const outputWeights = field.parameters.outputWeights.map((w) => 10 * w);
  return {
    field: field.withParameters({ ...field.parameters, outputWeights }),
    options: {},
    velocity: (p, t, x) => denseField(p as unknown as DenseFieldParameters, t, x, 5, 3).velocity,
  };
}

const EXAMPLES: Record<string, Example> = {
  'kernel 2-D': kernelExample('dw4'),
  'kernel 3-D': kernelExample('lj13'),
  dense: denseExample(),
};

function rows(x: Float64Array, C: number): Float64Array[] {
  return Array.from({ length: x.length / C }, (_, s) => x.slice(s * C, (s + 1) * C));
}

function meanFreeRows(random: RandomSource, n: number, { particles: N, dimensions: D }: Field): Float64Array {
  return Float64Array.from(
    Array.from({ length: n }, () => Array.from(removeCentroid(random.normals(N * D), N, D))).flat(),
  );
}

function batchOf(field: Field, n: number, times = TIMES): VelocityBatch {
  const random = randomSource(8);
  const x = meanFreeRows(random, n, field).map((value) => 1.3 * value);
  return { times, x, velocity: meanFreeRows(random, n, field), n };
}

/** The loss by its definition. */
function twinLoss({ field, velocity }: Example, parameters: ParameterSet, batch: VelocityBatch): number {
  const C = field.particles * field.dimensions;
  const [x, wanted] = [rows(batch.x, C), rows(batch.velocity, C)];
  const { times, n } = batch;
  let sum = 0;
  for (let s = 0; s < n; s++) {
    const v = velocity(parameters, times[Math.floor((s * times.length) / n)], x[s]);
    sum += v.reduce((total, value, c) => total + (value - wanted[s][c]) ** 2, 0);
  }
  return sum / n;
}

for (const [name, example] of Object.entries(EXAMPLES)) {
  const { field, options } = example;

  test(`loss and gradient are those of the mean squared difference of velocities: ${name}`, (t) => {
    const engine = new VelocityGradients(field, TIMES.length, options);
    const random = randomSource(9);
    // 3 leaves a stage without samples, 7 shares unevenly, 300 takes several chunks a stage
    for (const n of [3, 7, 300]) {
      const batch = batchOf(field, n);
      const { loss, gradient } = engine.lossGradient(field.parameters, batch);
      const expected = twinLoss(example, field.parameters, batch);
      t.true(Math.abs(loss - expected) < 1e-9 * expected, `n = ${n}: ${loss}, expected ${expected}`);
      if (n === 300) continue;
      for (const [group, values] of Object.entries(gradient)) {
        const direction = random.normals(values.length);
        const h = 1e-4 / Math.hypot(...direction);
        const at = (step: number) => {
          const moved = field.parameters[group].map((p, i) => p + step * direction[i]);
          return twinLoss(example, { ...field.parameters, [group]: moved }, batch);
        };
        const difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
        const product = values.reduce((sum, g, i) => sum + g * direction[i], 0);
        const size = Math.hypot(...values) * Math.hypot(...direction);
        t.true(Math.abs(difference - product) <= 1e-6 * size, `${group}: ${product}, expected ${difference}`);
      }
    }
  });

  test(`f32 lanes are within 1e-4 of f64, and one stage for all serves as many with the same time: ${name}`, (t) => {
    const times = new Float64Array(4).fill(0.4);
    const [double, single] = (['f64', 'f32'] as const).map((precision) =>
      new VelocityGradients(field, 4, { ...options, precision }).lossGradient(
        field.parameters,
        batchOf(field, 90, times),
      ),
    );
    const one = new VelocityGradients(field, 1, options);
    const together = one.lossGradient(field.parameters, batchOf(field, 90, times.slice(0, 1)));
    t.true(Math.abs(together.loss - double.loss) < 1e-12 * double.loss);
    for (const [group, values] of Object.entries(double.gradient)) {
      t.true(relativeError(together.gradient[group], values) < 1e-10, group);
      t.true(relativeError(single.gradient[group], values) < 1e-4, group);
    }
  });
}

test('a target that is not a number is named by its sample', (t) => {
  const { field, options } = EXAMPLES['kernel 2-D'];
  const batch = batchOf(field, 9);
  batch.velocity[8 * 5] = Number.NaN;
  t.throws(() => new VelocityGradients(field, 4, options).lossGradient(field.parameters, batch), {
    instanceOf: NumericalError,
    message: /flow-matching loss of sample 5 of the batch is NaN/,
  });
});

/** `n` samples of the mean-free normal of standard deviation `scale`, [n, N, D]. */
function gaussians(n: number, N: number, D: number, scale: number): Configurations {
  const normals = standardNormals(77, 1000, 0, n, N * D);
  return {
    x: Float64Array.from(
      rows(normals, N * D).flatMap((row) => Array.from(removeCentroid(row, N, D), (value) => scale * value)),
    ),
    n,
  };
}

test('between two Gaussians the fitted field is the closed form c(t)·x', async (t) => {
  const [N, D, scale] = [3, 2, 2];
  const field = initialKernelField(N, D, uniformBasis(12, 8, 1.5), { seed: 1, weightScale: 0 });
  const data = gaussians(20000, N, D, scale);
  const validation = gaussians(500, N, D, scale);
  const options = {
    seed: 2,
    loss: 'flow-matching',
    steps: 1200,
    batchSize: 1024,
    learningRate: 0.02,
    validationInterval: 600,
    emaDecay: 0.99,
    groups: ['weights', 'bias'],
  } as const;
  const { state } = await trainFlow(flowThrough(field, 10), data, validation, options);
  const fitted = state.average as unknown as KernelFieldParameters;
  let worst = 0;
  for (let step = 0; step <= 10; step++) {
    const time = step / 10;
    // E[x₁ − x₀ | x_t] = c(t) x_t; as v_i = Σ_j r_ij f and Σ_j r_ij = N x_i, f is c/N at every distance.
    const c = (time * scale ** 2 - (1 - time)) / ((1 - time) ** 2 + (time * scale) ** 2);
    // Distances that occur often: the field is not fitted elsewhere.
    const spread = Math.sqrt(2 * ((1 - time) ** 2 + (time * scale) ** 2));
    for (const u of [0.7, 1, 1.5, 2]) worst = Math.max(worst, Math.abs(N * radial(fitted, time, u * spread).value - c));
  }
  t.log(`worst |N f − c| ${worst.toFixed(3)}, NLL ${state.best.validationNll.toFixed(4)}`);
  t.true(worst < 0.08, `${worst}`);
  // The entropy of the target; the validation set's own scatter is √(4/2/500) = 0.06 (five of them: 6e-7).
  const entropy = 0.5 * (N - 1) * D * Math.log(2 * Math.PI * Math.E * scale ** 2);
  t.true(Math.abs(state.best.validationNll - entropy) < 0.32, `${state.best.validationNll}, entropy ${entropy}`);
});

test('prior samples and times of a step depend on seed and step alone, and optimal transport shortens the paths', (t) => {
  const { field } = EXAMPLES['kernel 2-D'];
  const { x, n } = gaussians(64, 4, 2, 3);
  const indices = Uint32Array.from({ length: n }, (_, s) => s);
  const lossAt = (step: number, options: Partial<TrainingOptions> = {}) => {
    const all: TrainingOptions = { ...TRAINING_DEFAULTS, seed: 4, precision: 'f64', loss: 'flow-matching', ...options };
    // Without a velocity the loss is the mean squared length of the paths.
    const { velocity } = matchingBatches(flowThrough(field, 4), [0, 0, 0, 0], all)({ x, indices }, step);
    return velocity.reduce((sum, v) => sum + v * v, 0) / n;
  };
  t.is(lossAt(7), lossAt(7));
  t.not(lossAt(7), lossAt(8));
  t.not(lossAt(7), lossAt(7, { seed: 5 }));
  const [independent, minibatch, equivariant] = (['independent', 'minibatch-ot', 'equivariant-ot'] as const).map(
    (coupling) => lossAt(7, { coupling, couplingGroup: 16 }),
  );
  t.log(`${independent.toFixed(1)}, ${minibatch.toFixed(1)}, ${equivariant.toFixed(1)}`);
  t.true(independent > minibatch && minibatch > equivariant);
  // E |x₁ − x₀|² = (9 + 1)·6 with standard deviation √(2·6)·10/8 = 4.3 of the mean over 64: false alarm 3e-6
  t.true(Math.abs(independent - 60) < 20);
});

test('options of one loss are refused with the other', async (t) => {
  const flow = flowThrough(EXAMPLES['kernel 2-D'].field, 4);
  const data = gaussians(8, 4, 2, 1);
  const refuse = (options: Partial<TrainingOptions>, message: RegExp) =>
    t.throwsAsync(() => trainFlow(flow, data, data, { seed: 1, steps: 1, ...options }), {
      instanceOf: UsageError,
      message,
    });
  await refuse({ coupling: 'minibatch-ot' }, /coupling is minibatch-ot, which needs the loss flow-matching/);
  await refuse({ loss: 'flow-matching', kineticWeight: 1 }, /kineticWeight is 1, expected 0/);
  await refuse({ kineticWeight: -1 }, /kineticWeight is -1/);
  await refuse({ emaDecay: 1 }, /emaDecay is 1/);
  await refuse({ couplingGroup: 513 }, /couplingGroup is 513/);
  await refuse({ matchingTimes: 0 }, /matchingTimes is 0/);
  await refuse({ loss: 'matching' as 'likelihood' }, /loss is matching, expected likelihood or flow-matching/);
  await refuse({ onNonFinite: 'ignore' as 'stop' }, /onNonFinite is ignore/);
});
