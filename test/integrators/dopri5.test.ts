import test from 'ava';
import { NumericalError, UsageError } from '../../src/errors.js';
import { initialDenseField, initialKernelField, KernelField, uniformBasis } from '../../src/fields/index.js';
import { continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { type DormandPrince5Options, dopri5 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import {
  flowThrough,
  observedOrder,
  referenceCase,
  referenceField,
  referenceParameters,
} from '../fields/reference-fields.js';
import { type DenseFieldParameters, denseField, removeCentroid } from '../twin/dense-field.js';
import { dopri5Adaptive, dopri5Fixed, dopri5Step } from '../twin/dopri5.js';
import { kernelField } from '../twin/kernel-field.js';
import { randomSource } from '../twin/random.js';

const SAMPLES = 20;
const GRID = { intervals: 8192, maxDistance: 12 };

const FIELDS = {
  kernel: referenceField(referenceCase('dw4')),
  dense: initialDenseField(4, 2, { seed: 3, hidden: 16 }),
};

function centered(x: Float64Array, C = 8, D = 2): Float64Array {
  const out = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += C) out.set(removeCentroid(x.slice(at, at + C), C / D, D), at);
  return out;
}

const wide = centered(
  randomSource(1)
    .normals(SAMPLES * 8)
    .map((value) => 1.5 * value),
);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

type AnyField = (typeof FIELDS)[keyof typeof FIELDS];

function runnerOf(field: AnyField, options: DormandPrince5Options, precision: 'f32' | 'f64' = 'f64') {
  const flow = continuousFlow(meanFreeNormal(field.particles, field.dimensions), field, dopri5(options));
  return prepareFlow(flow, precision, { grid: GRID });
}

/** Steps of one size: no error is too large, and none may be longer. */
const stepsOf = (level: number) => ({ rtol: 0.999, atol: 1e9, atolLogDet: 1e9, maxStep: 2 ** -level });

/** A field linear in x: v = N b x on the mean-free subspace at all times. */
function linearField(b: number): KernelField {
  return new KernelField(4, 2, {
    weights: new Float64Array(2),
    bias: Float64Array.of(b),
    importance: new Float64Array(2),
    mu: Float64Array.of(0, 1),
    logGamma: new Float64Array(2),
    muTime: Float64Array.of(0.5),
    logGammaTime: Float64Array.of(Math.log(1e6)),
  });
}

for (const [name, field] of Object.entries(FIELDS)) {
  test(`equal steps converge at fifth order, positions and log|det|, both ways: ${name} field`, (t) => {
    const levels = [3, 4, 5];
    const transport = (level: number) => {
      const runner = runnerOf(field, stepsOf(level));
      const [forward, inverse] = [runner.forward(wide, SAMPLES), runner.inverse(wide, SAMPLES)];
      return [forward.x, forward.logDet, inverse.z, inverse.logDet];
    };
    const exact = transport(7);
    const found = levels.map(transport);
    for (const [part, label] of ['x', 'forward log|det|', 'z', 'inverse log|det|'].entries()) {
      const order = -observedOrder(
        levels.map((level) => 2 ** level),
        found.map((values) => largestDifference(values[part], exact[part])),
      );
      t.log(`${label}: ${order.toFixed(2)}`);
      t.true(order > 4.6, `${label}: order ${order}`);
    }
  });

  test(`the error of log q is proportional to the tolerance: ${name} field`, (t) => {
    const tolerances = [1e-4, 1e-5, 1e-6, 1e-7, 1e-8];
    const exact = runnerOf(field, stepsOf(7)).logProb(wide, SAMPLES);
    const errors = tolerances.map((rtol) => largestDifference(runnerOf(field, { rtol }).logProb(wide, SAMPLES), exact));
    const slope = observedOrder(tolerances, errors);
    t.log(`${slope.toFixed(2)}: ${errors.map((error) => error.toExponential(1)).join(', ')}`);
    t.true(Math.abs(slope - 1) < 0.3, `slope ${slope}`);
    for (const [i, error] of errors.entries()) t.true(error < 1000 * tolerances[i], `${error} at ${tolerances[i]}`);
  });

  test(`there and back is the identity within the tolerance: ${name} field`, (t) => {
    for (const rtol of [1e-4, 1e-6, 1e-8]) {
      const runner = runnerOf(field, { rtol });
      const there = runner.forward(wide, SAMPLES);
      const back = runner.inverse(there.x, SAMPLES);
      const [z, logDet] = [
        largestDifference(back.z, wide),
        largestDifference(
          back.logDet,
          there.logDet.map((value) => -value),
        ),
      ];
      t.true(z < 100 * rtol && logDet < 1000 * rtol, `${rtol}: z ${z}, log|det| ${logDet}`);
    }
  });
}

test('a linear field: x grows by exp(N b), log|det| is (N−1) D N b, at fifth order', (t) => {
  const b = 0.35;
  const levels = [2, 3, 4, 5];
  const growth = Math.exp((4 * b) / (1 + 1e-6));
  const errors = levels.map((level) => {
    const { x, logDet } = runnerOf(linearField(b), stepsOf(level)).forward(wide, SAMPLES);
    // A rate that does not change is integrated without error.
    for (const value of logDet) t.true(Math.abs(value - (24 * b) / (1 + 1e-6)) < 1e-12);
    return largestDifference(
      x,
      wide.map((value) => growth * value),
    );
  });
  const order = -observedOrder(
    levels.map((level) => 2 ** level),
    errors,
  );
  t.log(`${order.toFixed(2)}: ${errors.map((error) => error.toExponential(1)).join(', ')}`);
  t.true(Math.abs(order - 5) < 0.3, `order ${order}`);
});

test('the embedded estimate is of fifth order in the step, the step itself of sixth (twin, linear field)', (t) => {
  const rates = (_: number, x: Float64Array) => ({
    velocity: x.map((value) => 1.4 * value),
    divergence: 1.4 * x.length,
  });
  const x = Float64Array.of(1, -0.5);
  const sizes = [0.4, 0.2, 0.1, 0.05];
  const steps = sizes.map((h) => dopri5Step(rates, 0, h, x, rates(0, x)));
  const estimate = observedOrder(
    sizes,
    steps.map((step) => step.error),
  );
  const error = observedOrder(
    sizes,
    steps.map((step, i) =>
      largestDifference(
        step.x,
        x.map((value) => value * Math.exp(1.4 * sizes[i])),
      ),
    ),
  );
  t.log(`${estimate.toFixed(2)}, ${error.toFixed(2)}`);
  t.true(Math.abs(estimate - 5) < 0.2);
  t.true(Math.abs(error - 6) < 0.3);
});

test('every sample takes the steps of the twin, forward and inverse, at every batch size', (t) => {
  const [N, D] = [5, 3];
  const C = N * D;
  const field = initialDenseField(N, D, { seed: 4, hidden: 12 });
  const louder = field.withParameters({
    ...field.parameters,
    outputWeights: field.parameters.outputWeights.map((value) => 30 * value),
  });
  const parameters = louder.parameters as unknown as DenseFieldParameters;
  const rates = (time: number, x: Float64Array) => denseField(parameters, time, x, N, D);
  let [rejections, counts] = [0, new Set<number>()];
  for (const tolerances of [
    { rtol: 1e-3, atol: 1e-3, atolLogDet: 1e-6 },
    { rtol: 1e-6, atol: 1e-7, atolLogDet: 1e-4 },
  ]) {
    const runner = runnerOf(louder, tolerances);
    for (const n of [1, 2, 3, 4, 5, 9]) {
      const x = centered(randomSource(n).normals(n * C), C, D);
      for (const direction of ['forward', 'inverse'] as const) {
        const found = direction === 'forward' ? runner.forward(x, n) : runner.inverse(x, n);
        const end = 'x' in found ? found.x : found.z;
        const { steps, rejected, evaluations, mostSteps } = runner.takeStatistics();
        const twins = Array.from({ length: n }, (_, s) =>
          dopri5Adaptive(rates, x.slice(s * C, (s + 1) * C), tolerances, direction),
        );
        for (const [s, twin] of twins.entries()) {
          t.true(largestDifference(end.slice(s * C, (s + 1) * C), twin.x) < 1e-12);
          t.true(Math.abs(found.logDet[s] - twin.logDet) < 1e-12);
          counts.add(twin.taken);
        }
        const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
        const tried = sum(twins.map((twin) => twin.tried));
        t.is(steps, sum(twins.map((twin) => twin.taken)));
        t.is(rejected, tried - steps);
        // The first slope of a step is the last of the one before: six new ones a step, and one to begin with.
        t.is(evaluations, n + 6 * tried);
        t.is(mostSteps, Math.max(...twins.map((twin) => twin.tried)));
        rejections += rejected;
      }
    }
  }
  t.log(`${rejections} rejected, ${[...counts]} steps`);
  t.true(rejections > 10 && counts.size > 3, 'samples differ in their steps, and some are rejected');
});

test('tight tolerances reach the exact flow of the kernel field', (t) => {
  const reference = referenceCase('dw4');
  const parameters = referenceParameters(reference);
  const rates = (time: number, x: Float64Array) => kernelField(parameters, time, x, 4, 2);
  const runner = runnerOf(FIELDS.kernel, { rtol: 1e-9 });
  const [forward, inverse] = [runner.forward(wide, 6), runner.inverse(wide, 6)];
  for (let s = 0; s < 6; s++) {
    const x = wide.slice(8 * s, 8 * s + 8);
    const exact = dopri5Fixed(rates, x, 7, 'forward');
    const back = dopri5Fixed(rates, x, 7, 'inverse');
    t.true(largestDifference(forward.x.slice(8 * s, 8 * s + 8), exact.x) < 1e-7);
    t.true(Math.abs(forward.logDet[s] - exact.logDet) < 1e-6);
    t.true(largestDifference(inverse.z.slice(8 * s, 8 * s + 8), back.x) < 1e-7);
    t.true(Math.abs(inverse.logDet[s] - back.logDet) < 1e-6);
  }
});

test('a field of zeros takes the longest steps there are and changes nothing', (t) => {
  const still = initialKernelField(4, 2, uniformBasis(10, 8, 0.5), { seed: 1, weightScale: 0 });
  for (const precision of ['f32', 'f64'] as const) {
    const runner = runnerOf(still, { rtol: 1e-7 }, precision);
    const { x, logDet } = runner.forward(wide, SAMPLES);
    t.true(largestDifference(x, wide) < 1e-6);
    t.true(logDet.every((value) => value === 0));
    // 1/32 twice, then 1/16 to 1/2, each once.
    t.is(runner.takeStatistics().steps, 6 * SAMPLES);
  }
});

test('tolerances below rounding do not shrink steps without end', (t) => {
  for (const field of Object.values(FIELDS)) {
    const runner = runnerOf(field, { rtol: 1e-15, atol: 0, atolLogDet: 1e-15 }, 'f32');
    runner.logProb(wide, SAMPLES);
    const { steps, rejected } = runner.takeStatistics();
    t.log(`${steps / SAMPLES} steps a sample, ${rejected / SAMPLES} rejected`);
    t.true(steps + rejected < 200 * SAMPLES);
  }
});

test('steps that are used up name sample, time and step, and what to do', (t) => {
  const runner = runnerOf(FIELDS.kernel, { rtol: 1e-8, maxSteps: 10 });
  const error = t.throws(() => runner.logProb(wide, SAMPLES, 1000), { instanceOf: NumericalError });
  t.regex(
    error.message,
    /^sample 10[01]\d: integration stopped at t = 0\.\d+ in step 10, of size 0\.\d+: all 10 steps/,
  );
  t.regex(error.message, /raise the tolerances \(rtol, atol, atolLogDet\), allow more steps \(maxSteps\), or use rk4/);
  // The samples' own numbers, when they are drawn.
  t.throws(() => runner.sample(1, 5000, 3), { message: /^sample 500[012]: / });
});

test('states that are not finite name sample, time and step', (t) => {
  const runner = runnerOf(FIELDS.kernel, {});
  const broken = wide.slice();
  broken[8 * 7 + 3] = Number.NaN;
  t.throws(() => runner.forward(broken, SAMPLES), {
    instanceOf: NumericalError,
    message: /^sample 7: integration stopped at t = 0\.00000 in step \d, .*: its configuration is not finite/,
  });
  t.throws(() => runner.inverse(broken, SAMPLES), { message: /^sample 7: .*at t = 1\.00000/ });
  // Growth by e^4000 leaves f32 about a fiftieth of the way.
  const explosive = runnerOf(linearField(1000), { maxSteps: 1e5 }, 'f32');
  t.throws(() => explosive.forward(wide, 4), { message: /^sample \d: integration stopped at t = 0\.0[1-3]/ });
});

test('settings out of range are refused by name', (t) => {
  for (const [options, message] of [
    [{ rtol: 0 }, /rtol is 0/],
    [{ rtol: 1 }, /rtol is 1/],
    [{ atol: -1 }, /atol is -1/],
    [{ atolLogDet: Number.NaN }, /atolLogDet is NaN/],
    [{ maxSteps: 1.5 }, /maxSteps is 1.5/],
    [{ maxStep: 0 }, /maxStep is 0/],
    [{ maxStep: 2 }, /maxStep is 2/],
  ] as const) {
    t.throws(() => dopri5(options), { instanceOf: UsageError, message });
  }
});

test('the flow of these tests is one that rk4 finds too', (t) => {
  const fixed = prepareFlow(flowThrough(FIELDS.kernel, 80), 'f64', { grid: GRID }).logProb(wide, SAMPLES);
  t.true(largestDifference(runnerOf(FIELDS.kernel, { rtol: 1e-8 }).logProb(wide, SAMPLES), fixed) < 1e-5);
});
