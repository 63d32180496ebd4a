import { mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  mergeReweighting,
  openReweightJob,
  planReweighting,
  type ReweightCut,
} from '../../src/cluster/jobs/reweight-job.js';
import { readRun, shardIndices, writeRun } from '../../src/cluster/plan.js';
import { runShard } from '../../src/cluster/shard.js';
import { shardPaths } from '../../src/cluster/shard-files.js';
import { requireComplete } from '../../src/cluster/status.js';
import { verifyRun } from '../../src/cluster/verify.js';
import { DataError, InputError, UsageError } from '../../src/errors.js';
import { decodeSafetensors, encodeNpy } from '../../src/formats/index.js';
import {
  type Asked,
  type NamedSamples,
  openNamedSamples,
  reweight,
  sample,
  sampleProvenance,
  sampleToHdf5,
  writeSampleSet,
} from '../../src/sampling/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import type { WorkerPool } from '../../src/workers/index.js';
import { contents, openPool, untrained } from '../sampling/generators.js';
import { doShards, forge, interruptShard, ownFolder } from './runs.js';

const N = 100_001;
const BLOCKS = Math.ceil(N / 4096);

const QUESTION: Asked = {
  averages: ['rg', 'd', 'mine'],
  profiles: [
    { coordinate: 'rg', bins: 20 },
    { coordinate: 'd0-1', bins: 7, range: [2, 6], reference: 4 },
    { coordinate: 'short@4' },
  ],
  states: ['rg<2', '2<=rg<3', 'rg>=3'],
};

/** A set in a folder, and an array of another program beside it. */
async function drawn(t: ExecutionContext, pool: WorkerPool, n = N) {
  const folder = await ownFolder(t);
  const generator = untrained(4, 1.5);
  const set = await sample(generator, { n, seed: 3 }, pool);
  const path = join(folder, 'set');
  await writeSampleSet(path, set, sampleProvenance(generator, 'test', { seed: 3 }));
  const mine = join(folder, 'mine.npy');
  await writeFile(mine, encodeNpy({ shape: [n], data: set.energy.map((u, i) => Math.sin(i) + u / 10) }));
  return { folder, generator, set, path, arrays: { mine } };
}

async function planned(path: string, named: NamedSamples, asked: Asked, cut: ReweightCut) {
  await writeRun(path, await planReweighting(named, asked, cut));
  const run = await readRun(path);
  return { run, job: openReweightJob(run) };
}

async function merged({ run, job }: Awaited<ReturnType<typeof planned>>) {
  return mergeReweighting(await requireComplete(run, job));
}

/** What one process finds. */
async function inOne(named: NamedSamples, asked: Asked, pool: WorkerPool) {
  const { samples, stored: _, ...target } = await openNamedSamples(named);
  return reweight(samples, { ...target, ...asked }, pool);
}

test('1, 3, 8 and as many shards as there are blocks merge into the figures of one process, bit by bit', async (t) => {
  const pool = openPool(t, 2);
  const { folder, path, arrays } = await drawn(t, pool);
  const targets = [
    { path, arrays },
    { path, arrays, system: systemFromSpec('dw4'), kT: 1.25 },
  ];
  for (const [k, named] of targets.entries()) {
    const whole = await inOne(named, QUESTION, pool);
    for (const shards of [1, 3, 8, BLOCKS]) {
      const opened = await planned(join(folder, `run-${k}-${shards}`), named, QUESTION, { shards });
      await doShards(opened, pool, shardIndices(opened.run.plan).reverse());
      t.deepEqual(await merged(opened), whole, `${k}, ${shards} shards`);
    }
  }
});

