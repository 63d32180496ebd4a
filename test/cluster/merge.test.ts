import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { mergedSampleSet, mergedWeights, mergeSamples } from '../../src/cluster/jobs/sample-merge.js';
import { shardIndices } from '../../src/cluster/plan.js';
import { shardPaths } from '../../src/cluster/shard-files.js';
import { formatIndices, requireComplete } from '../../src/cluster/status.js';
import { verifyMerged, verifyRun } from '../../src/cluster/verify.js';
import { DataError, InputError, InterruptedError, UsageError } from '../../src/errors.js';
import { importanceWeights } from '../../src/reweighting/index.js';
import { sample, sampleProvenance, sampleToFolder, sampleToHdf5, writeSampleSet } from '../../src/sampling/index.js';
import { contents, openPool, sameSet } from '../sampling/generators.js';
import { doShards, forge, GENERATOR, ownFolder, planRun, TASK } from './runs.js';

test('1, 3, 8 and 64 shards, done in any order, merge into the bytes and figures of one process', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const task = { ...TASK, n: 150_007 };
  const one = join(folder, 'one');
  const report = await sampleToFolder(one, GENERATOR, task, pool);
  const expected = await contents(one);
  for (const shards of [1, 3, 8, 64]) {
    const opened = await planRun(folder, `run-${shards}`, shards, task);
    await doShards(opened, pool, shardIndices(opened.run.plan).reverse());
    const complete = await requireComplete(opened.run, opened.job);
    const path = join(folder, `merged-${shards}`);
    t.deepEqual(await mergeSamples(path, 'folder', complete), report);
    t.deepEqual(await contents(path), expected, `${shards} shards`);
    t.deepEqual(await mergedWeights(complete), report);
    const set = await mergedSampleSet(complete);
    t.deepEqual(set, await sample(GENERATOR, task, pool));
    t.deepEqual(importanceWeights(set.logWeight), report);
  }
});

test('shards merge into HDF5, and in f64', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const task = { ...TASK, n: 40_000, precision: 'f64' as const };
  await sampleToFolder(join(folder, 'one'), GENERATOR, task, pool);
  await sampleToHdf5(join(folder, 'one.h5'), GENERATOR, task, pool);
  const opened = await planRun(folder, 'run', 5, task);
  await doShards(opened, pool);
  const complete = await requireComplete(opened.run, opened.job);
  await mergeSamples(join(folder, 'merged.h5'), 'file', complete);
  await sameSet(t, join(folder, 'merged.h5'), join(folder, 'one'));
});

test('a merge that is interrupted goes on, to the same bytes', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const task = { ...TASK, n: 150_007 };
  await sampleToFolder(join(folder, 'one'), GENERATOR, task, pool);
  const opened = await planRun(folder, 'run', 7, task);
  await doShards(opened, pool);
  const complete = await requireComplete(opened.run, opened.job);
  const path = join(folder, 'merged');
  const controller = new AbortController();
  const onProgress = ({ done }: { done: number }) => done > 70_000 && controller.abort();
  const options = { signal: controller.signal, onProgress, checkpointSeconds: 0 };
  const error = await t.throwsAsync(mergeSamples(path, 'folder', complete, options), { instanceOf: InterruptedError });
  t.regex(error!.message, /^merging was interrupted after \d+ of 150007 samples; run it again to go on$/);
  // Shards that are in the set already are not asked for again.
  await rm(shardPaths(opened.run, 0).data);
  const stages = new Set<string>();
  await mergeSamples(path, 'folder', complete, { onProgress: ({ stage }) => stages.add(stage) });
  t.deepEqual([...stages], ['checking what is there', 'merging']);
  t.deepEqual(await contents(path), await contents(join(folder, 'one')));
});

test('a run that is not complete is not merged: what is missing is named', async (t) => {
  const folder = await ownFolder(t);
  const opened = await planRun(folder, 'run', 12);
  const { run, job } = opened;
  await doShards(opened, openPool(t, 2), [0, 1, 2, 5, 7]);
  await writeFile(join(run.folder, 'shards', 'writers', '.00006.safetensors.1.abc.tmp'), '');
  await t.throwsAsync(requireComplete(run, job), {
    instanceOf: InputError,
    message: /of 12 shards 6 missing \(3-4,8-11\), 1 still running \(6\)$/,
  });
});

