import test from 'ava';
import {
  type Field,
  initialDenseField,
  initialKernelField,
  type ParameterSet,
  uniformBasis,
} from '../../src/fields/index.js';
import { prepareFlow } from '../../src/flows/index.js';
import { FlowGradients, type FlowGradientsOptions } from '../../src/training/index.js';
import { flowThrough, reach, referenceCase, referenceField, referenceParameters } from '../fields/reference-fields.js';
import { type RandomSource, randomSource } from '../twin/random.js';
import { flatten, type KernelParameters, loadReference, relativeError } from '../twin/reference.js';

const GROUPS = ['weights', 'bias', 'importance', 'mu', 'logGamma', 'muTime', 'logGammaTime'] as const;

test('the NLL and its gradient with respect to all seven parameters agree with automatic differentiation', (t) => {
  for (const reference of loadReference().fields) {
    const { rk4Steps, value, gradient: expected } = reference.nll;
    // Gradients of the divergence need the second derivative, which cubic tables give to second order only.
    const engine = new FlowGradients(flowThrough(referenceField(reference), rk4Steps), { resolution: 256 });
    const { loss, gradient } = engine.nllGradient(flatten(reference.x), reference.x.length);
    t.true(Math.abs(loss - value) < 1e-6, `${reference.name}: loss ${loss}, expected ${value}`);
    for (const group of GROUPS) {
      const error = relativeError(gradient[group], flatten(expected[group as keyof KernelParameters]));
      t.log(`${reference.name} ${group}: ${error.toExponential(1)}`);
      t.true(error < 1e-4, `${reference.name} ${group}: ${error}`);
    }
  }
});

interface Example {
  readonly field: Field;
  readonly options: FlowGradientsOptions;
}

/** Fields with every parameter at work; the kernel field's grid stays put, as its reverse pass takes it to. */
const EXAMPLES: Record<string, Example> = {
  'kernel 2-D': kernelExample('dw4'),
  'kernel 3-D': kernelExample('lj13'),
  'kernel of two species': speciesExample(),
  'dense 2-D': denseExample(4, 2),
  'dense 3-D': denseExample(5, 3),
};

function kernelExample(name: string): Example {
  const reference = referenceCase(name);
  const grid = { intervals: 4096, maxDistance: 1.1 * reach(referenceParameters(reference)) };
  return { field: referenceField(reference), options: { grid } };
}

function speciesExample(): Example {
  const options = { seed: 4, weightScale: 1.5, species: [0, 1, 1, 0, 1] };
  const field = initialKernelField(5, 3, uniformBasis(9, 5, 0.8), options);
  const random = randomSource(5);
  const { bias, importance } = field.parameters;
  return {
    field: field.withParameters({
      ...field.parameters,
      bias: random.normals(bias.length).map((b) => 0.2 * b),
      importance: random.normals(importance.length).map((s) => 0.3 * s),
    }),
    options: { grid: { intervals: 4096, maxDistance: 11 } },
  };
}

function denseExample(N: number, D: number): Example {
  const random = randomSource(3);
  const field = initialDenseField(N, D, { seed: 3, hidden: 11, times: 4 });
  const { outputWeights, outputBias, hiddenBias } = field.parameters;
  return {
    field: field.withParameters({
      ...field.parameters,
      outputWeights: random.normals(outputWeights.length).map((w) => 0.3 * w),
      outputBias: random.normals(outputBias.length).map((b) => 0.3 * b),
      hiddenBias: random.normals(hiddenBias.length),
    }),
    options: {},
  };
}

function randomDirection(random: RandomSource, parameters: ParameterSet, groups: readonly string[]): ParameterSet {
  const direction = Object.fromEntries(groups.map((name) => [name, random.normals(parameters[name].length)]));
  const norm = Math.sqrt(dot(direction, direction));
  for (const values of Object.values(direction)) for (let i = 0; i < values.length; i++) values[i] /= norm;
  return direction;
}

function dot(a: ParameterSet, b: ParameterSet): number {
  let sum = 0;
  for (const [name, values] of Object.entries(a)) {
    for (let i = 0; i < values.length; i++) sum += values[i] * b[name][i];
  }
  return sum;
}

