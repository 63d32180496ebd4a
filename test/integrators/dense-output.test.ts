import test from 'ava';
import { UsageError } from '../../src/errors.js';
import { initialDenseField } from '../../src/fields/index.js';
import { continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { denseWeights, dopri5 } from '../../src/integrators/dopri5.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import { flowThrough, observedOrder, referenceCase, referenceField } from '../fields/reference-fields.js';
import { randomSource } from '../twin/random.js';

const SAMPLES = 9;
const C = 8;
const field = initialDenseField(4, 2, { seed: 3, hidden: 16 });
const z = prepareFlow(flowThrough(field, 1)).sample(1, 0, SAMPLES).x as Float64Array;

function runnerOf(options: Parameters<typeof dopri5>[0], precision: 'f32' | 'f64' = 'f64') {
  return prepareFlow(continuousFlow(meanFreeNormal(4, 2), field, dopri5(options)), precision);
}

const stepsOf = (level: number) => ({ rtol: 0.999, atol: 1e9, atolLogDet: 1e9, maxStep: 2 ** -level });

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

test('the interpolant reproduces the ends of a step with their slopes, and every cubic', (t) => {
  const nodes = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
  t.deepEqual(denseWeights(0).map(Math.abs), new Array(7).fill(0));
  t.deepEqual(denseWeights(1), [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0]);
  const slope = (theta: number) => {
    const [before, after] = [denseWeights(theta - 1e-5), denseWeights(theta + 1e-5)];
    return after.map((w, j) => (w - before[j]) / 2e-5);
  };
  t.true(largestDifference(slope(0), [1, 0, 0, 0, 0, 0, 0]) < 1e-8);
  t.true(largestDifference(slope(1), [0, 0, 0, 0, 0, 0, 1]) < 1e-8);
  for (const theta of [0.1, 0.25, 0.5, 0.77, 0.99]) {
    for (const power of [0, 1, 2, 3]) {
      const quadrature = denseWeights(theta).reduce((sum, w, j) => sum + w * nodes[j] ** power, 0);
      t.true(Math.abs(quadrature - theta ** (power + 1) / (power + 1)) < 1e-14, `θ ${theta}, power ${power}`);
    }
  }
});

test('states between the steps converge as fast as the steps', (t) => {
  const times = [0.013, 0.21, 0.5, 0.613, 0.9];
  const exact = runnerOf(stepsOf(9)).trajectory(z, SAMPLES, times);
  const levels = [2, 3, 4, 5];
  const errors = levels.map((level) => {
    const found = runnerOf(stepsOf(level)).trajectory(z, SAMPLES, times);
    return [largestDifference(found.x, exact.x), largestDifference(found.logDet, exact.logDet)];
  });
  for (const part of [0, 1]) {
    const order = -observedOrder(
      levels.map((level) => 2 ** level),
      errors.map((error) => error[part]),
    );
    t.log(`${order.toFixed(2)}: ${errors.map((error) => error[part].toExponential(1)).join(', ')}`);
    // An interpolant of fourth order errs by O(h⁵) within a step.
    t.true(order > 4.6, `order ${order}`);
  }
});

test('a film begins at z and ends at forward to the bit; what is asked for between changes neither', (t) => {
  for (const precision of ['f32', 'f64'] as const) {
    for (const rtol of [1e-3, 1e-6]) {
      const runner = runnerOf({ rtol }, precision);
      const { x, logDet } = runner.forward(z, SAMPLES);
      for (const times of [[0, 1], [0, 1 / 3, 0.5, 0.75, 1], Array.from({ length: 33 }, (_, f) => f / 32)]) {
        const film = runner.trajectory(z, SAMPLES, times);
        const last = times.length - 1;
        t.true(largestDifference(film.x.slice(0, SAMPLES * C), z) < (precision === 'f32' ? 1e-6 : 1e-14));
        t.deepEqual(film.logDet.slice(0, SAMPLES), new Float64Array(SAMPLES));
        t.deepEqual(film.x.slice(last * SAMPLES * C), x);
        t.deepEqual(film.logDet.slice(last * SAMPLES), logDet);
      }
    }
  }
});

test('a film of one sample is that of many, and a frame does not depend on the others', (t) => {
  const dw4 = referenceField(referenceCase('dw4'));
  const runner = prepareFlow(continuousFlow(meanFreeNormal(4, 2), dw4, dopri5({ rtol: 1e-5 })), 'f32');
  const x = randomSource(2).normals(SAMPLES * C);
  const times = [0.1, 0.4, 0.55, 1];
  const all = runner.trajectory(x, SAMPLES, times);
  for (let s = 0; s < SAMPLES; s++) {
    const one = runner.trajectory(x.slice(s * C, (s + 1) * C), 1, times);
    for (const f of times.keys()) {
      const at = (f * SAMPLES + s) * C;
      t.deepEqual(one.x.slice(f * C, (f + 1) * C), all.x.slice(at, at + C));
      t.is(one.logDet[f], all.logDet[f * SAMPLES + s]);
    }
  }
  const single = runner.trajectory(x, SAMPLES, [0.55]);
  t.deepEqual(single.x, all.x.slice(2 * SAMPLES * C, 3 * SAMPLES * C));
});

test('films longer than their room come in parts', (t) => {
  const runner = runnerOf({ rtol: 1e-3 });
  // 72 bytes a frame and sample: 32 MB hold 116 of these samples at a time.
  const times = Array.from({ length: 4001 }, (_, f) => f / 4000);
  const n = 130;
  const many = prepareFlow(flowThrough(field, 1)).sample(1, 0, n).x;
  const film = runner.trajectory(many, n, times);
  t.deepEqual(film.x.slice(4000 * n * C), runner.forward(many, n).x);
  // Speeds are of order one, so that neighbouring frames are close.
  t.true(largestDifference(film.x.slice(0, 2000 * n * C), film.x.slice(n * C, 2001 * n * C)) < 0.01);
});

test('times that are not ascending within [0, 1], and fixed steps, are refused', (t) => {
  const runner = runnerOf({});
  for (const times of [[-0.1], [0.5, 0.5], [0.6, 0.4], [1.1], [Number.NaN]]) {
    t.throws(() => runner.trajectory(z, 1, times), {
      instanceOf: UsageError,
      message: /time \d is .*, expected ascending/,
    });
  }
  t.deepEqual(runner.trajectory(z, 1, []).x.length, 0);
  t.throws(() => prepareFlow(flowThrough(field, 5)).trajectory(z, 1, [1]), {
    instanceOf: UsageError,
    message: /integrator is rk4, expected dopri5/,
  });
});
