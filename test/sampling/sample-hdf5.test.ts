import { mkdir, open, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DataError, InterruptedError, OutputError } from '../../src/errors.js';
import { boltzmannGenerator, continuousFlow } from '../../src/flows/index.js';
import { openHdf5 } from '../../src/formats/hdf5/index.js';
import { readArray, readConfigurations } from '../../src/formats/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import { importanceWeights } from '../../src/reweighting/index.js';
import {
  openSampleWeights,
  readSampleWeights,
  reweight,
  type SampleStreamOptions,
  sample,
  sampleProvenance,
  sampleToFolder,
  sampleToHdf5,
  writeSampleSet,
} from '../../src/sampling/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { initialFieldFor } from '../../src/training/index.js';
import type { WorkerPool } from '../../src/workers/index.js';
import { openPool, ownFolder, sameSet, untrained } from './generators.js';

const BLOCK = 32_768;
const N = 3 * BLOCK + 4_099;
const OPTIONS: SampleStreamOptions = { n: N, seed: 1, model: 'test' };

function dw2(dimensions: 2 | 3) {
  const target = systemFromSpec(`dw2:dimensions=${dimensions}`);
  return boltzmannGenerator(target, continuousFlow(meanFreeNormal(2, dimensions), initialFieldFor(target, 1), rk4(8)));
}

test('HDF5 holds the data sets of a set in memory, of any size, in plane and space, with any number of workers', async (t) => {
  const folder = await ownFolder(t);
  const pools = [openPool(t, 1), openPool(t, 2)];
  for (const [n, precision, generator] of [
    [1, 'f32', untrained(8, 1.5)],
    [5, 'f64', untrained(8, 1.5)],
    [4096, 'f32', dw2(3)],
    [N, 'f32', untrained(8, 1.5)],
    [BLOCK + 1, 'f64', dw2(3)],
  ] as const) {
    const options = { ...OPTIONS, n, precision, first: 2 ** 32 - 77 };
    const set = await sample(generator, options, pools[0]);
    const memory = join(folder, `memory-${n}`);
    await writeSampleSet(memory, set, sampleProvenance(generator, 'test', options));
    for (const [index, pool] of pools.entries()) {
      const path = join(folder, `stream-${n}-${index}.h5`);
      const report = await sampleToHdf5(path, generator, options, pool);
      t.deepEqual(report, importanceWeights(set.logWeight));
      await sameSet(t, path, memory);
      const { particles, dimensions } = generator.prior;
      t.deepEqual((await readConfigurations(path, particles, dimensions)).x, Float64Array.from(set.x));
      const steps = await readArray(`${path}:/particles/all/position/step`);
      t.true(steps.data.every((step, i) => step === 2 ** 32 - 77 + i));
    }
  }
  t.false((await readdir(folder)).some((name) => name.startsWith('.')));
});

/** Streams until so many blocks are there, then stops with a checkpoint. */
async function halt(t: ExecutionContext, path: string, pool: WorkerPool, blocks: number): Promise<void> {
  const controller = new AbortController();
  const onProgress = ({ done }: { done: number }) => done >= blocks * BLOCK && controller.abort();
  const options = { ...OPTIONS, checkpointSeconds: 0, signal: controller.signal, onProgress };
  await t.throwsAsync(sampleToHdf5(path, untrained(), options, pool), { instanceOf: InterruptedError });
}

