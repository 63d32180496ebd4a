import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { InterruptedError, NumericalError, OutputError, UsageError } from '../../src/errors.js';
import { KernelField } from '../../src/fields/index.js';
import { boltzmannGenerator, continuousFlow } from '../../src/flows/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import { importanceWeights } from '../../src/reweighting/index.js';
import {
  checkArchiveSize,
  type SampleStreamOptions,
  sample,
  sampleProvenance,
  sampleToFolder,
  writeSampleSet,
} from '../../src/sampling/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { initialFieldFor } from '../../src/training/index.js';
import type { WorkerPool } from '../../src/workers/index.js';
import { contents, openPool, ownFolder, untrained } from './generators.js';

/** Samples of DW4 in a block of a stream. */
const BLOCK = 32_768;
/** Three blocks and a tail. */
const N = 3 * BLOCK + 4_099;
const OPTIONS: SampleStreamOptions = { n: N, seed: 1, model: 'test' };

/** Streams until so many blocks are there, then stops with a checkpoint. */
async function halt(t: ExecutionContext, path: string, pool: WorkerPool, blocks: number): Promise<void> {
  const controller = new AbortController();
  const stopped = sampleToFolder(
    path,
    untrained(),
    {
      ...OPTIONS,
      checkpointSeconds: 0,
      signal: controller.signal,
      onProgress: ({ done }) => done >= blocks * BLOCK && controller.abort(),
    },
    pool,
  );
  const error = await t.throwsAsync(stopped, { instanceOf: InterruptedError });
  t.regex(error.message, /^sampling was interrupted after \d+ of 102403 samples; run it again to go on$/);
}

test('a stream writes the bytes of a set in memory, of any size and with any number of workers', async (t) => {
  const folder = await ownFolder(t);
  const pools = [openPool(t, 1), openPool(t, 2)];
  for (const [n, precision] of [
    [1, 'f32'],
    [5, 'f64'],
    [4096, 'f32'],
    [N, 'f32'],
    [BLOCK + 1, 'f64'],
  ] as const) {
    const options = { ...OPTIONS, n, precision, first: 77 };
    const generator = untrained(8, 1.5);
    const set = await sample(generator, options, pools[0]);
    const memory = join(folder, `memory-${n}`);
    await writeSampleSet(memory, set, sampleProvenance(generator, 'test', options));
    const expected = await contents(memory);
    for (const [index, pool] of pools.entries()) {
      const path = join(folder, `stream-${n}-${index}`);
      const report = await sampleToFolder(path, generator, options, pool);
      t.deepEqual(await contents(path), expected, `${n} ${precision}`);
      t.deepEqual(report, importanceWeights(set.logWeight));
    }
  }
});

