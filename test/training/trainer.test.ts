import test from 'ava';
import { DataError, InterruptedError, NumericalError, UsageError } from '../../src/errors.js';
import { initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { boltzmannGenerator, type ContinuousFlow, prepareFlow } from '../../src/flows/index.js';
import { EnergyEvaluator, startConfiguration, systemFromSpec } from '../../src/systems/index.js';
import {
  type CheckpointContext,
  type Configurations,
  decodeCheckpoint,
  encodeCheckpoint,
  splitConfigurations,
  type TrainingOptions,
  type TrainingResult,
  type TrainingState,
  train,
  trainFlow,
} from '../../src/training/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { flowThrough } from '../fields/reference-fields.js';
import { runMetropolis } from '../samplers/run-metropolis.js';
import { randomSource } from '../twin/random.js';

const DW2 = systemFromSpec('dw2');
/** log ∫ e^{−U} of DW2 on the mean-free subspace, by quadrature. */
const LOG_Z = 7.26039;

/** `n` equilibrium configurations of DW2 from 200 chains. */
function equilibrium(n: number, seed: number): Configurations {
  const chains = 200;
  const start = startConfiguration(DW2);
  const { x } = runMetropolis({
    system: DW2,
    kT: 1,
    seed,
    firstChain: 0,
    start: Float64Array.from({ length: 4 * chains }, (_, c) => start[c % 4]),
    chains,
    stepSize: 0.5,
    warmUp: 2000,
    stride: 100,
    records: n / chains,
  });
  return { x, n };
}

const DATA = equilibrium(2000, 1);
const VALIDATION = equilibrium(1000, 2);

function initialFlow(steps = 8): ContinuousFlow {
  return flowThrough(initialKernelField(2, 2, uniformBasis(20, 8, 0.6), { seed: 3 }), steps);
}

/** Sixteen configurations of nothing in particular, for tests in which only the course of a run matters. */
const FEW: Configurations = { x: randomSource(4).normals(64), n: 16 };
const SHORT = { seed: 5, steps: 40, batchSize: 5, validationInterval: 10, learningRate: 0.02 } as const;

test('training takes the NLL of DW2 from four nats above its entropy to a tenth, and not below', async (t) => {
  const flow = initialFlow(12);
  const options = { seed: 1, steps: 400, batchSize: 256, learningRate: 0.01, validationInterval: 100 };
  const { flow: trained, state, reason } = await trainFlow(flow, DATA, VALIDATION, options);
  const energy = new EnergyEvaluator(DW2).energy(VALIDATION.x, VALIDATION.n);
  // KL(p‖q) as the mean of log p − log q, which scatters far less than the NLL itself
  const excess = (f: ContinuousFlow) => {
    const logQ = prepareFlow(f).logProb(VALIDATION.x, VALIDATION.n);
    const differences = energy.map((u, s) => -u - LOG_Z - logQ[s]);
    const mean = differences.reduce((x, y) => x + y, 0) / VALIDATION.n;
    const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / VALIDATION.n;
    return { mean, standardError: Math.sqrt(variance / VALIDATION.n) };
  };
  const [before, after] = [excess(flow), excess(trained)];
  t.log(`KL ${before.mean.toFixed(3)} → ${after.mean.toFixed(3)} ± ${after.standardError.toFixed(3)}`);
  t.true(before.mean > 3.5);
  t.true(after.mean < 0.1, `${after.mean}`);
  // false alarm below 1e-6 for a random seed
  t.true(after.mean > -4.9 * after.standardError, `${after.mean} ± ${after.standardError}`);
  t.is(reason, 'all steps done');
  t.deepEqual(
    state.curve.map(({ step }) => step),
    [0, 100, 200, 300, 400],
  );
  t.true(state.curve.every(({ rolledBack, trainingNll }) => !rolledBack && Number.isFinite(trainingNll)));
});

test('the flow that was given is left as it was, and frozen parameters stay', async (t) => {
  const flow = initialFlow(4);
  const before = structuredClone(flow.field.parameters);
  const { flow: trained } = await trainFlow(flow, FEW, FEW, SHORT);
  t.deepEqual(flow.field.parameters, before);
  t.deepEqual(trained.field.parameters.importance, before.importance);
  t.notDeepEqual(trained.field.parameters.weights, before.weights);

  const only = await trainFlow(flow, FEW, FEW, { ...SHORT, groups: ['bias'] });
  t.deepEqual({ ...only.flow.field.parameters, bias: before.bias }, { ...before });
  t.notDeepEqual(only.flow.field.parameters.bias, before.bias);
});

/** Runs to `steps` steps, then stops as a signal would; the state that was handed over. */
async function interruptedAfter(steps: number): Promise<TrainingState> {
  let state: TrainingState | undefined;
  let done = 0;
  try {
    await trainFlow(initialFlow(4), FEW, FEW, SHORT, {
      onStep: ({ step }) => {
        done = step;
      },
      onState: (current) => {
        state = current;
      },
      shouldStop: () => done === steps,
    });
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  }
  return state!;
}

const CONTEXT: CheckpointContext = { model: 'a'.repeat(64), data: 'b'.repeat(64), options: SHORT };

test('a run that stopped and resumed from a checkpoint is the same bytes as one that never did', async (t) => {
  const whole = await trainFlow(initialFlow(4), FEW, FEW, SHORT);
  // 20 is a validation, 17 and 23 are in the midst of an epoch and between validations
  for (const steps of [0, 17, 20, 23, 39]) {
    const state = await interruptedAfter(steps);
    t.is(state.step, steps);
    const restored = decodeCheckpoint(encodeCheckpoint(state, CONTEXT), 'checkpoint', CONTEXT);
    t.deepEqual(restored, state);
    const resumed = await trainFlow(initialFlow(4), FEW, FEW, SHORT, {}, restored);
    t.deepEqual(resumed.state, whole.state, `stopped after ${steps}`);
    t.deepEqual(resumed.flow.field.parameters, whole.flow.field.parameters);
  }
});

test('the same seed gives the same run, another seed another', async (t) => {
  const runs = [5, 5, 6].map((seed) => trainFlow(initialFlow(4), FEW, FEW, { ...SHORT, seed }));
  const [a, b, c] = (await Promise.all(runs)).map(({ state }) => state);
  t.deepEqual(a, b);
  t.notDeepEqual(a.parameters, c.parameters);
});

test('a checkpoint of another run is refused', async (t) => {
  const bytes = encodeCheckpoint(await interruptedAfter(10), CONTEXT);
  const refuse = (context: CheckpointContext, message: RegExp) =>
    t.throws(() => decodeCheckpoint(bytes, 'old.ckpt', context), { instanceOf: DataError, message });
  refuse({ ...CONTEXT, model: 'c' }, /old\.ckpt: made with other model/);
  refuse({ ...CONTEXT, data: 'c' }, /old\.ckpt: made with other data/);
  refuse({ ...CONTEXT, options: { ...SHORT, steps: 41 } }, /old\.ckpt: made with other options/);
});

test('training stops when the validation NLL no longer improves, and returns the best flow', async (t) => {
  // A prior that already fits the validation data, and training data that lead away from it.
  const flow = flowThrough(initialKernelField(2, 2, uniformBasis(10, 8, 0.6), { seed: 3, weightScale: 0 }), 4);
  const validation = { x: Float64Array.from(prepareFlow(flow).sample(1, 0, 200).x), n: 200 };
  const options = {
    ...SHORT,
    steps: 1000,
    batchSize: 200,
    validationInterval: 5,
    patience: 3,
    integratorTolerance: 10,
  };
  const { flow: trained, state, reason } = await trainFlow(flow, DATA, validation, options);
  t.is(reason, 'validation NLL no longer improves');
  t.is(state.step, state.best.step + 3 * 5);
  t.deepEqual(trained.field.parameters, state.best.parameters);
  t.true(state.curve.every((point) => point.validationNll >= state.best.validationNll));
});

test('a run that a coarse integrator no longer resolves goes back to its best state, then stops', async (t) => {
  const flow = initialFlow(2);
  const options = {
    seed: 1,
    steps: 2000,
    batchSize: 256,
    learningRate: 0.1,
    validationInterval: 20,
    patience: 4,
    stepJitter: 0,
  };
  const { flow: trained, state, reason } = await trainFlow(flow, DATA, VALIDATION, options);
  const rolledBack = state.curve.filter((point) => point.rolledBack);
  t.log(
    `${rolledBack.length} of ${state.curve.length} validations rolled back, best ${state.best.validationNll.toFixed(3)}`,
  );
  t.true(rolledBack.length >= 1);
  t.true(rolledBack.every((point) => Math.abs(point.integratorError) > 0.02));
  t.is(state.learningRateScale, 2 ** -rolledBack.length);
  t.is(reason, 'integrator no longer resolves the flow');
  // What is returned is resolved: twice the steps agree.
  const nllAt = (steps: number) => {
    const runner = prepareFlow({ ...trained, integrator: { kind: 'rk4', steps } });
    return -runner.logProb(VALIDATION.x, VALIDATION.n).reduce((a, b) => a + b, 0) / VALIDATION.n;
  };
  t.true(Math.abs(nllAt(2) - nllAt(4)) < 0.021);
});

test('NaN in a configuration stops a run, naming step and configuration', async (t) => {
  const bad = { x: FEW.x.slice(), n: FEW.n };
  bad.x[4 * 11 + 2] = Number.NaN;
  const resume = await interruptedAfter(20);
  await t.throwsAsync(() => trainFlow(initialFlow(4), bad, FEW, SHORT, {}, resume), {
    instanceOf: NumericalError,
    message: /log q of sample \d+ .*training configuration 11\) at step \d+/,
  });
});

