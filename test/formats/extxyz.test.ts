import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { DataError } from '../../src/errors.js';
import { decodeXyz, encodeExtxyz, type Frames } from '../../src/formats/extxyz.js';
import { readArray, readConfigurations } from '../../src/formats/index.js';
import { ownFolder } from '../own-folder.js';

const FRAMES: Frames = {
  x: Float32Array.of(0.1, -0, 1e-30, 3, 1e20, -7.25),
  n: 3,
  particles: 1,
  dimensions: 2,
  symbols: ['Ar'],
  info: { energy: Float64Array.of(0.1, Infinity, -2), logWeight: Float64Array.of(-Infinity, NaN, 3e-9) },
};
const text = (frames: Frames) => [...encodeExtxyz(frames)].map((bytes) => new TextDecoder().decode(bytes)).join('');

test('positions and numbers come back to the last bit, those that are not finite too', (t) => {
  const written = text(FRAMES);
  t.deepEqual(decodeXyz(written, 'x', 'f'), {
    shape: [3, 1, 3],
    data: Float64Array.of(Math.fround(0.1), -0, 0, Math.fround(1e-30), 3, 0, Math.fround(1e20), -7.25, 0),
  });
  t.deepEqual(decodeXyz(written, 'energy', 'f').data, FRAMES.info.energy);
  t.deepEqual(decodeXyz(written, 'logWeight', 'f').data, FRAMES.info.logWeight);
  t.is(written.split('\n')[1], 'Properties=species:S:1:pos:R:3 energy=0.1 logWeight=-inf pbc="F F F"');
});

test('large sets come in pieces that are one text', (t) => {
  const n = 20_000;
  const x = Float64Array.from({ length: 2 * n }, (_, i) => Math.sin(i));
  const frames = { ...FRAMES, n, x, info: { energy: x.subarray(0, n) } };
  t.true([...encodeExtxyz(frames)].length > 2);
  const { data } = decodeXyz(text(frames), 'x', 'f');
  t.true(x.every((value, i) => data[3 * Math.floor(i / 2) + (i % 2)] === value));
});

test('files of other programs are read: columns in any order, plain XYZ, packed, Windows line ends', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'a.extxyz');
  const strange =
    '2\r\nLattice="1 0 0 0 1 0 0 0 1" Properties=id:I:1:species:S:1:forces:R:3:pos:R:3 energy="-1.5" x_energy=9\r\n1 H 9 9 9 1 2 3\r\n2 O 9 9 9 4 5 6\r\n\r\n';
  await writeFile(path, strange);
  t.deepEqual(await readArray(path), { shape: [1, 2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) });
  t.deepEqual((await readArray(path, 'energy')).data, Float64Array.of(-1.5));
  const packed = join(folder, 'b.xyz.gz');
  await writeFile(packed, gzipSync('1\n\nC 1 2 0\n1\nanything\nC 3 4 0\n'));
  t.deepEqual(await readConfigurations(packed, 1, 2), { n: 2, x: Float64Array.of(1, 2, 3, 4) });
});

test('what is torn or missing is refused by its line', async (t) => {
  const refused = (content: string, message: RegExp, name = 'x') =>
    t.throws(() => decodeXyz(content, name, 'a.xyz'), { instanceOf: DataError, message });
  refused('two\n', /^a\.xyz: line 1: "two", expected a number of particles/);
  refused('2\n\nC 1 2 3\n', /line 1: the file ends within its frame of 2 particles/);
  refused('1\n\nC 1 2\n', /line 3: "1 2", expected three coordinates/);
  refused('1\n\nC 1 2 y\n', /line 3: "1 2 y", expected three coordinates/);
  refused('1\n\nC 1 2 3\n2\n\nC 1 2 3\nC 1 2 3\n', /line 4: 2 particles, expected 1 as in the first frame/);
  refused('1\nlogQ=2\nC 1 2 3\n', /line 2: no number 'energy', expected energy=<number>/, 'energy');
  const packed = join(await ownFolder(t), 'b.xyz.gz');
  await writeFile(packed, gzipSync('1\n\nC 1 2 0\n').subarray(0, 20));
  await t.throwsAsync(readArray(packed), { instanceOf: DataError, message: /b\.xyz\.gz: cannot be unpacked/ });
});