test('archives, HDF5 and arrays alone are cut as folders are; weights of zero and infinite energies stay', async (t) => {
  const pool = openPool(t, 2);
  const { folder, generator, set, arrays } = await drawn(t, pool, 20_000);
  const archive = join(folder, 'set.npz');
  await writeSampleSet(archive, set, sampleProvenance(generator, 'test', { seed: 3 }));
  await sampleToHdf5(join(folder, 'set.h5'), generator, { n: 20_000, seed: 3, model: 'test' }, pool);
  const energy = join(folder, 'u.npy');
  // A whole block without weights, and some more.
  const u = set.energy.map((value, i) => (i >> 12 === 2 || i % 7 === 0 ? Number.POSITIVE_INFINITY : value));
  await writeFile(energy, encodeNpy({ shape: [20_000], data: u }));
  const plain = {
    averages: ['mine'],
    profiles: [{ coordinate: 'log-weight', bins: 9 }],
    states: ['mine<0', 'mine>=0'],
  };
  const sets: [NamedSamples, Asked][] = [
    [{ path: archive, arrays }, QUESTION],
    [{ path: join(folder, 'set.h5'), arrays }, QUESTION],
    [{ path: archive, arrays, energy, kT: 0.8 }, plain],
    [{ energy, logQ: `${join(folder, 'set.h5')}:/observables/logQ/value`, arrays }, plain],
  ];
  for (const [k, [named, asked]] of sets.entries()) {
    const opened = await planned(join(folder, `run-${k}`), named, asked, { shards: 3 });
    await doShards(opened, pool);
    t.deepEqual(await merged(opened), await inOne(named, asked, pool), `${k}`);
  }
});

test('a shard that was interrupted goes on to the bytes of one that was not; blocks computed again agree', async (t) => {
  const pool = openPool(t, 2);
  const { folder, path, arrays } = await drawn(t, pool);
  const [left, halted] = await Promise.all(
    ['left', 'halted'].map((name) => planned(join(folder, name), { path, arrays }, QUESTION, { shards: 2 })),
  );
  await doShards(left, pool);
  await interruptShard(t, halted, 1, 5);
  const { resumed } = await runShard(halted.run, halted.job, 1, { pool });
  t.true(resumed >= 5 * 4096 && resumed % 4096 === 0, `${resumed} samples`);
  await runShard(halted.run, halted.job, 0, { pool });
  t.deepEqual(await contents(join(halted.run.folder, 'shards')), await contents(join(left.run.folder, 'shards')));
  t.deepEqual(await merged(halted), await inOne({ path, arrays }, QUESTION, pool));
  t.is((await verifyRun(halted.run, halted.job, { recompute: 4, seed: 1 }, { pool })).recomputed, 4);
});

test('a shard has the log-weights of its samples, as any program reads safetensors', async (t) => {
  const pool = openPool(t, 1);
  const { folder, path, set } = await drawn(t, pool, 20_000);
  const { run, job } = await planned(join(folder, 'run'), { path }, {}, { shards: 3, firstIndex: 1 });
  await runShard(run, job, 3, { pool });
  const { tensors } = decodeSafetensors(await readFile(shardPaths(run, 3).data), 'shard');
  t.deepEqual(tensors.get('logWeight'), { shape: [20_000 - 3 * 4096], data: set.logWeight.slice(3 * 4096) });
  t.deepEqual(tensors.get('blocks')!.shape, [2, 23]);
});

test('input that was changed, moved or damaged is refused by its name; input that was only touched is not', async (t) => {
  const pool = openPool(t, 1);
  const { folder, path, set, arrays } = await drawn(t, pool, 20_000);
  const { run, job } = await planned(join(folder, 'run'), { path, arrays }, QUESTION, { shards: 3 });
  const unread = await planned(join(folder, 'unread'), { path, arrays }, QUESTION, { shards: 3, check: false });
  const refused = async (message: RegExp, instanceOf: new () => Error = DataError as never) => {
    await t.throwsAsync(runShard(run, job, 1, { pool }), { instanceOf, message });
    t.is((await requireComplete(run, job).catch((error) => error)).code, 'NO_INPUT');
  };
  const mine = await readFile(arrays.mine);
  await writeFile(arrays.mine, encodeNpy({ shape: [20_000], data: set.energy }));
  await refused(
    /mine\.npy: changed since the plan was made: 160128 bytes of .*, expected 160128 bytes of .*make another plan$/,
  );
  await writeFile(arrays.mine, encodeNpy({ shape: [19_999], data: set.energy.slice(1) }));
  await refused(/mine\.npy: changed since the plan was made: 160120 bytes/);
  await rename(arrays.mine, `${arrays.mine}.old`);
  await refused(/mine\.npy/, InputError as never);
  await writeFile(arrays.mine, mine);
  const manifest = join(path, 'manifest.json');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace('"seed": 3', '"seed": 4'));
  await refused(/manifest\.json: changed since the plan was made/);
  await writeFile(manifest, text);

  // The content is as it was, the times are not. A plan that has seen no content goes by the times.
  await runShard(run, job, 1, { pool });
  await utimes(join(path, 'x.npy'), 1e9, 1e9);
  await runShard(run, job, 2, { pool });
  await t.throwsAsync(runShard(unread.run, unread.job, 0, { pool }), { message: /changed since/ });

  // Changed while a shard reads it: before the last block is out.
  const blocks = job.blocks({ first: 0, n: 4096 }, { pool })[Symbol.asyncIterator]();
  t.false((await blocks.next()).done);
  await writeFile(arrays.mine, encodeNpy({ shape: [20_000], data: set.energy }));
  await t.throwsAsync(async () => blocks.next(), { message: /mine\.npy: changed since/ });
  await writeFile(arrays.mine, mine);

  // Finished shards need no input any more.
  await runShard(run, job, 0, { pool });
  const before = await merged({ run, job });
  await rm(path, { recursive: true });
  t.is((await runShard(run, job, 0, { pool })).outcome, 'found');
  t.deepEqual(await merged({ run, job }), before);
});

