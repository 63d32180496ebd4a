import { copyFile, mkdir, readdir, readFile, rm, rmdir, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runShard, SHARDS_LOG } from '../../src/cluster/shard.js';
import { shardPaths, shardState, shardsFolder, writersFolder } from '../../src/cluster/shard-files.js';
import { ShardWriter } from '../../src/cluster/shard-writer.js';
import { runStatus } from '../../src/cluster/status.js';
import { DataError, InputError, InterruptedError, IoError, OutputError, UsageError } from '../../src/errors.js';
import { decodeSafetensors, sha256 } from '../../src/formats/index.js';
import { sample } from '../../src/sampling/index.js';
import type { WorkerPool } from '../../src/workers/index.js';
import { contents, openPool } from '../sampling/generators.js';
import { doShards, GENERATOR, interruptShard, ownFolder, planRun, TASK } from './runs.js';

/** Three blocks and a tail in one shard. */
const LONG = { n: 3 * 32_768 + 4_099 };

/** The files of one shard that nothing has disturbed. */
async function undisturbed(t: ExecutionContext, pool: WorkerPool, task: Partial<typeof TASK>) {
  const opened = await planRun(await ownFolder(t), 'run', 1, task);
  await doShards(opened, pool);
  return contents(shardsFolder(opened.run));
}

test('a shard is a safetensors file of its part of the samples, and a manifest', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  for (const precision of ['f32', 'f64'] as const) {
    const { run, job } = await planRun(folder, precision, 7, { precision });
    t.deepEqual(await runShard(run, job, 3, { pool }), {
      outcome: 'done',
      range: { first: 21_429, n: 7_144 },
      resumed: 0,
    });
    const { data, manifest } = shardPaths(run, 3);
    const { tensors, metadata } = decodeSafetensors(await readFile(data), data);
    t.deepEqual(JSON.parse(metadata.equiflow).plan, run.plan.hash);
    const set = await sample(GENERATOR, { ...TASK, precision, first: 77 + 21_429, n: 7_144 }, pool);
    t.deepEqual(tensors.get('x'), { shape: [7_144, 4, 2], data: Float64Array.from(set.x) });
    for (const name of ['logQ', 'energy', 'logWeight'] as const) t.deepEqual(tensors.get(name)!.data, set[name]);
    const { arrays, first, n } = JSON.parse(await readFile(manifest, 'utf8'));
    t.deepEqual([first, n, arrays.x.dtype], [21_429, 7_144, precision]);
    t.deepEqual(await readdir(join(run.folder, 'shards')), ['00003.json', '00003.safetensors', 'writers']);
  }
});

test('a finished shard is left as it is, and logged once', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const { run, job } = await planRun(folder, 'run', 40);
  await runShard(run, job, 0, { pool });
  const before = await contents(run.folder);
  t.is((await runShard(run, job, 0, { pool })).outcome, 'found');
  t.deepEqual(await contents(run.folder), before);
  const [line, ...more] = (await readFile(join(run.folder, SHARDS_LOG), 'utf8')).trim().split('\n');
  t.deepEqual(more, []);
  const { index, n, workers, seconds } = JSON.parse(line);
  t.deepEqual([index, n, workers], [0, 1250, 1]);
  t.true(seconds > 0 && seconds < 600);
  await t.throwsAsync(runShard(run, job, 40, { pool }), { instanceOf: UsageError });
});

test('an interrupted shard goes on from what it had, and has the bytes of one that was not interrupted', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const expected = await undisturbed(t, pool, LONG);

  const { run, job } = await planRun(folder, 'halted', 1, LONG);
  const controller = new AbortController();
  const onProgress = ({ done }: { done: number }) => done >= 2 * 32_768 && controller.abort();
  await t.throwsAsync(runShard(run, job, 0, { pool: openPool(t, 1), signal: controller.signal, onProgress }), {
    instanceOf: InterruptedError,
    message: /^shard 0 was interrupted at \d+ of 102403 samples; run it again to go on$/,
  });
  t.deepEqual(await readdir(writersFolder(run)), ['00000.part']);
  t.deepEqual(await readdir(shardsFolder(run)), ['writers']);
  t.deepEqual((await runStatus(run, job)).missing, [0]);
  const { resumed } = await runShard(run, job, 0, { pool });
  t.true(resumed >= 32_768);
  t.deepEqual(await contents(shardsFolder(run)), expected);
});

test('what an interrupted writer left is believed as far as its checksums hold', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const expected = await undisturbed(t, pool, LONG);
  const damages: Record<string, (part: string) => Promise<void>> = {
    // Energy of the second block
    'flipped bit': async (part) => {
      const bytes = await readFile(part);
      bytes[bytes.length - 2 * 8 * LONG.n + 8 * 40_000] ^= 1;
      await writeFile(part, bytes);
    },
    'torn checksum': async (part) => writeFile(part, (await readFile(part)).subarray(0, -3)),
    'flipped header': async (part) => {
      const bytes = await readFile(part);
      bytes[50] ^= 1;
      await writeFile(part, bytes);
    },
    truncated: async (part) => writeFile(part, (await readFile(part)).subarray(0, 5_000)),
    empty: (part) => writeFile(part, ''),
  };
  for (const [name, damage] of Object.entries(damages)) {
    const halted = await planRun(folder, name.replaceAll(' ', '-'), 1, LONG);
    await interruptShard(t, halted, 0, 1);
    await damage(shardPaths(halted.run, 0).part);
    const { resumed } = await runShard(halted.run, halted.job, 0, { pool });
    t.is(resumed, ['flipped bit', 'torn checksum'].includes(name) ? 32_768 : 0, name);
    t.deepEqual(await contents(shardsFolder(halted.run)), expected, name);
  }
});

