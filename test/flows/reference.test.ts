import test from 'ava';
import { prepareFlow } from '../../src/flows/index.js';
import { flowThrough, referenceCase, referenceField } from '../fields/reference-fields.js';
import { flatten, loadReference, relativeError } from '../twin/reference.js';

const BOUND = { f64: 1e-6, f32: 1e-4 } as const;

for (const precision of ['f64', 'f32'] as const) {
  test(`forward and inverse flow agree with the reference: ${precision}`, (t) => {
    for (const field of loadReference().fields) {
      const runner = prepareFlow(flowThrough(referenceField(field), field.rk4Steps), precision);
      const forward = runner.forward(flatten(field.z), field.z.length);
      const inverse = runner.inverse(flatten(field.x), field.x.length);
      const logProb = runner.logProb(flatten(field.x), field.x.length);
      const nats = (found: Float64Array, expected: number[]) =>
        found.reduce((largest, value, s) => Math.max(largest, Math.abs(value - expected[s])), 0);
      const errors = {
        'forward x': relativeError(forward.x, field.forward.x),
        'inverse z': relativeError(inverse.z, field.inverse.z),
        'forward log|det|': nats(forward.logDet, field.forward.logDet),
        'inverse log|det|': nats(inverse.logDet, field.inverse.logDet),
        'log q': nats(logProb, field.inverse.logProb),
      };
      for (const [what, error] of Object.entries(errors)) {
        t.log(`${field.name} ${what}: ${error.toExponential(1)}`);
        t.true(error < BOUND[precision], `${field.name} ${what}: ${error}`);
      }
    }
  });
}

test('over 10⁴ samples f32 gives the log q of f64 to 3e-4 nats, and to 2e-5 for most', (t) => {
  const field = referenceCase('dw4');
  const flow = flowThrough(referenceField(field), field.rk4Steps);
  const n = 10_000;
  const [single, double] = [prepareFlow(flow, 'f32').sample(7, 0, n), prepareFlow(flow, 'f64').sample(7, 0, n)];
  const differences = single.logQ.map((logQ, s) => Math.abs(logQ - double.logQ[s])).sort();
  t.log(`median ${differences[n / 2].toExponential(1)}, max ${differences[n - 1].toExponential(1)} nats`);
  t.true(differences[n - 1] < 3e-4, `max ${differences[n - 1]}`);
  t.true(differences[n / 2] < 2e-5, `median ${differences[n / 2]}`);
  t.true(relativeError(single.x, double.x) < 1e-4);
});

for (const precision of ['f64', 'f32'] as const) {
  test(`a sample depends on its index, not on the call that drew it: ${precision}`, (t) => {
    const runner = prepareFlow(flowThrough(referenceField(referenceCase('dw4')), 5), precision);
    const all = runner.sample(9, 1000, 600);
    for (const [first, n] of [
      [0, 1],
      [1, 2],
      [3, 9],
      [250, 300],
      [599, 1],
    ]) {
      const part = runner.sample(9, 1000 + first, n);
      t.deepEqual(part.x, all.x.slice(8 * first, 8 * (first + n)));
      t.deepEqual(part.logQ, all.logQ.slice(first, first + n));
    }
    t.notDeepEqual(runner.sample(10, 1000, 1).x, runner.sample(9, 1000, 1).x);
  });

  test(`log q of a configuration does not depend on the batch around it: ${precision}`, (t) => {
    const runner = prepareFlow(flowThrough(referenceField(referenceCase('dw4')), 5), precision);
    const { x } = runner.sample(9, 0, 300);
    const all = runner.logProb(x, 300);
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9]) t.deepEqual(runner.logProb(x.slice(0, 8 * n), n), all.slice(0, n));
    t.deepEqual(runner.logProb(x.slice(8 * 290), 10), all.slice(290));
  });
}
