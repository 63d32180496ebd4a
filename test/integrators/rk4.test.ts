import test from 'ava';
import { UsageError } from '../../src/errors.js';
import { initialDenseField, initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { prepareFlow } from '../../src/flows/index.js';
import { rk4, stageTimes } from '../../src/integrators/index.js';
import { flowThrough, observedOrder, referenceCase, referenceField } from '../fields/reference-fields.js';
import { type DenseFieldParameters, denseField, removeCentroid } from '../twin/dense-field.js';
import { logAbsDeterminant } from '../twin/jacobian.js';
import { randomSource } from '../twin/random.js';
import { rk4 as twinRk4 } from '../twin/rk4.js';

const STEPS = [5, 10, 20, 40];

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

/** 20 samples about as wide as a DW4 configuration. */
const SAMPLES = 20;
const wide = randomSource(1)
  .normals(SAMPLES * 8)
  .map((value) => 1.5 * value);

// One fixed grid, or the order of the tables would be measured along with the integrator's.
const GRID = { intervals: 8192, maxDistance: 12 };

const FIELDS = {
  kernel: referenceField(referenceCase('dw4')),
  dense: initialDenseField(4, 2, { seed: 3, hidden: 16 }),
};

for (const [name, field] of Object.entries(FIELDS)) {
  test(`positions and log|det| converge at fourth order, forward and inverse: ${name} field`, (t) => {
    const transport = (steps: number) => {
      const runner = prepareFlow(flowThrough(field, steps), 'f64', { grid: GRID });
      const [forward, inverse] = [runner.forward(wide, SAMPLES), runner.inverse(wide, SAMPLES)];
      return [forward.x, forward.logDet, inverse.z, inverse.logDet];
    };
    const exact = transport(320);
    const found = STEPS.map(transport);
    for (const [part, label] of ['x', 'forward log|det|', 'z', 'inverse log|det|'].entries()) {
      const order = -observedOrder(
        STEPS,
        found.map((values) => largestDifference(values[part], exact[part])),
      );
      t.log(`${label}: ${order.toFixed(2)}`);
      t.true(Math.abs(order - 4) < 0.35, `${label}: order ${order}`);
    }
  });

  test(`forward then inverse is the identity to fifth order: ${name} field`, (t) => {
    const z = centered(wide, 4, 2);
    const errors = STEPS.map((steps) => {
      const runner = prepareFlow(flowThrough(field, steps), 'f64', { grid: GRID });
      const there = runner.forward(z, SAMPLES);
      const back = runner.inverse(there.x, SAMPLES);
      return [
        largestDifference(back.z, z),
        largestDifference(
          back.logDet,
          there.logDet.map((value) => -value),
        ),
      ];
    });
    for (const part of [0, 1]) {
      const order = -observedOrder(
        STEPS,
        errors.map((error) => error[part]),
      );
      t.log(`order ${order.toFixed(2)}, error at 40 steps ${errors[3][part].toExponential(1)}`);
      // One better than the method's: its leading error, even in h, is the same both ways and cancels.
      t.true(Math.abs(order - 5) < 0.35, `order ${order}`);
      t.true(errors[3][part] < 1e-4);
    }
  });

  test(`log|det| is that of the Jacobian of the map: ${name} field`, (t) => {
    const runner = prepareFlow(flowThrough(field, 40), 'f64', { grid: GRID });
    for (const s of [0, 1, 2]) {
      const z = centered(wide.slice(8 * s, 8 * s + 8), 4, 2);
      // The runner forgets the centroid; put back, the map has the same determinant on the whole space.
      const map = (y: Float64Array) => {
        const rest = centered(y, 4, 2);
        return runner.forward(y, 1).x.map((value, c) => value + y[c] - rest[c]);
      };
      const { logDet } = runner.forward(z, 1);
      const brute = logAbsDeterminant(map, z, 1e-3);
      t.true(Math.abs(logDet[0] - brute) < 1e-4, `${logDet[0]} against ${brute}`);
    }
  });
}

/** x [*, N, D] without centroids. */
function centered(x: Float64Array, N: number, D: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += N * D) out.set(removeCentroid(x.slice(at, at + N * D), N, D), at);
  return out;
}

