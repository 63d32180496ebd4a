import test from 'ava';
import { boltzmannGenerator, continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import { sample, sampleProvenance } from '../../src/sampling/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { initialFieldFor } from '../../src/training/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { relativeError } from '../twin/reference.js';

const system = systemFromSpec('lj13:pairFactor=2');
const flow = continuousFlow(meanFreeNormal(13, 3), initialFieldFor(system, 3), rk4(20));
const generator = boltzmannGenerator(system, flow);

for (const [precision, bound] of [
  ['f32', 1e-5],
  ['f64', 1e-13],
] as const) {
  test(`${precision}: relaxed arithmetic differs from strict by rounding only`, (t) => {
    const [strict, relaxed] = (['strict', 'relaxed'] as const).map((arithmetic) =>
      prepareFlow(flow, precision, { arithmetic }).sample(5, 0, 64),
    );
    t.true(relativeError(relaxed.x, strict.x) < bound);
    t.true(relativeError(relaxed.logQ, strict.logQ) < bound);
  });
}

test('on one machine relaxed samples do not depend on the number of workers either', async (t) => {
  const range = { n: 9000, seed: 5, arithmetic: 'relaxed' as const };
  const pools = [new WorkerPool({ workers: 1 }), new WorkerPool({ workers: 3 })];
  const [one, three] = await Promise.all(pools.map((pool) => sample(generator, range, pool)));
  await Promise.all(pools.map((pool) => pool.close()));
  t.deepEqual(one, three);
});

test('the manifest says that bytes may differ between machines, and only then', (t) => {
  const range = { seed: 1 };
  t.false('arithmetic' in sampleProvenance(generator, 'hash', range));
  t.is(sampleProvenance(generator, 'hash', { ...range, arithmetic: 'relaxed' }).arithmetic, 'relaxed');
});
