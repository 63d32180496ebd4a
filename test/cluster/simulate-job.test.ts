import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { mergeSimulation, openSimulateJob, planSimulation } from '../../src/cluster/jobs/simulate-job.js';
import { readRun, shardIndices, writeRun } from '../../src/cluster/plan.js';
import { runShard } from '../../src/cluster/shard.js';
import { shardPaths } from '../../src/cluster/shard-files.js';
import { requireComplete } from '../../src/cluster/status.js';
import { verifyRun } from '../../src/cluster/verify.js';
import { DataError, UsageError } from '../../src/errors.js';
import { decodeSafetensors } from '../../src/formats/index.js';
import { type SamplingOptions, simulate } from '../../src/samplers/index.js';
import { loadSystem, type System, systemFromSpec } from '../../src/systems/index.js';
import { contents, openPool } from '../sampling/generators.js';
import { doShards, interruptShard, ownFolder } from './runs.js';

const DW2 = systemFromSpec('dw2');

async function planned(path: string, system: System, options: SamplingOptions, shards: number) {
  await writeRun(path, planSimulation(system, options, { shards }));
  const run = await readRun(path);
  return { run, job: openSimulateJob(run) };
}

async function merged({ run, job }: Awaited<ReturnType<typeof planned>>) {
  return mergeSimulation(await requireComplete(run, job));
}

test('1, 3, 8 and 64 shards of chains merge into the simulation of one process, bit by bit', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  // 64 groups, the last of 20 chains, which have records beyond n.
  const options = { n: 6103, seed: 6, chains: 2036, warmUp: 60, stride: 2 };
  const whole = await simulate(DW2, options, pool);
  for (const shards of [1, 3, 8, 64]) {
    const opened = await planned(join(folder, `${shards}`), DW2, options, shards);
    await doShards(opened, pool, shardIndices(opened.run.plan).reverse());
    t.deepEqual(await merged(opened), whole, `${shards} shards`);
  }
});

test('a shard that was interrupted goes on to the bytes of one that was not; blocks computed again agree', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  for (const sampler of ['metropolis', 'mala', 'hmc'] as const) {
    const options = { n: 700, seed: 3, chains: 200, warmUp: 50, stride: 3, sampler, kT: 1.5 };
    const [left, halted] = await Promise.all(
      ['left', 'halted'].map((name) => planned(join(folder, `${sampler}-${name}`), DW2, options, 2)),
    );
    await doShards(left, pool);
    await interruptShard(t, halted, 1, 2);
    const { resumed } = await runShard(halted.run, halted.job, 1, { pool });
    t.true(resumed >= 64 && resumed % 32 === 0, `${resumed} chains`);
    await runShard(halted.run, halted.job, 0, { pool });
    t.deepEqual(await contents(join(halted.run.folder, 'shards')), await contents(join(left.run.folder, 'shards')));
    t.deepEqual(await merged(halted), await simulate(DW2, options, pool));
    t.is((await verifyRun(halted.run, halted.job, { recompute: 4, seed: 1 }, { pool })).recomputed, 4);
  }
});

test('a shard has the records and the diagnostics of its chains, as any program reads safetensors', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const options = { n: 192, seed: 3, chains: 96, warmUp: 50, stride: 3 };
  const { run, job } = await planned(join(folder, 'run'), DW2, options, 3);
  await runShard(run, job, 1, { pool });
  const { tensors } = decodeSafetensors(await readFile(shardPaths(run, 1).data), 'shard');
  const whole = await simulate(DW2, options, pool);
  t.deepEqual(tensors.get('x'), { shape: [64, 2, 2], data: whole.x.slice(64 * 4, 128 * 4) });
  t.deepEqual(tensors.get('energy')!.data, whole.energy.slice(64, 128));
  t.deepEqual(tensors.get('stepSizes'), { shape: [32], data: whole.stepSizes.slice(32, 64) });
  t.deepEqual([...tensors.keys()].sort(), ['acceptance', 'energy', 'stepSizes', 'virial', 'x']);
});

test('a system of a file that has the terms of a preset but starts elsewhere is simulated from there', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const file = join(folder, 'own.json');
  const { terms, species } = systemFromSpec('dw4');
  const start = [0, 0, 0, 1, 1, 0, 1, 2.5];
  await writeFile(file, JSON.stringify({ name: 'dw4', particles: 4, dimensions: 2, species, terms, start }));
  const system = await loadSystem(file);
  const options = { n: 32, seed: 3, chains: 32, warmUp: 0, stride: 1, stepSize: 0.01 };
  const whole = await simulate(system, options, pool);
  t.notDeepEqual(whole.x, (await simulate(systemFromSpec('dw4'), options, pool)).x);
  const opened = await planned(join(folder, 'run'), system, options, 1);
  await doShards(opened, pool);
  t.deepEqual(await merged(opened), whole);
});

test('what cannot be planned is refused, and wrong numbers are found', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const plan = (options: Partial<SamplingOptions>, shards: number) =>
    planSimulation(DW2, { n: 640, seed: 1, ...options }, { shards });
  t.throws(() => plan({ chains: 64 }, 3), { instanceOf: UsageError, message: /to 2, since shards begin .* 32 chains/ });
  t.throws(() => plan({ chains: 641 }, 1), { instanceOf: UsageError, message: /chains is 641/ });
  t.throws(() => plan({ n: 1e9, chains: 64 }, 2), {
    instanceOf: UsageError,
    message: /^1000000000 configurations of dw2 are arrays of 40 GB, expected at most 4\.29 GB in a \.npz$/,
  });
  const opened = await planned(join(folder, 'run'), DW2, { n: 64, seed: 1, chains: 64, warmUp: 5, stride: 1 }, 2);
  await doShards(opened, pool);
  // As if the shards had been computed with another seed.
  const other = await planned(join(folder, 'other'), DW2, { n: 64, seed: 2, chains: 64, warmUp: 5, stride: 1 }, 2);
  await t.throwsAsync(verifyRun(opened.run, other.job, { recompute: 2, seed: 1 }, { pool }), {
    instanceOf: DataError,
    message: /'x' of chains 0 to 31: element 0 is .* computed again/,
  });
});
