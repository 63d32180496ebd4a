import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DataError, UsageError } from '../../src/errors.js';
import { encodeNpz, type NpyArray, readArray } from '../../src/formats/index.js';
import {
  exportSelection,
  openSampleWeights,
  type Selection,
  sample,
  sampleProvenance,
  sampleToHdf5,
  selectSamples,
  writeSampleSet,
} from '../../src/sampling/index.js';
import { openPool, ownFolder, untrained } from './generators.js';

const N = 20_001;

/** One set as a folder, an archive and HDF5. */
async function sets(t: ExecutionContext) {
  const folder = await ownFolder(t);
  const pool = openPool(t, 2);
  const set = await sample(untrained(), { n: N, seed: 1 }, pool);
  const paths = ['set', 'set.npz', 'set.h5'].map((name) => join(folder, name));
  const provenance = sampleProvenance(untrained(), 'test', { seed: 1 });
  for (const path of paths.slice(0, 2)) await writeSampleSet(path, set, provenance);
  await sampleToHdf5(paths[2], untrained(), { n: N, seed: 1, model: 'test' }, pool);
  return { folder, set, paths };
}

test('selected samples are those of the set, from whatever it is stored in, into whatever they are written', async (t) => {
  const { folder, set, paths } = await sets(t);
  const selection = { first: 8190, stride: 3, count: 100 };
  const index = Float64Array.from({ length: 100 }, (_, i) => 8190 + 3 * i);
  for (const path of paths) {
    const samples = await selectSamples(path, selection);
    t.deepEqual(samples.index, index);
    for (const name of ['out.extxyz', 'out.extxyz.gz', 'out.h5', 'out.npz']) {
      const out = join(folder, name);
      await exportSelection(out, samples, { selection });
      const { data, shape } = await readArray(out);
      const D = shape[2];
      t.deepEqual(shape, [100, 4, name === 'out.npz' ? 2 : 3]);
      t.true(
        data.every((v, i) =>
          i % D < 2 ? v === set.x[8 * index[Math.floor(i / D / 4)] + 2 * (Math.floor(i / D) % 4) + (i % D)] : v === 0,
        ),
      );
      for (const key of ['energy', 'logQ', 'logWeight'] as const) {
        t.deepEqual(
          (await readArray(out, key)).data,
          Float64Array.from(index, (i) => set[key][i]),
          `${name} ${key}`,
        );
      }
      t.deepEqual((await readArray(out, 'index')).data, index);
    }
    // What is a sample set again can be reweighted, its checksums hold.
    for (const name of ['out.h5', 'out.npz']) t.is((await openSampleWeights(join(folder, name))).energy.n, 100);
  }
  t.false((await readdir(folder)).some((name) => name.startsWith('.')));
});

test('the end of a set ends a selection, and what lies beyond is refused', async (t) => {
  const { paths } = await sets(t);
  const last = await selectSamples(paths[0], { first: N - 3, stride: 2, count: 9 });
  t.deepEqual([...last.index], [N - 3, N - 1]);
  t.is((await selectSamples(paths[1], {})).n, N);
  await t.throwsAsync(selectSamples(paths[0], { first: N }), {
    instanceOf: UsageError,
    message: /first is 20001, expected below its 20001 samples/,
  });
});

/** A set of the harmonic oscillator p ∝ exp(−2x²) seen from q ∝ exp(−x²/2), at points that are even in q's quantiles. */
async function oscillator(t: ExecutionContext, change: (energy: Float64Array) => void = () => {}): Promise<string> {
  const n = 50_000;
  const x = Float64Array.from({ length: n }, (_, i) => 8 * ((i + 0.5) / n - 0.5));
  const logQ = x.map(() => -Math.log(8));
  const energy = x.map((value) => 2 * value * value);
  change(energy);
  const arrays = new Map<string, NpyArray>([
    ['x', { shape: [n, 1, 1], data: x }],
    ['logQ', { shape: [n], data: logQ }],
    ['energy', { shape: [n], data: energy }],
  ]);
  const path = join(await ownFolder(t), 'oscillator.npz');
  await writeFile(path, encodeNpz(arrays));
  return path;
}