test('a damaged or missing part of an unfinished set is found and made again, what comes before is kept', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const whole = join(folder, 'whole');
  const report = await sampleToFolder(whole, untrained(), OPTIONS, pool);
  const expected = await contents(whole);
  const path = join(folder, 'damaged');
  const partial = join(folder, `.damaged.${N}.partial`);
  const flip = async (name: string, at: number) => {
    const bytes = await readFile(join(partial, name));
    bytes[at] ^= 4;
    await writeFile(join(partial, name), bytes);
  };
  const other = join(folder, 'other');
  await sampleToFolder(other, untrained(), { ...OPTIONS, seed: 2 }, pool);
  /** Puts a block of positions of another set where one of ours was. */
  const foreign = async (block: number, from = block, set = other) => {
    const bytes = await readFile(join(partial, 'set/x.npy'));
    const theirs = await readFile(join(set, 'x.npy'));
    theirs.copy(bytes, 128 + block * BLOCK * 32, 128 + from * BLOCK * 32, 128 + (from + 1) * BLOCK * 32);
    await writeFile(join(partial, 'set/x.npy'), bytes);
  };
  /** What happens to two blocks, and how many are kept. */
  const faults: [string, () => Promise<unknown>, number][] = [
    ['nothing', async () => {}, 2],
    ['a bit of the positions flips', () => flip('set/x.npy', 128 + BLOCK * 32 + 17), 1],
    ['a bit of the first weight flips', () => flip('set/logWeight.npy', 130), 0],
    ['a bit of the header flips', () => flip('set/energy.npy', 20), 2],
    ['a file is cut short', () => truncate(join(partial, 'set/logQ.npy'), 128 + BLOCK * 16 - 1), 1],
    ['a file is missing', () => rm(join(partial, 'set/energy.npy')), 0],
    ['the files are missing', () => rm(join(partial, 'set'), { recursive: true }), 0],
    ['a line of the journal is torn', () => truncate(join(partial, 'journal'), 18 + 9), 1],
    ['a bit of the journal flips', () => flip('journal', 18 + 2), 1],
    ['a block is that of another place', () => flip('journal', 0), 0],
    ['a block is of another run', () => foreign(1), 1],
    ['a block stands at the place of another', () => foreign(1, 0, whole), 1],
    ['the journal is missing', () => rm(join(partial, 'journal')), 0],
    ['a manifest is there already', () => writeFile(join(partial, 'set/manifest.json'), '{}'), 2],
    [
      'a process has died',
      () => writeFile(join(partial, `lock.${process.pid}.00.${encodeURIComponent(hostname())}`), ''),
      2,
    ],
  ];
  for (const [what, damage, kept] of faults) {
    await halt(t, path, pool, 2);
    await damage();
    const done: number[] = [];
    const found = await sampleToFolder(
      path,
      untrained(),
      { ...OPTIONS, onProgress: ({ stage, done: samples }) => stage === 'sampling' && done.push(samples) },
      pool,
    );
    t.deepEqual(done, [BLOCK, 2 * BLOCK, 3 * BLOCK, N].slice(kept), what);
    t.deepEqual(await contents(path), expected, what);
    t.deepEqual(found, report, what);
    t.deepEqual((await readdir(folder)).sort(), ['damaged', 'other', 'whole'], what);
  }
});

test('what another command has begun is refused with the difference and the way out, and stays', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const path = join(folder, 'set');
  const partial = join(folder, `.set.${N}.partial`);
  await halt(t, path, pool, 1);
  const before = await contents(partial);
  const refused = async (change: Partial<SampleStreamOptions>, message: RegExp, generator = untrained()) => {
    const error = await t.throwsAsync(sampleToFolder(path, generator, { ...OPTIONS, ...change }, pool), {
      instanceOf: OutputError,
      message,
    });
    t.regex(
      error!.message,
      /^cannot write \S+: \S+partial holds an unfinished run .*: finish that one, or remove that/,
    );
  };
  await refused({ seed: 2 }, /run with seed 1, not 2/);
  await refused({ first: 5 }, /run with first 0, not 5/);
  await refused({ precision: 'f64' }, /run with precision "f32", not "f64"/);
  await refused({ model: 'other' }, /run with model "test", not "other"/);
  await refused({}, /run with system .*dw4.*, not .*dw2/, dw2());
  await refused({ n: 7 }, /run of 102403 samples/);
  t.deepEqual(await contents(partial), before);
  t.deepEqual(await readdir(folder), [`.set.${N}.partial`]);

  await writeFile(join(partial, 'plan.json'), '{');
  await refused({}, /run with a plan that cannot be read/);
});

/** A generator whose particles leave every range. */
function exploding() {
  const target = systemFromSpec('dw4');
  const { parameters } = initialFieldFor(target, 1);
  const field = new KernelField(4, 2, { ...parameters, weights: parameters.weights.map(() => 1e30) });
  return boltzmannGenerator(target, continuousFlow(meanFreeNormal(4, 2), field, rk4(8)));
}

function dw2() {
  const target = systemFromSpec('dw2');
  return boltzmannGenerator(target, continuousFlow(meanFreeNormal(2, 2), initialFieldFor(target, 1), rk4(8)));
}

