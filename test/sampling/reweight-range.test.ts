import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DataError } from '../../src/errors.js';
import { encodeNpy } from '../../src/formats/index.js';
import { decodeBlock, WEIGHT_BLOCK_SIZE } from '../../src/reweighting/index.js';
import {
  openNamedSamples,
  planOf,
  questionOf,
  ReweightingFold,
  reweight,
  reweightRange,
  sample,
  sampleProvenance,
  sampleToHdf5,
  settleReweighting,
  vectorInMemory,
  writeSampleSet,
} from '../../src/sampling/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import type { WorkerPool } from '../../src/workers/index.js';
import { openPool, ownFolder, untrained } from './generators.js';

const QUESTION = {
  averages: ['rg', 'mine'],
  profiles: [{ coordinate: 'rg', bins: 20 }, { coordinate: 'd', bins: 9 }, { coordinate: 'log-weight' }],
  states: ['rg<2', '2<=rg<3', 'rg>=3'],
};

type Input = Awaited<ReturnType<typeof openNamedSamples>>;

/** Reweights in ranges that end at these blocks, last range first, as shards that know nothing of one another. */
async function inRanges({ samples, stored: _, ...target }: Input, ends: readonly number[], pool: WorkerPool) {
  const { n, axes } = await settleReweighting(samples, { ...target, ...QUESTION });
  const question = questionOf(Object.keys(samples.arrays ?? {}), QUESTION);
  const plan = planOf(question, axes);
  const bounds = [0, ...ends.map((end) => end * WEIGHT_BLOCK_SIZE), n];
  const shards: { logWeight: Float64Array; block: Float64Array }[][] = [];
  for (let k = bounds.length - 2; k >= 0; k--) {
    const range = { first: bounds[k], n: bounds[k + 1] - bounds[k] };
    const own: (typeof shards)[0] = [];
    for await (const block of reweightRange(samples, plan, { ...target, range }, pool)) own.push(block);
    shards.unshift(own);
  }
  const fold = new ReweightingFold(n);
  fold.begin(shards[0][0].logWeight);
  for (const { logWeight, block } of shards.flat()) fold.add(logWeight, [decodeBlock(block, plan)]);
  return fold.result(question, plan, target.kT);
}

test('ranges of a folder, an archive and HDF5, read apart, give the bits of one pass', async (t) => {
  const pool = openPool(t, 2);
  const folder = await ownFolder(t);
  const generator = untrained(4, 1.5);
  const n = 100_001;
  const set = await sample(generator, { n, seed: 3 }, pool);
  const provenance = sampleProvenance(generator, 'test', { seed: 3 });
  await writeSampleSet(join(folder, 'set'), set, provenance);
  await writeSampleSet(join(folder, 'set.npz'), set, provenance);
  await sampleToHdf5(join(folder, 'set.h5'), generator, { n, seed: 3, model: 'test' }, pool);
  const mine = join(folder, 'mine.npy');
  await writeFile(mine, encodeNpy({ shape: [n], data: set.energy.map((u, i) => Math.sin(i) + u / 10) }));
  const system = systemFromSpec('dw4');
  for (const name of ['set', 'set.npz', 'set.h5']) {
    for (const target of [{}, { system, kT: 1.25 }]) {
      const { stored: _, ...input } = await openNamedSamples({ path: join(folder, name), arrays: { mine }, ...target });
      const whole = await reweight(input.samples, { ...input, ...QUESTION }, pool);
      for (const ends of [[], [1], [16, 17], [3, 4, 5, 20, 24]]) {
        t.deepEqual(await inRanges(input, ends, pool), whole, `${name} ${Object.keys(target)} ${ends}`);
      }
    }
  }
});

test('a bad weight is named by its place in the whole set, in its range alone', async (t) => {
  const pool = openPool(t, 1);
  const n = 3 * WEIGHT_BLOCK_SIZE;
  const energy = new Float64Array(n);
  energy[2 * WEIGHT_BLOCK_SIZE + 5] = Number.NaN;
  const samples = { energy: vectorInMemory({ data: energy }), logQ: vectorInMemory({ data: new Float64Array(n) }) };
  const plan = planOf(questionOf([], {}), []);
  const run = async (block: number) => {
    const range = { first: block * WEIGHT_BLOCK_SIZE, n: WEIGHT_BLOCK_SIZE };
    for await (const { logWeight } of reweightRange(samples, plan, { range }, pool)) t.is(logWeight.length, range.n);
  };
  await run(0);
  await run(1);
  await t.throwsAsync(run(2), { instanceOf: DataError, message: /NaN at index 8197/ });
});