test('samples drawn by weight are those of the target, each within one of its share, and without weights', async (t) => {
  const path = await oscillator(t);
  const count = 20_000;
  const { x, index, vectors } = await selectSamples(path, { resample: count, seed: 3 });
  t.deepEqual(Object.keys(vectors), ['energy']);
  const variance = Float64Array.from(x).reduce((sum, value) => sum + value * value, 0) / count;
  // Systematic draws leave an error of the order of 1/count, far below the 1e-2 of independent ones.
  t.true(Math.abs(variance - 0.25) < 1e-3, `${variance}`);
  const copies = new Map<number, number>();
  for (const i of index) copies.set(i, (copies.get(i) ?? 0) + 1);
  const weight = (i: number) => Math.exp(-2 * (8 * ((i + 0.5) / 50_000 - 0.5)) ** 2);
  const total = Array.from({ length: 50_000 }, (_, i) => weight(i)).reduce((a, b) => a + b, 0);
  for (const [i, times] of copies) t.true(Math.abs(times - (count * weight(i)) / total) < 1 + 1e-9);
  t.deepEqual((await selectSamples(path, { resample: count, seed: 3 })).index, index);
  t.notDeepEqual((await selectSamples(path, { resample: count, seed: 4 })).index, index);
});

test('weights of zero are never drawn, those that are NaN are refused by their place', async (t) => {
  const half = await oscillator(t, (energy) => energy.fill(Number.POSITIVE_INFINITY, 25_000));
  t.true((await selectSamples(half, { resample: 1000, seed: 1 })).index.every((i) => i < 25_000));
  const refused = (change: (energy: Float64Array) => void, message: RegExp, selection: Selection) =>
    oscillator(t, change).then((path) =>
      t.throwsAsync(selectSamples(path, selection), { instanceOf: DataError, message }),
    );
  const resample = { resample: 10, seed: 1 };
  await refused(
    (energy) => energy.fill(NaN, 7, 9),
    /2 of 50000 log-weights are NaN or \+Inf, the first is NaN at index 7/,
    resample,
  );
  await refused((energy) => energy.fill(Number.POSITIVE_INFINITY), /all 50000 weights are zero/, resample);
});

test('a damaged set, one of another system, and one without what is asked for are refused', async (t) => {
  const { folder, paths } = await sets(t);
  const refused = (
    work: Promise<unknown>,
    message: RegExp,
    instanceOf: typeof DataError | typeof UsageError = DataError,
  ) => t.throwsAsync(work, { instanceOf, message });
  const file = join(paths[0], 'x.npy');
  const bytes = await readFile(file);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(file, bytes);
  await refused(selectSamples(paths[0], {}), /set: 'x' is not what was written: its SHA-256 is/);
  const manifest = join(paths[0], 'manifest.json');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace('"dw4"', '"dw2"').replaceAll(/"sha256": "\w+"/g, '"a": 1'));
  const other = await selectSamples(paths[0], { count: 2 });
  await refused(
    exportSelection(join(folder, 'o.xyz'), other, { selection: {} }),
    /set: x has 4 particles in 2 dimensions, expected 2 particles in 2 dimensions as 'dw2' has/,
  );
  const samples = await selectSamples(paths[1], { count: 2 });
  await refused(
    exportSelection(join(folder, 'o.pdb'), samples, { selection: {} }),
    /expected a name that ends/,
    UsageError,
  );
  await refused(
    exportSelection(join(folder, 'o.xyz'), samples, { selection: {}, symbols: [] }),
    /symbols: 0 of them, expected 1, one per species/,
    UsageError,
  );
  const flat = join(folder, 'flat.npz');
  await writeFile(flat, encodeNpz(new Map([['x', { shape: [2, 8], data: new Float64Array(16) }]])));
  await refused(selectSamples(flat, {}), /x has shape \[2, 8\], expected \[n, particles, dimensions\]/);
  const uneven = join(folder, 'uneven.npz');
  const [six, one] = [new Float64Array(6), new Float64Array(1)];
  const lists = new Map([
    ['x', { shape: [1, 3, 2], data: six }],
    ['logQ', { shape: [6], data: six }],
    ['energy', { shape: [1], data: one }],
  ]);
  await writeFile(uneven, encodeNpz(lists));
  await refused(selectSamples(uneven, {}), /'logQ' has shape \[6\], expected \[1\] as x has/);
  await refused(selectSamples(uneven, { resample: 1, seed: 1 }), /1 energies and 6 log-densities, expected as many/);
  lists.delete('x');
  await writeFile(uneven, encodeNpz(lists));
  await refused(selectSamples(uneven, {}), /no array 'x', expected one; found energy logQ/);
  const lone = join(folder, 'lone.npz');
  await writeFile(lone, encodeNpz(new Map([['x', { shape: [2, 4, 2], data: new Float64Array(16) }]])));
  await refused(selectSamples(lone, { resample: 1, seed: 1 }), /no array 'energy', expected one in a sample set/);
});