test('parameters that run away stop a run, naming the step', async (t) => {
  // A bias pushes particles apart at any distance, so that their coordinates overflow.
  const wild = { ...SHORT, learningRate: 1e6, warmUpSteps: 0, groups: ['bias'], validationInterval: 40 };
  await t.throwsAsync(() => trainFlow(initialFlow(4), FEW, FEW, wild), {
    instanceOf: NumericalError,
    message: /at step \d+/,
  });
});

test('options that cannot be are refused by name', async (t) => {
  const refuse = (options: Partial<TrainingOptions>, message: RegExp) =>
    t.throwsAsync(() => trainFlow(initialFlow(4), FEW, FEW, { ...SHORT, ...options }), {
      instanceOf: UsageError,
      message,
    });
  await refuse({ seed: 1.5 }, /seed is 1.5/);
  await refuse({ steps: -1 }, /steps is -1/);
  await refuse({ batchSize: 0 }, /batchSize is 0/);
  await refuse({ validationInterval: 0 }, /validationInterval is 0/);
  await refuse({ patience: 0 }, /patience is 0/);
  await refuse({ learningRate: Number.NaN }, /learningRate is NaN/);
  await refuse({ clipNorm: 0 }, /clipNorm is 0/);
  await refuse({ integratorTolerance: -1 }, /integratorTolerance is -1/);
  await refuse({ stepJitter: 1 }, /stepJitter is 1/);
  await refuse({ groups: ['weigths'] }, /unknown parameter group 'weigths'/);
  await t.throwsAsync(() => trainFlow(initialFlow(4), { x: new Float64Array(0), n: 0 }, FEW, SHORT), {
    instanceOf: DataError,
  });
});

