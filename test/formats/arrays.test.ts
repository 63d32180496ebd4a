import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DataError, InputError } from '../../src/errors.js';
import { encodeNpy, encodeNpz, readArray, readConfigurations, sha256 } from '../../src/formats/index.js';
import { ownFolder } from '../own-folder.js';

const values = Float64Array.from({ length: 24 }, (_, i) => i / 4);

test('the first bytes and not the suffix tell .npy from .npz', async (t) => {
  const folder = await ownFolder(t);
  const x = { shape: [24], data: values };
  const energy = { shape: [1], data: Float64Array.of(-44.3) };
  const [array, archive] = [join(folder, 'a.npz'), join(folder, 'b.npy')];
  await writeFile(array, encodeNpy(x));
  await writeFile(archive, encodeNpz(new Map(Object.entries({ x, energy }))));
  t.deepEqual(await readArray(array), x);
  t.deepEqual(await readArray(archive), x);
  t.deepEqual(await readArray(archive, 'energy'), energy);
});

test('files that are neither, empty or absent are refused by name', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'a.npy');
  for (const content of ['', 'PK', 'some text', '\x89HDF']) {
    await writeFile(path, content, 'latin1');
    const error = await t.throwsAsync(readArray(path), { instanceOf: DataError });
    t.true(error?.message.startsWith(`${path}: neither a .npy, .npz, HDF5 nor .xyz file`));
  }
  await t.throwsAsync(readArray(join(folder, 'b.npy')), { instanceOf: InputError });
});

test('configurations are read as [n, N, D] and as [n, N·D], f64 and f32, with the same values', async (t) => {
  const path = join(await ownFolder(t), 'x.npy');
  for (const data of [values, Float32Array.from(values)]) {
    for (const shape of [
      [2, 4, 3],
      [2, 12],
    ]) {
      await writeFile(path, encodeNpy({ shape, data }));
      t.deepEqual(await readConfigurations(path, 4, 3), { n: 2, x: values });
    }
  }
});

test('other shapes are refused with the shape found and those expected', async (t) => {
  const path = join(await ownFolder(t), 'x.npy');
  for (const shape of [[24], [2, 3, 4], [4, 6], [1, 2, 4, 3]]) {
    await writeFile(path, encodeNpy({ shape, data: values }));
    await t.throwsAsync(readConfigurations(path, 4, 3), {
      instanceOf: DataError,
      message: `${path}: x has shape [${shape.join(', ')}], expected [n, 4, 3] or [n, 12]`,
    });
  }
});

test('the first value that is not finite is named by sample, particle and axis', async (t) => {
  const path = join(await ownFolder(t), 'x.npy');
  for (const bad of [NaN, Infinity, -Infinity]) {
    const data = values.slice();
    data[12 + 3 * 2 + 1] = bad;
    data[23] = NaN;
    await writeFile(path, encodeNpy({ shape: [2, 12], data }));
    await t.throwsAsync(readConfigurations(path, 4, 3), {
      instanceOf: DataError,
      message: `${path}: x is ${bad} at sample 1, particle 2, axis y, expected a finite number`,
    });
  }
});

test('the checksum is that of FIPS 180-4', (t) => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  t.is(sha256(new TextEncoder().encode('abc')), abc);
});