/** Fourth-order central difference of the engine's own loss. */
function directionalDerivative(
  engine: FlowGradients,
  parameters: ParameterSet,
  direction: ParameterSet,
  x: Float64Array,
  n: number,
): number {
  // Small, because the gradient has a kink wherever a pair crosses a knot of the cubic tables.
  const h = 1e-4;
  const lossAt = (step: number) => {
    const moved = Object.entries(direction).map(([name, d]) => [name, parameters[name].map((p, i) => p + step * d[i])]);
    engine.update({ ...parameters, ...Object.fromEntries(moved) });
    return engine.nll(x, n);
  };
  return (8 * (lossAt(h) - lossAt(-h)) - (lossAt(2 * h) - lossAt(-2 * h))) / (12 * h);
}

for (const [name, { field, options }] of Object.entries(EXAMPLES)) {
  const C = field.particles * field.dimensions;

  test(`the gradient is the derivative of the loss that is computed: ${name}`, (t) => {
    const random = randomSource(8);
    const n = 7;
    const x = random.normals(n * C).map((value) => 1.3 * value);
    const engine = new FlowGradients(flowThrough(field, 4), options);
    const { loss, gradient } = engine.nllGradient(x, n);
    t.is(engine.nll(x, n), loss, 'the loss does not depend on whether its gradient is wanted');
    const length = Math.sqrt(dot(gradient, gradient));
    let worst = 0;
    for (let repeat = 0; repeat < 20; repeat++) {
      const direction = randomDirection(random, field.parameters, Object.keys(gradient));
      const difference = directionalDerivative(engine, field.parameters, direction, x, n);
      worst = Math.max(worst, Math.abs(difference - dot(direction, gradient)) / length);
    }
    t.log(`${worst.toExponential(1)} of |g|`);
    t.true(worst < 1e-7, `${worst}`);
    // Each group by itself, so that none hides behind longer ones.
    for (const group of Object.keys(gradient)) {
      const own = Math.sqrt(dot({ [group]: gradient[group] }, gradient));
      const direction = randomDirection(random, field.parameters, [group]);
      const difference = directionalDerivative(engine, field.parameters, direction, x, n);
      const error = Math.abs(difference - dot(direction, gradient)) / own;
      t.log(`${group}: ${error.toExponential(1)} of its own length ${own.toExponential(1)}`);
      t.true(error < 1e-6, `${group}: ${error}`);
    }
  });

  test(`gradients in f32 lanes are within 1e-3 of f64: ${name}`, (t) => {
    const n = 50;
    const x = randomSource(9)
      .normals(n * C)
      .map((value) => 1.3 * value);
    const [single, double] = (['f32', 'f64'] as const).map((precision) =>
      new FlowGradients(flowThrough(field, 4), { ...options, precision }).nllGradient(x, n),
    );
    t.true(Math.abs(single.loss - double.loss) < 1e-4);
    for (const [group, values] of Object.entries(double.gradient)) {
      const error = relativeError(single.gradient[group], values);
      t.true(error < 1e-3, `${group}: ${error}`);
    }
  });

  test(`a batch has the mean loss and gradient of its samples, at every batch size: ${name}`, (t) => {
    const x = randomSource(10)
      .normals(70 * C)
      .map((value) => 1.3 * value);
    const engine = new FlowGradients(flowThrough(field, 4), options);
    // 1 … 9 meet every number of idle lanes, 70 the boundary of a chunk
    for (const n of [2, 3, 4, 5, 6, 7, 8, 9, 70]) {
      const together = engine.nllGradient(x.slice(0, n * C), n);
      const alone = Array.from({ length: n }, (_, s) => engine.nllGradient(x.slice(s * C, (s + 1) * C), 1));
      t.true(
        Math.abs(together.loss - alone.reduce((sum, { loss }) => sum + loss, 0) / n) < 1e-12 * Math.abs(together.loss),
      );
      for (const [group, values] of Object.entries(together.gradient)) {
        const mean = values.map((_, i) => alone.reduce((sum, { gradient }) => sum + gradient[group][i], 0) / n);
        t.true(relativeError(values, mean) < 1e-10, `${group}, n = ${n}`);
      }
    }
  });

  test(`the loss is the mean of −log q: ${name}`, (t) => {
    const x = randomSource(11).normals(20 * C);
    const flow = flowThrough(field, 4);
    const logQ = prepareFlow(flow, 'f64', options).logProb(x, 20);
    const mean = -logQ.reduce((a, b) => a + b, 0) / 20;
    t.true(Math.abs(new FlowGradients(flow, options).nll(x, 20) - mean) < 1e-12 * Math.abs(mean));
  });
}