test('writers of one shard at the same moment give it the bytes of one', async (t) => {
  const folder = await ownFolder(t);
  const pools = [openPool(t, 1), openPool(t, 2)];
  const both = await planRun(folder, 'both', 1);
  const outcomes = await Promise.all([0, 1, 0].map((k) => runShard(both.run, both.job, 0, { pool: pools[k] })));
  // Whoever sees that another was sooner leaves its files alone.
  t.true(outcomes.some(({ outcome }) => outcome === 'done'));
  t.deepEqual(await contents(shardsFolder(both.run)), await undisturbed(t, pools[0], {}));
});

test('what a killed writer left is gone on with once it has been silent for long, the longest of several', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const opened = await planRun(folder, 'killed', 1, LONG);
  const { run, job } = opened;
  await interruptShard(t, opened, 0, 2);
  const { part } = shardPaths(run, 0);
  const dead = ['a', 'b', 'c'].map((name) => join(writersFolder(run), `.00000.safetensors.7.${name}.tmp`));
  await copyFile(part, dead[1]);
  await rm(part);
  await writeFile(dead[0], 'beginnings');
  await writeFile(dead[2], '');
  for (const path of dead) await utimes(path, 0, 0);
  const { resumed } = await runShard(run, job, 0, { pool });
  t.true(resumed >= 32_768);
  t.deepEqual(await readdir(writersFolder(run)), []);
  t.deepEqual(await contents(shardsFolder(run)), await undisturbed(t, pool, LONG));
});

test('a writer that stood still and was taken over leaves the shard to the other one', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  /** A call that meets another writer after so many blocks. */
  const overtaken = async (
    { run, job }: Awaited<ReturnType<typeof planRun>>,
    other: () => Promise<unknown>,
    signal?: AbortSignal,
  ) => {
    const meeting: typeof job = {
      ...job,
      async *blocks(range, context) {
        let done = 0;
        for await (const block of job.blocks(range, context)) {
          yield block;
          if (++done === 2) await other();
        }
      },
    };
    return runShard(run, meeting, 0, { pool, ...(signal ? { signal } : {}) });
  };
  const seize = async (run: Awaited<ReturnType<typeof planRun>>['run']) => {
    for (const name of await readdir(writersFolder(run))) await rm(join(writersFolder(run), name));
  };

  const atWork = await planRun(folder, 'at-work', 1, LONG);
  await t.throwsAsync(
    overtaken(atWork, () => seize(atWork.run)),
    { instanceOf: InterruptedError, message: /^shard 0: another process has taken it over, .*; run it again$/ },
  );
  t.deepEqual((await runStatus(atWork.run, atWork.job)).missing, [0]);

  const stopped = await planRun(folder, 'stopped', 1, LONG);
  const controller = new AbortController();
  const stop = async () => {
    await seize(stopped.run);
    controller.abort();
  };
  await t.throwsAsync(overtaken(stopped, stop, controller.signal), {
    instanceOf: InterruptedError,
    message: /^shard 0 was interrupted at/,
  });

  const done = await planRun(folder, 'done', 1, LONG);
  const { outcome } = await overtaken(done, async () => {
    await seize(done.run);
    await runShard(done.run, done.job, 0, { pool: openPool(t, 1) });
  });
  t.is(outcome, 'found');
  t.deepEqual(await contents(shardsFolder(done.run)), await undisturbed(t, pool, LONG));
});

test('a shard too large for the disk is refused at once, however many blocks it has, and keeps what was left of it', async (t) => {
  const { run, job } = await planRun(await ownFolder(t), 'run', 1, { n: 1e12 });
  const refused = () =>
    t.throwsAsync(runShard(run, job, 0, { pool: openPool(t, 1) }), {
      instanceOf: IoError,
      message: /00000\.safetensors: it needs 56000 GB, and [\d.]+ GB are free there$/,
    });
  await refused();
  t.deepEqual(await readdir(writersFolder(run)), []);
  const { part } = shardPaths(run, 0);
  await writeFile(part, 'beginnings');
  await refused();
  t.is(await readFile(part, 'utf8'), 'beginnings');
});