test('a split takes every configuration once, in order or drawn with the seed', (t) => {
  const all: Configurations = { x: Float64Array.from({ length: 40 }, (_, c) => Math.floor(c / 4)), n: 10 };
  const rows = ({ x, n }: Configurations) => Array.from({ length: n }, (_, s) => x[4 * s]);
  const tail = splitConfigurations(all, 0.3, 'tail', 1);
  t.deepEqual(
    [rows(tail.data), rows(tail.validation)],
    [
      [0, 1, 2, 3, 4, 5, 6],
      [7, 8, 9],
    ],
  );
  const random = splitConfigurations(all, 0.3, 'random', 1);
  t.is(random.validation.n, 3);
  t.deepEqual([...rows(random.data), ...rows(random.validation)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.deepEqual(splitConfigurations(all, 0.3, 'random', 1), random);
  t.notDeepEqual(splitConfigurations(all, 0.3, 'random', 2), random);
  for (const fraction of [0, 1, Number.NaN])
    t.throws(() => splitConfigurations(all, fraction, 'tail', 1), { instanceOf: UsageError });
});

test('training on the pool is the same bytes as training directly, and can be stopped and resumed', async (t) => {
  const generator = boltzmannGenerator(DW2, initialFlow(4));
  const direct: TrainingResult = await trainFlow(generator.flow, FEW, FEW, SHORT, { target: DW2 });
  const pool = new WorkerPool({ workers: 1 });
  try {
    const pooled = await train(generator, FEW, FEW, SHORT, pool);
    t.deepEqual(pooled.state, direct.state);
    t.deepEqual(pooled.generator.flow.field.parameters, direct.flow.field.parameters);

    const states: TrainingState[] = [];
    const stopped = train(generator, FEW, FEW, SHORT, pool, {
      signal: AbortSignal.abort(),
      onState: (state) => states.push(state),
    });
    await t.throwsAsync(stopped, { instanceOf: InterruptedError });
    const resumed = await train(generator, FEW, FEW, SHORT, pool, { resume: states.at(-1)! });
    t.deepEqual(resumed.state, direct.state);
  } finally {
    await pool.close();
  }
});

test('any number of workers gives the same bytes, with more data than a slab has', async (t) => {
  const generator = boltzmannGenerator(DW2, initialFlow(4));
  const options = { ...SHORT, steps: 12, batchSize: 700, validationInterval: 6 };
  const states: TrainingState[] = [];
  for (const workers of [1, 2, 3]) {
    const pool = new WorkerPool({ workers });
    try {
      const { state } = await train(generator, DATA, equilibrium(3000, 7), options, pool);
      states.push(state);
    } finally {
      await pool.close();
    }
  }
  t.deepEqual(states[1], states[0]);
  t.deepEqual(states[2], states[0]);
});