test('a damaged part of an unfinished HDF5 file is found and made again, what comes before is kept', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const whole = join(folder, 'whole');
  await sampleToFolder(whole, untrained(), OPTIONS, pool);
  const path = join(folder, 'set.h5');
  const partial = join(folder, `.set.h5.${N}.partial`);
  const file = join(partial, 'set', 'samples');
  const flip = async (at: number) => {
    const handle = await open(file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] ^= 4;
    await handle.write(byte, 0, 1, at);
    await handle.close();
  };
  /** Where the positions stand, which are f32 in space: found by the first of them. */
  const first = (await sample(untrained(), { n: 1, seed: 1 }, pool)).x;
  const start = async () => (await readFile(file)).indexOf(Buffer.from(first.buffer, 0, 8));
  const positions = 4 * 3 * 4;
  const faults: [string, () => Promise<unknown>, number][] = [
    ['nothing', async () => {}, 2],
    ['a bit of the second block flips', async () => flip((await start()) + BLOCK * positions + 64), 1],
    ['a third coordinate is not zero', async () => flip((await start()) + 8), 0],
    ['a bit of the structure flips', () => flip(40), 2],
    ['the file is cut short', async () => truncate(file, (await start()) + BLOCK * positions), 0],
    ['the file is missing', () => rm(file), 0],
    ['a layout was left over', () => writeFile(join(partial, 'set', 'layout'), 'x'), 2],
  ];
  for (const [what, damage, kept] of faults) {
    await halt(t, path, pool, 2);
    await damage();
    const done: number[] = [];
    const onProgress = ({ stage, done: samples }: { stage: string; done: number }) =>
      stage === 'sampling' && done.push(samples);
    await sampleToHdf5(path, untrained(), { ...OPTIONS, onProgress }, pool);
    t.deepEqual(done, [BLOCK, 2 * BLOCK, 3 * BLOCK, N].slice(kept), what);
    await sameSet(t, path, whole);
    t.deepEqual((await readdir(folder)).sort(), ['set.h5', 'whole'], what);
  }
});

test('an older file is replaced only by a finished one, also behind a link; a folder in the way stays', async (t) => {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const path = join(folder, 'set.h5');
  await sampleToHdf5(path, untrained(), { ...OPTIONS, n: 9 }, pool);
  const old = await readFile(path);
  await halt(t, path, pool, 1);
  t.true(old.equals(await readFile(path)));
  await symlink(path, join(folder, 'link.h5'));
  await sampleToHdf5(join(folder, 'link.h5'), untrained(), OPTIONS, pool);
  t.deepEqual((await readArray(`${path}:/observables/logQ/value`)).shape, [N]);
  t.deepEqual((await readdir(folder)).sort(), ['link.h5', 'set.h5']);
  await mkdir(join(folder, 'folder.h5'));
  await t.throwsAsync(sampleToHdf5(join(folder, 'folder.h5'), untrained(), { ...OPTIONS, n: 9 }, pool), {
    instanceOf: OutputError,
    message: /folder\.h5: it is a folder, expected a file or a new name/,
  });
});

test('weights from HDF5 are those of the set, and a flipped bit in them is found', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'set.h5');
  const report = await sampleToHdf5(path, untrained(8, 1.5), OPTIONS, openPool(t, 2));
  const pool = openPool(t, 1);
  const { kT, energy, logQ } = await openSampleWeights(path);
  t.is(kT, 1.5);
  t.deepEqual((await reweight({ energy, logQ }, { kT, source: path }, pool)).report, report);
  const bytes = await readFile(path);
  const first = Buffer.from((await readArray(path, 'energy')).data.buffer).subarray(0, 64);
  bytes[bytes.indexOf(first) + 3] ^= 1;
  await writeFile(path, bytes);
  await t.throwsAsync(readSampleWeights(path), {
    instanceOf: DataError,
    message: /set\.h5: 'energy' is not what was written: its SHA-256 is \w+, the manifest has \w+/,
  });
});

test('the file says what H5MD asks for', async (t) => {
  const path = join(await ownFolder(t), 'set.h5');
  await sampleToHdf5(path, untrained(), { ...OPTIONS, n: 7 }, openPool(t, 1));
  const file = await openHdf5(path);
  t.deepEqual(file.dataset('/particles/all/position/value').shape, [7, 4, 3]);
  t.deepEqual(file.dataset('/particles/all/species').shape, [4]);
  t.deepEqual(file.dataset('/observables/logWeight/step').shape, [7]);
  t.is(JSON.parse(file.text('/parameters/manifest')!).kind, 'equiflow samples');
  file.close();
});
