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
  const [one, two] = [openPool(t, 1), openPool(t, 2)];
  // 64 quads, the last of two chains, which have records beyond n.
  const options = { n: 757, seed: 6, chains: 254, warmUp: 60, stride: 2 };
  const whole = await simulate(DW2, options, two);
  for (const shards of [1, 3, 8, 64]) {
    const opened = await planned(join(folder, `${shards}`), DW2, options, shards);
    const [first, ...others] = shardIndices(opened.run.plan).reverse();
    await doShards(opened, one, [first]);
    await doShards(opened, two, others);
    t.deepEqual(await merged(opened), whole, `${shards} shards`);
    const verified = await verifyRun(opened.run, opened.job, { recompute: 3, seed: 1 }, { pool: one });
    t.deepEqual(verified, { shards, planned: shards, blocks: 64, recomputed: 3 });
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
    t.is(resumed, 12);
    await runShard(halted.run, halted.job, 0, { pool });
    t.deepEqual(await contents(join(halted.run.folder, 'shards')), await contents(join(left.run.folder, 'shards')));
    t.deepEqual(await merged(halted), await simulate(DW2, options, pool));
    t.is((await verifyRun(halted.run, halted.job, { recompute: 4, seed: 1 }, { pool })).recomputed, 4);
  }
});

test('a shard has the records and the diagnostics of its chains, as any program reads safetensors', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const options = { n: 48, seed: 3, chains: 24, warmUp: 50, stride: 3 };
  const { run, job } = await planned(join(folder, 'run'), DW2, options, 3);
  await runShard(run, job, 1, { pool });
  const { tensors } = decodeSafetensors(await readFile(shardPaths(run, 1).data), 'shard');
  const whole = await simulate(DW2, options, pool);
  t.deepEqual(tensors.get('x'), { shape: [16, 2, 2], data: whole.x.slice(16 * 4, 32 * 4) });
  t.deepEqual(tensors.get('energy')!.data, whole.energy.slice(16, 32));
  t.deepEqual(tensors.get('stepSizes'), { shape: [8], data: whole.stepSizes.slice(8, 16) });
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
  t.throws(() => plan({ chains: 64 }, 17), {
    instanceOf: UsageError,
    message: /to 16, since shards begin .* of 4 chains/,
  });
  t.throws(() => plan({ chains: 641 }, 1), { instanceOf: UsageError, message: /chains is 641/ });
  t.throws(() => plan({ n: 1e9, chains: 64 }, 2), {
    instanceOf: UsageError,
    message: /^1000000000 configurations of dw2 are arrays of 40 GB, expected at most 4\.29 GB in a \.npz$/,
  });
  const opened = await planned(join(folder, 'run'), DW2, { n: 64, seed: 1, chains: 64, warmUp: 5, stride: 1 }, 2);
  await doShards(opened, pool);
  // As if the shards had been computed with another seed.
  const other = await planned(join(folder, 'other'), DW2, { n: 64, seed: 2, chains: 64, warmUp: 5, stride: 1 }, 2);
  await t.throwsAsync(verifyRun(opened.run, other.job, { recompute: 16, seed: 1 }, { pool }), {
    instanceOf: DataError,
    message: /'x' of chains 0 to 3: element 0 is .* computed again/,
  });
});