test('the kernel takes the same steps as the twin, forward and inverse, at every batch size', (t) => {
  const [N, D] = [5, 3];
  const C = N * D;
  const field = initialDenseField(N, D, { seed: 4, hidden: 12 });
  const parameters = field.parameters as unknown as DenseFieldParameters;
  const rates = (time: number, x: Float64Array) => denseField(parameters, time, x, N, D);
  const runner = prepareFlow(flowThrough(field, 7));
  for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    const x = centered(randomSource(n).normals(n * C), N, D);
    const { x: end, logDet } = runner.forward(x, n);
    const { z, logDet: inverseLogDet } = runner.inverse(x, n);
    for (let s = 0; s < n; s++) {
      const start = x.slice(s * C, (s + 1) * C);
      const forward = twinRk4(rates, start, 7, 'forward');
      const inverse = twinRk4(rates, start, 7, 'inverse');
      t.true(largestDifference(end.slice(s * C, (s + 1) * C), forward.x) < 1e-12);
      t.true(Math.abs(logDet[s] - forward.logDet) < 1e-12);
      t.true(largestDifference(z.slice(s * C, (s + 1) * C), inverse.x) < 1e-12);
      t.true(Math.abs(inverseLogDet[s] - inverse.logDet) < 1e-12);
    }
  }
});

test('a field of zeros leaves positions and log|det| alone', (t) => {
  const still = initialKernelField(4, 2, uniformBasis(10, 8, 0.5), { seed: 1, weightScale: 0 });
  const z = centered(wide, 4, 2);
  const { x, logDet } = prepareFlow(flowThrough(still, 3)).forward(z, SAMPLES);
  t.true(largestDifference(x, z) < 1e-15);
  t.true(logDet.every((value) => value === 0));
});

test('where a path leaves the finite range is found, forward and inverse', (t) => {
  const still = initialKernelField(4, 2, uniformBasis(10, 8, 0.5), { seed: 1, weightScale: 0 });
  const z = centered(wide.slice(0, 8), 4, 2);
  for (const precision of ['f32', 'f64'] as const) {
    // v = 4 b x: a step multiplies by about (4 b h)⁴/24, and 1e38 or 1e308 is passed in a step that can be counted.
    for (const [b, sign] of [
      [1e4, false],
      [-1e4, true],
    ] as const) {
      const field = still.withParameters({ ...still.parameters, bias: new Float64Array(10).fill(b) });
      const runner = prepareFlow(flowThrough(field, 40), precision);
      const growth = Array.from({ length: 5 }, (_, k) => 1000 ** k / [1, 1, 2, 6, 24][k]).reduce((x, y) => x + y);
      const steps = Math.ceil(Math.log(precision === 'f32' ? 3.4e38 : 1.7e308) / Math.log(growth));
      const found = runner.whereNotFinite(z, sign);
      t.regex(found, new RegExp(`in step (${steps - 1}|${steps}|${steps + 1}): use more steps, or dopri5`));
      const time = Number(/t = ([\d.]+)/.exec(found)![1]);
      const passed = sign ? 1 - time : time;
      t.true(Math.abs(passed * 40 - steps) <= 2, `${found}, expected after ${steps} steps`);
    }
  }
});

test('stages stand at the ends and middles of steps', (t) => {
  t.deepEqual([...stageTimes(rk4(2))], [0, 0.25, 0.5, 0.75, 1]);
  for (const steps of [0, 1.5, -1, 10001, Number.NaN])
    t.throws(() => rk4(steps), { instanceOf: UsageError, message: /steps is/ });
});