test('a shard whose manifest alone could not be written is kept, and the next attempt computes nothing', async (t) => {
  const pool = openPool(t, 2);
  const { run, job } = await planRun(await ownFolder(t), 'run', 1, LONG);
  const { manifest, part } = shardPaths(run, 0);
  const writer = await ShardWriter.open(run, job, 0);
  for await (const block of job.blocks({ first: 0, n: job.units }, { pool })) await writer.append(block);
  await mkdir(manifest);
  await t.throwsAsync(writer.finish(), { instanceOf: OutputError });
  t.deepEqual((await readdir(shardsFolder(run))).sort(), ['00000.json', 'writers']);
  t.deepEqual(await readdir(writersFolder(run)), [basename(part)]);
  await t.throwsAsync(runShard(run, job, 0, { pool }), { instanceOf: InputError });
  await rmdir(manifest);
  t.is((await runShard(run, job, 0, { pool })).resumed, LONG.n);
  t.deepEqual(await contents(shardsFolder(run)), await undisturbed(t, pool, LONG));
});

test('what a dead writer left and nobody can copy or remove stands in no way', async (t) => {
  const pool = openPool(t, 1);
  const { run, job } = await planRun(await ownFolder(t), 'run', 40);
  const dead = join(writersFolder(run), '.00000.safetensors.1.abc.tmp');
  // As on a disk without room for two, or in a folder where others may not remove it.
  await mkdir(dead);
  await utimes(dead, 1, 1);
  t.is((await runShard(run, job, 0, { pool })).outcome, 'done');
});

test("a killed writer's file counts as running for a while, and is removed by the next attempt after that", async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const { run, job } = await planRun(folder, 'run', 3);
  const left = join(run.folder, 'shards', 'writers', '.00001.safetensors.4711.abcdef012345.tmp');
  await writeFile(left, 'beginnings');
  const fresh = await runStatus(run, job);
  t.deepEqual([fresh.running, fresh.missing], [[1], [0, 2]]);
  const past = new Date(Date.now() - 100_000);
  await utimes(left, past, past);
  const stale = await runStatus(run, job);
  t.deepEqual([stale.running, stale.missing], [[], [0, 1, 2]]);
  await doShards({ run, job }, pool);
  t.deepEqual(await readdir(join(run.folder, 'shards', 'writers')), []);
});

test('a shard of another run is refused and stays', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const own = await planRun(folder, 'own', 3);
  const other = await planRun(folder, 'other', 3, { seed: 6 });
  await doShards(other, pool, [1]);
  const foreign = shardPaths(other.run, 1);
  const place = shardPaths(own.run, 1);
  await writeFile(place.data, await readFile(foreign.data));
  await writeFile(place.manifest, await readFile(foreign.manifest));
  const before = sha256(await readFile(place.data));
  await t.throwsAsync(runShard(own.run, own.job, 1, { pool }), {
    instanceOf: DataError,
    message: /a shard of another run/,
  });
  t.is(sha256(await readFile(place.data)), before);
  t.is((await runStatus(own.run, own.job)).foreign.length, 1);
});

test('a shard that is not what its manifest says by size, place or count is damaged, counts as missing, and is mended by running it', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const opened = await planRun(folder, 'run', 3);
  const { run, job } = opened;
  await doShards(opened, pool);
  const expected = await contents(join(run.folder, 'shards'));
  const { data, manifest } = shardPaths(run, 1);
  const change = async (before: string | RegExp, after: string) => {
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(before, after));
  };
  const damages: [RegExp, () => Promise<void>][] = [
    [/00001\.safetensors: \d+ bytes, expected \d+$/, async () => writeFile(data, (await readFile(data)).subarray(1))],
    [/00001\.safetensors: missing, though its manifest is there$/, () => rm(data)],
    [/not the manifest of a shard$/, () => change('{', '')],
    [/not the manifest of a shard$/, () => writeFile(manifest, 'null')],
    [/first is 16668, expected 16667 by the plan$/, () => change('"first": 16667', '"first": 16668')],
    [/n is 16669, expected 16668 by the plan$/, () => change('"n": 16668', '"n": 16669')],
    [/index is 2, expected 1 by the plan$/, () => change('"index": 1', '"index": 2')],
    [/blocks has 0 checksums, expected 1$/, () => change(/"blocks": \[\d+\]/, '"blocks": []')],
  ];
  for (const [message, damage] of damages) {
    await damage();
    const { damaged, missing } = await runStatus(run, job);
    t.is(damaged.length, 1);
    t.regex(damaged[0].reason, message);
    t.deepEqual(missing, [1]);
    await doShards(opened, pool);
    t.deepEqual(await contents(join(run.folder, 'shards')), expected, String(message));
  }
});

test('a folder without shards, or with more than the plan has, says so', async (t) => {
  const folder = await ownFolder(t);
  const { run, job } = await planRun(folder, 'run', 3);
  await writeFile(join(run.folder, 'shards', '00003.json'), '{}');
  const { foreign } = await runStatus(run, job);
  t.regex(foreign[0].reason, /00003\.json: no shard of the plan, which has 0 to 2$/);
  t.deepEqual(await shardState(run, job, 0), { state: 'missing' });
  await rm(join(run.folder, 'shards'), { recursive: true });
  await t.throwsAsync(runStatus(run, job), { message: /shards: no such file or folder/ });
  await mkdir(join(run.folder, 'shards'));
});
