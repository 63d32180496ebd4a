import test from 'ava';
import { NumericalError } from '../../../src/errors.js';
import {
  type Field,
  initialDenseField,
  initialKernelField,
  KernelField,
  type ParameterSet,
  uniformBasis,
} from '../../../src/fields/index.js';
import { systemFromSpec } from '../../../src/systems/index.js';
import {
  ADAM,
  adamState,
  adamUpdate,
  KernelsEngine,
  TRAINING_DEFAULTS,
  type TrainingEngine,
} from '../../../src/training/index.js';
import { flowThrough, referenceCase, referenceField } from '../../fields/reference-fields.js';
import { randomSource } from '../../twin/random.js';
import { flatten, loadReference, relativeError } from '../../twin/reference.js';
import { backendsUnderTest, lossesOf } from './engines.js';

const LOSS_TOLERANCE = 1e-4;
/** Of the largest entry of each group. */
const GRADIENT_TOLERANCE = 1e-3;

/** Every parameter at work, so that no gradient is zero. */
function livelyKernelField(N: number, D: number, species?: number[]): KernelField {
  const field = initialKernelField(N, D, uniformBasis(9, 6, 0.9), {
    seed: 4,
    weightScale: 1,
    ...(species ? { species } : {}),
  });
  const random = randomSource(5);
  const { bias, importance } = field.parameters;
  return new KernelField(
    N,
    D,
    {
      ...field.parameters,
      bias: random.normals(bias.length).map((b) => 0.1 * b),
      importance: random.normals(importance.length).map((s) => 0.3 * s),
    },
    field.species.species,
  );
}

function livelyDenseField(N: number, D: number): Field {
  const field = initialDenseField(N, D, { seed: 3, hidden: 7, times: 4 });
  const random = randomSource(3);
  const { outputBias, hiddenBias } = field.parameters;
  return field.withParameters({
    ...field.parameters,
    outputBias: random.normals(outputBias.length).map((b) => 0.3 * b),
    hiddenBias: random.normals(hiddenBias.length),
  });
}

const FIELDS: Record<string, Field> = {
  'kernel 2-D': livelyKernelField(4, 2),
  'kernel 3-D': livelyKernelField(13, 3),
  'kernel of two species': livelyKernelField(4, 2, [0, 1, 1, 0]),
  'dense 2-D': livelyDenseField(4, 2),
  'dense 3-D': livelyDenseField(13, 3),
};

const systemOf = ({ particles }: Field) =>
  particles === 4 ? systemFromSpec('dw4') : systemFromSpec('lj13:pairFactor=2');

const backends = await backendsUnderTest();

