import test from 'ava';
import { DataError, InterruptedError, NumericalError } from '../../src/errors.js';
import { initialDenseField, initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { encodeSafetensors } from '../../src/formats/index.js';
import {
  type CheckpointContext,
  type Configurations,
  decodeCheckpoint,
  emaUpdate,
  encodeCheckpoint,
  FlowGradients,
  type FlowGradientsOptions,
  type TrainingOptions,
  type TrainingState,
  trainFlow,
} from '../../src/training/index.js';
import { flowThrough, reach, referenceCase, referenceField, referenceParameters } from '../fields/reference-fields.js';
import { type DenseFieldParameters, denseField } from '../twin/dense-field.js';
import { kernelField } from '../twin/kernel-field.js';
import { randomSource } from '../twin/random.js';

const FLOW = flowThrough(initialKernelField(2, 2, uniformBasis(20, 8, 0.6), { seed: 3 }), 4);
const FEW: Configurations = { x: randomSource(4).normals(64), n: 16 };
const SHORT = { seed: 5, steps: 30, batchSize: 5, validationInterval: 10, learningRate: 0.02 } as const;

/** A copy of FEW in which configuration 11 is not a number. */
function bad(): Configurations {
  const x = FEW.x.slice();
  x[4 * 11 + 2] = Number.NaN;
  return { x, n: FEW.n };
}

const RUNS: Record<string, { options: Partial<TrainingOptions>; data: Configurations }> = {
  'flow matching with optimal transport and a moving average': {
    options: { loss: 'flow-matching', coupling: 'equivariant-ot', couplingGroup: 3, emaDecay: 0.9 },
    data: FEW,
  },
  'likelihood with kinetic energy and steps skipped': {
    options: { kineticWeight: 0.1, onNonFinite: 'skip' },
    data: bad(),
  },
};

for (const [name, { options, data }] of Object.entries(RUNS)) {
  test(`N + N steps resumed from a checkpoint are 2N steps, bit for bit: ${name}`, async (t) => {
    const all = { ...SHORT, ...options };
    const context: CheckpointContext = { model: 'a', data: 'b', options: all };
    const whole = await trainFlow(FLOW, data, FEW, all);
    for (const stopAt of [10, 15]) {
      let state: TrainingState | undefined;
      let asked = 0;
      await t.throwsAsync(
        () =>
          trainFlow(FLOW, data, FEW, all, {
            onState: (current) => {
              state = current;
            },
            shouldStop: () => asked++ === stopAt,
          }),
        { instanceOf: InterruptedError },
      );
      t.is(state!.step, stopAt);
      const restored = decodeCheckpoint(encodeCheckpoint(state!, context), 'checkpoint', context);
      t.deepEqual(restored, state);
      const resumed = await trainFlow(FLOW, data, FEW, all, {}, restored);
      t.deepEqual(resumed.state, whole.state);
      t.deepEqual(resumed.flow.field.parameters, whole.flow.field.parameters);
    }
  });
}

test('a file that is no checkpoint is refused, and one of other options by what differs', (t) => {
  const context: CheckpointContext = { model: 'a', data: 'b', options: SHORT };
  const refused = (metadata: Record<string, string>, message: RegExp) =>
    t.throws(() => decodeCheckpoint(encodeSafetensors(new Map(), metadata), 'c', context), {
      instanceOf: DataError,
      message,
    });
  refused({}, /^c: not a training checkpoint of this version/);
  refused({ equiflow: '{"kind": ' }, /^c: metadata 'equiflow' is not valid JSON/);
  refused({ equiflow: '{"kind": "checkpoint", "version": 9}' }, /^c: not a training checkpoint of this version/);
  const own = { kind: 'checkpoint', version: 1, context: { ...context, data: 'c' } };
  refused({ equiflow: JSON.stringify(own) }, /^c: made with other data \("c"\), this run has "b"/);
});

test('a moving average is what is validated and returned, and training itself does not know of it', async (t) => {
  const plain = await trainFlow(FLOW, FEW, FEW, SHORT);
  const averaged = await trainFlow(FLOW, FEW, FEW, { ...SHORT, emaDecay: 0.5 });
  t.deepEqual(averaged.state.parameters, plain.state.parameters);
  t.notDeepEqual(averaged.state.average, averaged.state.parameters);
  t.notDeepEqual(averaged.flow.field.parameters, plain.flow.field.parameters);
  const last = averaged.state.curve.at(-1)!;
  const engine = new FlowGradients(flowThrough(FLOW.field, 8), { precision: 'f32' });
  engine.update(averaged.state.average!);
  t.is(engine.nll(FEW.x, FEW.n), last.validationNll);
});

test('a moving average follows its recursion, starting from the latest parameters rather than the first', (t) => {
  const average = { a: Float64Array.of(100) };
  let expected = 100;
  for (let u = 1; u <= 200; u++) {
    emaUpdate(average, { a: Float64Array.of(u) }, 0.8, u);
    const kept = Math.min(0.8, (1 + u) / (10 + u));
    expected = kept * expected + (1 - kept) * u;
  }
  t.is(average.a[0], expected);
  // In the long run it lags behind by decay/(1 − decay).
  t.true(Math.abs(average.a[0] - (200 - 4)) < 1e-9);
});

for (const loss of ['likelihood', 'flow-matching'] as const) {
  test(`a configuration that is not a number stops a run by name, or skips the steps that meet it: ${loss}`, async (t) => {
    const data = bad();
    const started: TrainingState = { ...(await trainFlow(FLOW, FEW, FEW, { ...SHORT, loss, steps: 10 })).state };
    await t.throwsAsync(() => trainFlow(FLOW, data, FEW, { ...SHORT, loss }, {}, started), {
      instanceOf: NumericalError,
      message: /training configuration 11\) at step \d+/,
    });
    // 3 batches an epoch of 16 leave one configuration out: 10 epochs meet it 10 times less those.
    const { state, flow } = await trainFlow(FLOW, data, FEW, { ...SHORT, loss, onNonFinite: 'skip' });
    t.is(state.step, SHORT.steps);
    t.true(state.skipped >= 6 && state.skipped <= 10, `${state.skipped}`);
    t.is(state.adam.updates, SHORT.steps - state.skipped);
    t.true(Object.values(flow.field.parameters).every((values) => values.every(Number.isFinite)));
    t.true(state.curve.every((point) => Number.isFinite(point.trainingNll)));
    t.is((await trainFlow(FLOW, FEW, FEW, { ...SHORT, loss, onNonFinite: 'skip' })).state.skipped, 0);
  });
}