test('damaged data, foreign shards and weights that are none are refused, with the shard named', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const opened = await planRun(folder, 'run', 3);
  const { run, job } = opened;
  await doShards(opened, pool);
  const out = join(folder, 'merged');
  const merge = async () => mergeSamples(out, 'folder', await requireComplete(run, job));
  const { data, manifest } = shardPaths(run, 1);
  const [sound, soundManifest] = [await readFile(data), await readFile(manifest)];
  const refused = async (message: RegExp) => {
    await t.throwsAsync(merge(), { instanceOf: DataError, message });
    // No half-merged set is left, and none to go on with.
    t.deepEqual((await readdir(folder)).sort(), ['run']);
    await writeFile(data, sound);
    await writeFile(manifest, soundManifest);
  };
  const flipped = Buffer.from(sound);
  flipped[flipped.length - 100] ^= 1;
  await writeFile(data, flipped);
  await refused(
    /00001\.safetensors: the checksum of block 0 is not that in the manifest: remove .*00001\.json and run shard 1 again$/,
  );
  const headed = Buffer.from(sound);
  headed[20] ^= 1;
  await writeFile(data, headed);
  await refused(/00001\.safetensors: its header is not that of this shard/);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    await forge(opened, 1, 'logWeight', value);
    await refused(new RegExp(`shard 1: sample 16744 has log-weight ${value}, expected a finite one or -Infinity`));
  }
  await writeFile(manifest, soundManifest.toString().replace(run.plan.hash, '0'.repeat(64)));
  await refused(/a shard of another run$/);
  await merge();
});

test('a verification reads all data, and computing again finds numbers that are wrong though their checksums are right', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const opened = await planRun(folder, 'run', 6);
  const { run, job } = opened;
  await doShards(opened, pool, [0, 1, 2, 4, 5]);
  const verify = (recompute: number) => verifyRun(run, job, { recompute, seed: 1 }, { pool });
  t.deepEqual(await verify(3), { shards: 5, planned: 6, blocks: 5, recomputed: 3 });
  t.is((await verify(100)).recomputed, 5);
  for (const none of [-1, Number.NaN]) await t.throwsAsync(verify(none), { instanceOf: UsageError });
  await forge(opened, 4, 'x', 0.25);
  t.is((await verify(0)).blocks, 5);
  await t.throwsAsync(verify(100), {
    instanceOf: DataError,
    message: /00004\.safetensors: 'x' of samples 33335 to 41668: element 0 is 0\.25, computed again -?\d/,
  });
  const { data, manifest } = shardPaths(run, 4);
  const sound = await readFile(manifest, 'utf8');
  for (const [found, expected] of [
    [/"sha256": "./, '"sha256": "g'],
    [/"shape": \[/, '"shape": [1,'],
    [/\n$/, ''],
  ] as const) {
    await writeFile(manifest, sound.replace(found, expected));
    await t.throwsAsync(verify(0), {
      instanceOf: DataError,
      message: /00004\.json: line \d+ is .*, expected .*: remove it and run shard 4 again$/,
    });
  }
  await writeFile(manifest, sound.replace('"version": 1', '"version": 2'));
  await t.throwsAsync(verify(0), { instanceOf: DataError, message: /00004\.json: not the manifest of a shard/ });
  await writeFile(manifest, sound);
  const bytes = await readFile(data);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(data, bytes);
  await t.throwsAsync(verify(0), { instanceOf: DataError, message: /the checksum of block 0/ });
  await rm(data);
  await t.throwsAsync(verify(0), { instanceOf: DataError, message: /missing, though its manifest is there/ });
});

test('a merged set is verified without its shards: its origin, its checksums, and blocks computed again', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const opened = await planRun(folder, 'run', 5, { n: 70_000 });
  const { run, job } = opened;
  await doShards(opened, pool);
  const complete = await requireComplete(run, job);
  const paths = [join(folder, 'set'), join(folder, 'set.h5'), join(folder, 'set.npz')];
  await mergeSamples(paths[0], 'folder', complete);
  await mergeSamples(paths[1], 'file', complete);
  await writeSampleSet(paths[2], await mergedSampleSet(complete), sampleProvenance(GENERATOR, TASK.model, TASK));
  await rm(join(run.folder, 'shards'), { recursive: true });
  const verify = (path: string, of = job) => verifyMerged(path, of, { recompute: 9, seed: 1 }, { pool });
  for (const path of paths) t.deepEqual(await verify(path), { blocks: 3, recomputed: 3 }, path);
  const other = await planRun(folder, 'other', 5, { n: 70_000, seed: 6 });
  await t.throwsAsync(verify(paths[0], other.job), {
    instanceOf: DataError,
    message: /set: seed is 5, expected 6 by the plan$/,
  });
  const array = join(paths[0], 'energy.npy');
  const bytes = await readFile(array);
  bytes[bytes.length - 8 * 70_000 + 8 * 40_000] ^= 1;
  await writeFile(array, bytes);
  const options = { recompute: 0, seed: 1 };
  await t.throwsAsync(verifyMerged(paths[0], job, options, { pool }), { message: /energy.*SHA-256/ });
  await t.throwsAsync(verify(paths[0]), { message: /'energy' of samples 32768 to 65535: element 7232 is/ });
});

test('indices are written as schedulers take them', (t) => {
  t.is(formatIndices([]), '');
  t.is(formatIndices([7]), '7');
  t.is(formatIndices([3, 17, 40, 41, 42]), '3,17,40-42');
  t.is(formatIndices([0, 1, 2, 4, 5]), '0-2,4-5');
});