for (const { backend, declare, load, engine: makeEngine } of backends) {
  declare('the NLL and its gradient agree with automatic differentiation in f64', async (t) => {
    for (const { name, nll, x } of loadReference().fields) {
      const flow = flowThrough(referenceField(referenceCase(name)), nll.rk4Steps);
      const engine = await makeEngine({ flow });
      const { loss, gradient } = engine.nllGradient(flatten(x), x.length, nll.rk4Steps, 0);
      t.true(relative(loss, nll.value) < 1e-6, `${name}: loss ${loss}, expected ${nll.value}`);
      for (const [group, expected] of Object.entries(nll.gradient)) {
        const error = relativeError(gradient[group], flatten(expected));
        t.true(error < 1e-5, `${name} ${group}: ${error}`);
      }
      engine.dispose();
    }
  });

  declare('every loss and gradient agrees with the kernels, whatever the field', async (t) => {
    const [n, steps] = [5, 3];
    let [worstLoss, worstGradient] = [0, 0];
    for (const [name, field] of Object.entries(FIELDS)) {
      const settings = { flow: flowThrough(field, steps), target: systemOf(field) };
      const x = randomSource(8).normals(n * field.particles * field.dimensions);
      const kernels = new KernelsEngine({ ...settings, precision: 'f64' });
      // Two samples at a time, so that chunks and the rest of a batch are met.
      const engine = await makeEngine(settings, 2 * 78 * 9);
      for (const [what, lossOf] of Object.entries(lossesOf(x, n, steps))) {
        const [actual, expected] = [await lossOf(engine), await lossOf(kernels)];
        const error = relative(actual.loss, expected.loss);
        worstLoss = Math.max(worstLoss, error);
        t.true(error <= LOSS_TOLERANCE, `${name}, ${what}: loss ${actual.loss}, on the kernels ${expected.loss}`);
        t.deepEqual(Object.keys(actual.gradient).sort(), Object.keys(expected.gradient).sort());
        for (const [group, values] of Object.entries(expected.gradient)) {
          const off = relativeError(actual.gradient[group], values);
          worstGradient = Math.max(worstGradient, off);
          t.true(off <= GRADIENT_TOLERANCE, `${name}, ${what}, ${group}: ${off}`);
        }
      }
      t.true(relative(engine.nll(x, n, steps), kernels.nll(x, n, steps)) <= LOSS_TOLERANCE);
      const samples = { seed: 3, first: 7, n };
      const [kl, expectedKl] = [engine.reverseKl(samples, steps, 30), kernels.reverseKl(samples, steps, 30)];
      t.true(relative(kl, expectedKl) <= LOSS_TOLERANCE, `${name}: reverse KL ${kl}, on the kernels ${expectedKl}`);
      engine.dispose();
    }
    t.log(`losses within ${worstLoss.toExponential(1)}, gradients within ${worstGradient.toExponential(1)}`);
  });

  declare('ten steps of Adam go the same way as on the kernels', async (t) => {
    const [n, steps] = [8, 4];
    const field = FIELDS['kernel 2-D'];
    const settings = { flow: flowThrough(field, steps), target: systemOf(field) };
    const x = randomSource(9)
      .normals(n * 8)
      .map((value) => 1.5 * value);
    for (const [what, lossOf] of Object.entries(lossesOf(x, n, steps))) {
      const expected = await adamLosses(new KernelsEngine({ ...settings, precision: 'f64' }), field.parameters, lossOf);
      const engine = await makeEngine(settings);
      const actual = await adamLosses(engine, field.parameters, lossOf);
      engine.dispose();
      t.not(expected[0], expected[9]);
      actual.forEach((loss, step) => {
        t.true(
          relative(loss, expected[step]) <= 1e-3,
          `${what}, step ${step}: ${loss}, on the kernels ${expected[step]}`,
        );
      });
    }
  });

  declare('no tensor outlives the call that made it, over many steps', async (t) => {
    const field = initialKernelField(2, 2, uniformBasis(3, 4, 1), { seed: 1, weightScale: 1 });
    const settings = { flow: flowThrough(field, 1), target: systemFromSpec('dw2') };
    const engine = await makeEngine(settings);
    const memory = (await load()).memory;
    const x = Float64Array.of(0, 0, 1, 1);
    const before = memory();
    // Tensors are counted above the backends, so the quickest of them stands for the others.
    const steps = backend === 'cpu' ? 1000 : 200;
    const others = Object.values(lossesOf(x, 1, 1));
    for (let step = 0; step < steps; step++) {
      if (step % 10 === 0) await others[(step / 10) % others.length](engine);
      else engine.nllGradient(x, 1, 1, 0);
      engine.update(field.parameters);
      const { numTensors, numBytes } = memory();
      if (numTensors !== before.numTensors || numBytes !== before.numBytes) {
        t.fail(`step ${step}: ${numTensors} tensors, ${before.numTensors} at first`);
        return;
      }
    }
    t.throws(() => engine.nllGradient(x.with(0, Number.NaN), 1, 1, 0), { instanceOf: NumericalError });
    t.is(memory().numTensors, before.numTensors, 'not even where a loss is not finite');
    engine.dispose();
    const own = 7 + 2;
    t.is(memory().numTensors, before.numTensors - own, 'parameters and the matrices of pairs go with the engine');
  });

  declare('the first sample whose loss is not finite is named', async (t) => {
    const field = FIELDS['kernel 2-D'];
    const engine = await makeEngine({ flow: flowThrough(field, 2) }, 2 * 54);
    const x = randomSource(8).normals(5 * 8);
    x[3 * 8 + 1] = Number.NaN;
    const times = Float64Array.of(0.5);
    t.throws(() => engine.nll(x, 5, 2), { instanceOf: NumericalError, message: /^log q of sample 3 / });
    t.throws(() => engine.nllGradient(x, 5, 2, 0), { instanceOf: NumericalError, message: /^log q of sample 3 / });
    t.throws(() => engine.velocityGradient({ times, x, velocity: x, n: 5 }), {
      instanceOf: NumericalError,
      message: /^flow-matching loss of sample 3 /,
    });
    engine.dispose();
  });
}

test.serial('engines of different backends take turns in one thread', async (t) => {
  const field = FIELDS['dense 2-D'];
  const settings = { flow: flowThrough(field, 2) };
  const x = randomSource(8).normals(5 * 8);
  const available: TrainingEngine[] = [];
  for (const { engine } of backends) {
    try {
      available.push(await engine(settings));
    } catch {
      // An absent backend takes no turn.
    }
  }
  const expected = new KernelsEngine({ ...settings, precision: 'f64' }).nll(x, 5, 2);
  for (let round = 0; round < 2; round++) {
    for (const engine of available) {
      engine.update(field.parameters);
      t.true(relative(await engine.nll(x, 5, 2), expected) < LOSS_TOLERANCE, engine.name);
    }
  }
  for (const engine of available) engine.dispose();
  t.pass();
});

/** The losses met in ten steps of Adam. */
async function adamLosses(
  engine: TrainingEngine,
  initial: ParameterSet,
  lossOf: ReturnType<typeof lossesOf>[string],
): Promise<number[]> {
  const parameters = Object.fromEntries(Object.entries(initial).map(([name, values]) => [name, values.slice()]));
  const state = adamState(parameters, Object.keys(parameters));
  const losses: number[] = [];
  for (let step = 0; step < 10; step++) {
    await engine.update(parameters);
    const { loss, gradient } = await lossOf(engine);
    losses.push(loss);
    // The peak rate of the trainer, which it warms up to. Adam's first steps go by the signs of gradients, near zero as well.
    adamUpdate(parameters, gradient, state, TRAINING_DEFAULTS.learningRate, ADAM);
  }
  return losses;
}

function relative(actual: number, expected: number): number {
  return Math.abs(actual - expected) / Math.abs(expected);
}