function kernelExample(): { field: ReturnType<typeof referenceField>; options: FlowGradientsOptions } {
  const reference = referenceCase('dw4');
  const grid = { intervals: 4096, maxDistance: 1.1 * reach(referenceParameters(reference)) };
  return { field: referenceField(reference), options: { grid } };
}

const KINETIC = {
  kernel: kernelExample(),
  dense: { field: initialDenseField(4, 2, { seed: 3, hidden: 9 }), options: {} },
};

for (const [name, { field, options }] of Object.entries(KINETIC)) {
  test(`the kinetic energy is ∫|v|² dt along the inverse path, and its gradient is exact: ${name} field`, (t) => {
    const n = 7;
    const steps = 6;
    const x = randomSource(6).normals(n * 8);
    const flow = flowThrough(field, steps);
    const engine = new FlowGradients(flow, options);
    const weight = 0.3;
    const lossAt = (parameters: typeof field.parameters, lambda: number) => {
      engine.update(parameters);
      return engine.nllGradient(x, n, lambda);
    };
    const { loss, gradient } = lossAt(field.parameters, weight);
    const kinetic = (loss - lossAt(field.parameters, 0).loss) / weight;

    const velocity = (time: number, row: Float64Array) =>
      name === 'kernel'
        ? kernelField(referenceParameters(referenceCase('dw4')), time, row, 4, 2).velocity
        : denseField(field.parameters as unknown as DenseFieldParameters, time, row, 4, 2).velocity;
    let expected = 0;
    for (let s = 0; s < n; s++) expected += inverseKineticEnergy(velocity, x.slice(8 * s, 8 * s + 8), steps) / n;
    t.true(Math.abs(kinetic - expected) < 1e-6 * expected, `${kinetic}, expected ${expected}`);

    const random = randomSource(7);
    for (const [group, values] of Object.entries(gradient)) {
      const direction = random.normals(values.length);
      const h = 1e-4 / Math.hypot(...direction);
      const at = (step: number) => {
        const moved = field.parameters[group].map((p, i) => p + step * direction[i]);
        return lossAt({ ...field.parameters, [group]: moved }, weight).loss;
      };
      const difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      const product = values.reduce((sum, g, i) => sum + g * direction[i], 0);
      const size = Math.hypot(...values) * Math.hypot(...direction);
      t.true(Math.abs(difference - product) <= 2e-6 * size, `${group}: ${product}, expected ${difference}`);
    }
  });
}

/** Runge–Kutta 4 of (x, ∫|v|² dt) from t = 1 to 0, from the definition. */
function inverseKineticEnergy(
  velocity: (time: number, x: Float64Array) => Float64Array,
  start: Float64Array,
  steps: number,
): number {
  const mean = [0, 1].map((a) => (start[a] + start[2 + a] + start[4 + a] + start[6 + a]) / 4);
  let x = start.map((value, c) => value - mean[c % 2]);
  const h = -1 / steps;
  let energy = 0;
  const squared = (v: Float64Array) => v.reduce((sum, value) => sum + value * value, 0);
  for (let step = 0; step < steps; step++) {
    const time = 1 + step * h;
    const moved = (k: Float64Array, by: number) => x.map((value, c) => value + by * k[c]);
    const k1 = velocity(time, x);
    const k2 = velocity(time + h / 2, moved(k1, h / 2));
    const k3 = velocity(time + h / 2, moved(k2, h / 2));
    const k4 = velocity(time + h, moved(k3, h));
    energy += (Math.abs(h) / 6) * (squared(k1) + 2 * squared(k2) + 2 * squared(k3) + squared(k4));
    x = x.map((value, c) => value + (h / 6) * (k1[c] + 2 * k2[c] + 2 * k3[c] + k4[c]));
  }
  return energy;
}
