import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DataError, InputError, UnavailableError } from '../../src/errors.js';
import { parseAddress } from '../../src/formats/hdf5/index.js';
import { loadHdf5 } from '../../src/formats/hdf5/library.js';
import { encodeNpy, readArray, readConfigurations } from '../../src/formats/index.js';
import { openVector } from '../../src/sampling/index.js';
import { ownFolder } from '../own-folder.js';
import { writeHdf5 } from './hdf5-files.js';

const N = 150_001;
const ramp = (n: number) => Float64Array.from({ length: n }, (_, i) => Math.sin(i));

test('an array comes out of HDF5 as it went in, however it is chunked, packed and typed', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'any.h5');
  const x = ramp(90 * 12);
  await writeHdf5(path, {
    contiguous: { data: x, shape: [90, 4, 3] },
    chunked: { data: x, shape: [90, 4, 3], chunks: [7, 2, 3], compression: 3 },
    single: { data: Float32Array.from(x), shape: [90, 4, 3], chunks: [90, 4, 3] },
    'deep/er/integers': { data: Int32Array.of(-1, 2, 3) },
    long: { data: BigInt64Array.of(-1n, 2n ** 50n) },
    scalar: { data: Float64Array.of(7), shape: [] },
    none: { data: new Float64Array(0), shape: [0, 4, 3] },
  });
  for (const name of ['contiguous', 'chunked']) {
    t.deepEqual(await readArray(`${path}:/${name}`), { shape: [90, 4, 3], data: x });
  }
  t.deepEqual(await readArray(`${path}:single`), { shape: [90, 4, 3], data: Float32Array.from(x) });
  t.deepEqual(await readArray(`${path}:deep/er/integers`), { shape: [3], data: Float64Array.of(-1, 2, 3) });
  t.deepEqual(await readArray(`${path}:/long`), { shape: [2], data: Float64Array.of(-1, 2 ** 50) });
  t.deepEqual(await readArray(`${path}:/scalar`), { shape: [], data: Float64Array.of(7) });
  t.deepEqual(await readArray(`${path}:/none`), { shape: [0, 4, 3], data: new Float64Array(0) });
});

test('a vector in HDF5 comes in the pieces in which a .npy comes, whatever its chunks', async (t) => {
  const folder = await ownFolder(t);
  const data = ramp(N);
  const npy = join(folder, 'v.npy');
  await writeFile(npy, encodeNpy({ shape: [N], data }));
  const pieces = async (path: string) => {
    const all: Float64Array[] = [];
    for await (const piece of (await openVector(path, 'v')).chunks()) all.push(piece.slice());
    return all;
  };
  const expected = await pieces(npy);
  t.true(expected.length > 2);
  for (const chunk of [undefined, 1000, 65_536, 99_999, N]) {
    const path = join(folder, `${chunk}.h5`);
    await writeHdf5(path, { v: { data, ...(chunk === undefined ? {} : { chunks: [chunk] }) } });
    t.deepEqual(await pieces(path), expected, `chunks of ${chunk}`);
  }
});

test('without a path the usual names of H5MD are found, and else nothing is guessed', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'a.h5');
  const at = async (datasets: string[], name = 'energy') => {
    await writeHdf5(path, Object.fromEntries(datasets.map((key, i) => [key, { data: Float64Array.of(i) }])));
    return (await readArray(path, name)).data[0];
  };
  t.is(await at(['first', 'energy']), 1);
  t.is(await at(['first', 'observables/energy/value']), 1);
  t.is(await at(['first', 'observables/all/energy/value']), 1);
  t.is(await at(['box', 'particles/all/position/value'], 'x'), 1);
  t.is(await at(['whatever']), 0);
  const refused = (work: Promise<unknown>, message: RegExp) => t.throwsAsync(work, { instanceOf: DataError, message });
  await refused(
    at(['one', 'two']),
    /a\.h5: no array 'energy', found \/one \/two: name the dataset, as in \S+a\.h5:\/path/,
  );
  await refused(
    at(['observables/a/energy/value', 'observables/b/energy/value']),
    /several arrays 'energy', found \/observables\/a\/energy\/value \/observables\/b/,
  );
  await refused(readArray(`${path}:/none`), /no dataset "\/none", found \/observables/);
});

test('what is no array of numbers, damaged or absent is refused by name', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'a.h5');
  await writeHdf5(path, {
    text: { data: 'x' },
    long: { data: BigInt64Array.of(2n ** 60n + 1n) },
    v: { data: ramp(9) },
  });
  const refused = (
    work: Promise<unknown>,
    message: RegExp,
    instanceOf: typeof DataError | typeof InputError = DataError,
  ) => t.throwsAsync(work, { instanceOf, message });
  await refused(readArray(`${path}:/text`), /a\.h5:\/text: values of another kind, expected f32, f64 or integers/);
  await refused(readArray(`${path}:/long`), /1152921504606846977, which f64 cannot hold exactly/);
  const short = join(folder, 'short.h5');
  await writeFile(short, (await readFile(path)).subarray(0, -9));
  await refused(readArray(`${short}:/v`), /short\.h5: not readable as HDF5: truncated file/);
  // An extent that a flipped bit has made too large: of the dataspace and its maximum.
  const huge = await readFile(path);
  const extents = Buffer.alloc(16);
  for (const at of [0, 8]) extents.writeBigUInt64LE(9n, at);
  const place = huge.indexOf(extents);
  for (const at of [0, 8]) huge.writeBigUInt64LE(2n ** 45n, place + at);
  await writeFile(short, huge);
  await refused(
    readArray(`${short}:/v`),
    /short\.h5:? ?\/v has shape \[35184372088832\], more than fits memory|not readable as HDF5/,
  );
  await writeFile(short, 'text');
  await refused(readArray(`${short}:/v`), /short\.h5: not an HDF5 file/);
  await refused(readArray(join(folder, 'none.h5:/v')), /cannot read \S+none\.h5: no such file/, InputError);
});

test('positions in space count as positions in the plane if they lie there', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'a.h5');
  const write = (z: number) => writeHdf5(path, { x: { data: Float64Array.of(1, 2, 0, 3, 4, z), shape: [1, 2, 3] } });
  await write(0);
  t.deepEqual(await readConfigurations(path, 2, 2), { n: 1, x: Float64Array.of(1, 2, 3, 4) });
  await write(0.5);
  await t.throwsAsync(readConfigurations(path, 2, 2), {
    instanceOf: DataError,
    message: /the third coordinate is 0\.5 at sample 0, particle 1, expected zero in two dimensions/,
  });
});

test('without h5wasm the error says how to get it', async (t) => {
  await t.throwsAsync(
    loadHdf5(() => Promise.reject(new Error('gone'))),
    { instanceOf: UnavailableError, message: /optional package h5wasm is not installed; run npm install h5wasm/ },
  );
});

test('a path within a file is told from the name of a file', (t) => {
  t.deepEqual(parseAddress('a/b.h5:/c/d'), { file: 'a/b.h5', dataset: '/c/d' });
  t.deepEqual(parseAddress('b.hdf5:c'), { file: 'b.hdf5', dataset: '/c' });
  t.deepEqual(parseAddress('C:/b.h5'), { file: 'C:/b.h5' });
  t.deepEqual(parseAddress('x.npy'), { file: 'x.npy' });
});
