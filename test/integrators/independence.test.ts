// A sample depends on (model, precision, seed, index) alone, whatever steps its neighbours take.

import test from 'ava';
import { initialDenseField, initialKernelField, type KernelField, uniformBasis } from '../../src/fields/index.js';
import { continuousFlow, type FlowRunner, prepareFlow } from '../../src/flows/index.js';
import { dopri5 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';

const BASIS = uniformBasis(30, 8, 0.5);
const dense = initialDenseField(4, 2, { seed: 3, hidden: 16 });
const FIELDS = {
  'four particles': initialKernelField(4, 2, BASIS, { seed: 1, weightScale: 3 }),
  'six particles in three dimensions': initialKernelField(6, 3, BASIS, { seed: 1, weightScale: 1.5 }),
  'two species': initialKernelField(5, 2, BASIS, { seed: 2, weightScale: 2, species: [0, 1, 1, 0, 1] }),
  dense: dense.withParameters({
    ...dense.parameters,
    outputWeights: dense.parameters.outputWeights.map((value) => 20 * value),
  }),
};
const FIRST = 2 ** 33 + 5;

function runnerOf(field: KernelField | typeof dense, precision: 'f32' | 'f64'): FlowRunner {
  const prior = meanFreeNormal(field.particles, field.dimensions);
  return prepareFlow(continuousFlow(prior, field, dopri5({ rtol: 1e-4, atolLogDet: 1e-4 })), precision);
}

for (const [name, field] of Object.entries(FIELDS)) {
  for (const precision of ['f32', 'f64'] as const) {
    test(`any split of a range gives the same bits: ${name}, ${precision}`, (t) => {
      const C = field.particles * field.dimensions;
      // More than a chunk has.
      const n = 4096 + 13;
      const runner = runnerOf(field, precision);
      const all = runner.sample(7, FIRST, n);
      const { steps, rejected, mostSteps } = runner.takeStatistics();
      t.true(rejected > 0 && mostSteps > (1.2 * steps) / n, 'samples differ in their steps');
      const other = runnerOf(field, precision);
      for (const [first, count] of [
        [0, 1],
        [1, 2],
        [3, 3],
        [6, 5],
        [4090, 19],
        [17, 401],
      ]) {
        const part = other.sample(7, FIRST + first, count);
        t.deepEqual(part.x, all.x.slice(first * C, (first + count) * C));
        t.deepEqual(part.logQ, all.logQ.slice(first, first + count));
      }
      const logQ = runner.logProb(all.x, n);
      t.deepEqual(other.logProb(all.x.slice(100 * C, 103 * C), 3), logQ.slice(100, 103));
    });
  }
}

test('a sample that goes astray takes nobody with it', (t) => {
  const runner = runnerOf(FIELDS['four particles'], 'f32');
  const { x } = runner.sample(1, 0, 8);
  const alone = runner.inverse(x.slice(8), 7);
  // Far out the field is constant; the sample takes other steps than the rest.
  const mixed = x.slice();
  for (let c = 0; c < 8; c++) mixed[c] *= 1e4;
  const together = runner.inverse(mixed, 8);
  t.deepEqual(together.z.slice(8), alone.z);
  t.deepEqual(together.logDet.slice(1), alone.logDet);
});
