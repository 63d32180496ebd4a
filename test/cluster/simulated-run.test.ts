import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { mergeSamples } from '../../src/cluster/jobs/sample-merge.js';
import { requireComplete } from '../../src/cluster/status.js';
import { DataError } from '../../src/errors.js';
import { sampleToFolder } from '../../src/sampling/index.js';
import { contents, openPool } from '../sampling/generators.js';
import { ownFolder } from './runs.js';
import { CHEAP, FATES, SimulatedRun, taskOf } from './simulated-run.js';

const SHARDS = 300;

test('after failures of every kind the shards that are missing are known in every round, and merge into the bytes of one process', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const simulated = await SimulatedRun.plan(folder, SHARDS, pool);
  const { run, job } = simulated;
  const { rounds, fates } = await simulated.finish(8);
  t.log(rounds, fates);
  t.true(rounds > 2);
  for (const fate of FATES) t.true(fates[fate] > 0, fate);

  // Nothing is left of those who failed.
  const names = await readdir(join(run.folder, 'shards'));
  t.deepEqual(
    names.filter((name) => !/^\d{5}\.(json|safetensors)$/.test(name)),
    ['writers'],
  );
  t.is(names.length, 2 * SHARDS + 1);
  t.deepEqual(await readdir(join(run.folder, 'shards', 'writers')), []);

  const path = join(folder, 'merged');
  const merge = async () => mergeSamples(path, 'folder', await requireComplete(run, job));
  for (const index of [17, 250]) {
    await simulated.flipBit(index);
    await t.throwsAsync(merge(), { instanceOf: DataError, message: new RegExp(`run shard ${index} again`) });
    await simulated.redo(index);
  }
  const one = join(folder, 'one');
  t.deepEqual(await merge(), await sampleToFolder(one, CHEAP, taskOf(SHARDS), pool));
  t.deepEqual(await contents(path), await contents(one));
});