test('a set that is not what was written is refused before it is cut', async (t) => {
  const pool = openPool(t, 1);
  const { folder, path, arrays } = await drawn(t, pool, 9_000);
  const file = join(path, 'logQ.npy');
  const bytes = await readFile(file);
  bytes[bytes.length - 3] ^= 1;
  await writeFile(file, bytes);
  await t.throwsAsync(planReweighting({ path, arrays }, QUESTION, { shards: 2 }), {
    instanceOf: DataError,
    message: /'logQ' is not what was written/,
  });
  const { plan } = (await planned(join(folder, 'run'), { path, arrays }, QUESTION, { shards: 2, check: false })).run;
  t.deepEqual(plan.boundaries, [0, 4096, 9000]);
});

test('questions and input that make no sense are refused by the plan', async (t) => {
  const pool = openPool(t, 1);
  const { folder, path } = await drawn(t, pool, 9_000);
  const refused = (named: NamedSamples, asked: Asked, message: RegExp, shards = 1) =>
    t.throwsAsync(planReweighting(named, asked, { shards }), { instanceOf: UsageError, message });
  await refused({ path }, { averages: ['mine'] }, /coordinate 'mine'/);
  await refused({ path }, { states: ['rg<2'] }, /expected two or more/);
  await refused({ path }, { profiles: [{ coordinate: 'rg', range: [2, 3], reference: 4 }] }, /reference 4/);
  await refused({ path, kT: -1 }, {}, /kT: -1/);
  await refused({ path }, {}, /4 shards of 9000 samples, expected an integer from 1 to 3/, 4);
  await mkdir(join(folder, 'empty'));
  await t.throwsAsync(planReweighting({ path: join(folder, 'empty') }, {}, { shards: 1 }), { instanceOf: DataError });
});

test('weights that are NaN are refused by the shard, states that overlap too, and forged ones by the merge', async (t) => {
  const pool = openPool(t, 1);
  const { folder, path, set } = await drawn(t, pool, 9_000);
  const energy = join(folder, 'u.npy');
  await writeFile(energy, encodeNpy({ shape: [9000], data: set.energy.map((u, i) => (i === 5000 ? Number.NaN : u)) }));
  const bad = await planned(join(folder, 'bad'), { path, energy }, {}, { shards: 3 });
  await doShards(bad, pool, [0, 2]);
  await t.throwsAsync(doShards(bad, pool, [1]), { instanceOf: DataError, message: /NaN at index 5000/ });
  const states = { states: ['rg<3', 'rg<4'] };
  const overlapping = await planned(join(folder, 'overlapping'), { path }, states, { shards: 3 });
  await t.throwsAsync(doShards(overlapping, pool, [1]), { instanceOf: UsageError, message: /share samples/ });

  const opened = await planned(join(folder, 'run'), { path }, {}, { shards: 3 });
  await doShards(opened, pool);
  await forge(opened, 1, 'logWeight', Number.NaN);
  await t.throwsAsync(merged(opened), { instanceOf: DataError, message: /shard 1: sample 4096 has log-weight NaN/ });
});