test('foreign files in the way are refused and stay', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const refused = (path: string, message: RegExp) =>
    t.throwsAsync(sampleToFolder(join(folder, path), untrained(), { ...OPTIONS, n: 3 }, pool), {
      instanceOf: OutputError,
      message,
    });
  await mkdir(join(folder, '.a.3.partial'));
  await writeFile(join(folder, '.a.3.partial', 'thesis'), 'x');
  await refused('a', /holds "thesis", which is no part of an unfinished run: remove that folder/);
  await writeFile(join(folder, '.b.3.partial'), 'x');
  await refused('b', /\.b\.3\.partial is in the way and not ours: remove it/);
  await writeFile(join(folder, 'c'), 'x');
  await refused('c', /c: it is not a folder, expected a folder or a new name/);
  await mkdir(join(folder, 'd'));
  await writeFile(join(folder, 'd', 'thesis'), 'x');
  await refused('d', /the folder holds other files, expected an empty one or a new name/);
  await refused('none/e', /none\/e: no such file or folder \(ENOENT\)/);
  await refused('c/f', /c\/f: a part of the path is not a folder/);
  t.deepEqual((await readdir(folder, { recursive: true })).sort(), [
    '.a.3.partial',
    '.a.3.partial/thesis',
    '.b.3.partial',
    'c',
    'd',
    'd/thesis',
  ]);
});

test('a file that comes into the way meanwhile is kept, and so are the samples', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const path = join(folder, 'set');
  const onProgress = () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'thesis'), 'x');
  };
  await t.throwsAsync(sampleToFolder(path, untrained(), { ...OPTIONS, onProgress }, pool), {
    instanceOf: OutputError,
    message: /the folder holds other files/,
  });
  t.deepEqual(await readdir(path), ['thesis']);
  await rm(path, { recursive: true });
  const stages: string[] = [];
  await sampleToFolder(path, untrained(), { ...OPTIONS, onProgress: ({ stage }) => stages.push(stage) }, pool);
  t.deepEqual([...new Set(stages)], ['checking what is there']);
  t.deepEqual(await readdir(folder), ['set']);
});

test('an older sample set is replaced, also behind a link, and only by a finished one', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const path = join(folder, 'set');
  const link = join(folder, 'link');
  await sampleToFolder(path, untrained(), { ...OPTIONS, n: 9 }, pool);
  await symlink(path, link);
  const old = await contents(path);
  await halt(t, path, pool, 1);
  t.deepEqual(await contents(path), old);
  await sampleToFolder(link, untrained(), OPTIONS, pool);
  const [first, ...others] = (await readdir(folder, { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  t.true(first.isSymbolicLink());
  t.deepEqual(
    others.map(({ name }) => name),
    ['set'],
  );
  t.true((await readFile(join(path, 'manifest.json'), 'utf8')).includes(`"n": ${N}`));
});

test('a run that is stopped before its first checkpoint, or by a sample that is not finite, leaves nothing', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 1);
  const path = join(folder, 'set');
  const controller = new AbortController();
  const options = { ...OPTIONS, signal: controller.signal, onProgress: () => controller.abort() };
  await t.throwsAsync(sampleToFolder(path, untrained(), options, pool), {
    instanceOf: InterruptedError,
    message: 'sampling was interrupted; run it again',
  });
  t.deepEqual(await readdir(folder), []);
  const broken = { ...OPTIONS, checkpointSeconds: 0 };
  await t.throwsAsync(sampleToFolder(path, exploding(), broken, pool), {
    instanceOf: NumericalError,
    message: /^sample \d+: log q is/,
  });
  t.deepEqual(await readdir(folder), []);
  await t.throwsAsync(sampleToFolder(path, untrained(), { ...OPTIONS, n: 0 }, pool), { instanceOf: UsageError });
  t.deepEqual(await readdir(folder), []);
});

test('two calls of one process exclude each other', async (t) => {
  const pool = openPool(t, 1);
  const path = join(await ownFolder(t), 'set');
  const outcomes = await Promise.allSettled([1, 2].map(() => sampleToFolder(path, untrained(), OPTIONS, pool)));
  t.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const { reason } = outcomes.find((outcome) => outcome.status === 'rejected')!;
  t.true(reason instanceof OutputError);
  t.regex(reason.message, new RegExp(`process ${process.pid} on .* is writing it; if that process has ended, remove `));
});

test('what is too large for an archive is refused before work', (t) => {
  const generator = untrained();
  t.notThrows(() => checkArchiveSize(generator, 1e7, 'f32', 'o.npz'));
  t.throws(() => checkArchiveSize(generator, 1e8, 'f32', 'o.npz'), {
    instanceOf: UsageError,
    message: /^o\.npz: 100000000 samples are arrays of 5\.6 GB, expected at most 1\.5 GB in a \.npz: name a folder/,
  });
});
