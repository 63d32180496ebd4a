import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DataError, InputError } from '../../src/errors.js';
import { encodeNpy, encodeNpz, sha256 } from '../../src/formats/index.js';
import { NpyStreamWriter, npyChunks, openNpyStream } from '../../src/formats/npy-stream.js';
import { ownFolder } from '../own-folder.js';

const SINGLE = { shape: [50, 3, 2], data: Float32Array.from({ length: 300 }, (_, i) => Math.sin(i)) };
const DOUBLE = { shape: [300], data: Float64Array.from({ length: 300 }, (_, i) => Math.exp(i)) };
const ARRAYS = [
  ['<f4', SINGLE],
  ['<f8', DOUBLE],
] as const;

test('what is written in pieces has the bytes and the checksum of the whole', async (t) => {
  const folder = await ownFolder(t);
  for (const [type, array] of ARRAYS) {
    const path = join(folder, `${type}.npy`);
    const writer = await NpyStreamWriter.open(path, type, array.shape);
    for (const [from, to] of [
      [0, 1],
      [1, 1],
      [1, 170],
      [170, 300],
    ]) {
      await writer.append(array.data.subarray(from, to));
    }
    t.is(writer.digest(), sha256(encodeNpy(array)));
    await writer.sync();
    await writer.close();
    t.deepEqual(new Uint8Array(await readFile(path)), encodeNpy(array));
  }
});

test('a file that was left unfinished is gone on with, and ends with the same bytes and checksum', async (t) => {
  const folder = await ownFolder(t);
  const whole = encodeNpy(DOUBLE);
  const header = whole.length - DOUBLE.data.byteLength;
  // Cut in the header, at its end, within an element, beyond; and longer than it may be.
  for (const length of [5, header, header + 8 * 40 + 3, header + 8 * 200, whole.length + 9]) {
    const path = join(folder, `${length}.npy`);
    await writeFile(path, Buffer.concat([whole, new Uint8Array(99)]).subarray(0, length));
    const writer = await NpyStreamWriter.open(path, '<f8', DOUBLE.shape);
    let kept = 0;
    for (let piece = await writer.peek(30); piece && kept < 300; piece = await writer.peek(30)) {
      t.deepEqual(piece, DOUBLE.data.slice(kept, kept + 30));
      writer.accept(piece);
      kept += 30;
    }
    t.is(kept, 30 * Math.max(0, Math.min(10, Math.floor((length - header) / 240))));
    await writer.truncate();
    await writer.append(DOUBLE.data.subarray(kept));
    t.is(writer.digest(), sha256(whole));
    await writer.close();
    t.deepEqual(new Uint8Array(await readFile(path)), whole);
  }
});

test('a digest is given for a whole file only', async (t) => {
  const writer = await NpyStreamWriter.open(join(await ownFolder(t), 'x.npy'), '<f8', [3]);
  await writer.append(Float64Array.of(1, 2));
  t.throws(() => writer.digest(), { message: /2 elements written, expected 3/ });
  await writer.close();
});

test('pieces of any size are the array, and its checksum does not depend on the header', async (t) => {
  const folder = await ownFolder(t);
  for (const [type, array] of ARRAYS) {
    const path = join(folder, `${type}.npy`);
    const bytes = Buffer.from(encodeNpy(array));
    // Another order of the keys, as other programs write it.
    const text = bytes.toString('latin1', 10, 128);
    const [, rest] = /'fortran_order': False, (.*\}) *\n$/.exec(text)!;
    const header = `{'fortran_order': False, 'descr': '${type}', ${rest}`.padEnd(117);
    await writeFile(path, Buffer.concat([bytes.subarray(0, 10), Buffer.from(`${header}\n`), bytes.subarray(128)]));
    const stream = (await openNpyStream(path))!;
    t.deepEqual([stream.type, stream.shape], [type, array.shape]);
    for (const count of [1, 7, 150, 299, 300, 1000]) {
      const read: number[] = [];
      for await (const piece of npyChunks(stream, count)) {
        t.true(piece.length === count || read.length + piece.length === 300);
        read.push(...piece);
      }
      t.deepEqual(read, [...array.data]);
    }
  }
});

test('an empty array has no pieces', async (t) => {
  const path = join(await ownFolder(t), 'none.npy');
  const none = { shape: [0, 4, 2], data: new Float32Array(0) };
  await writeFile(path, encodeNpy(none));
  const stream = (await openNpyStream(path))!;
  for await (const _ of npyChunks(stream, 10)) t.fail();
  t.deepEqual([stream.type, stream.shape], ['<f4', none.shape]);
});

test('files of other kinds are left to readArray, damaged ones are refused', async (t) => {
  const folder = await ownFolder(t);
  const file = async (name: string, bytes: Uint8Array) => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  };
  const bytes = encodeNpy(DOUBLE);
  const changed = (from: string, to: string) =>
    Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1');
  await mkdir(join(folder, 'folder'));
  t.is(await openNpyStream(join(folder, 'folder')), undefined);
  t.is(await openNpyStream(await file('empty', new Uint8Array(0))), undefined);
  t.is(await openNpyStream(await file('x.npz', encodeNpz(new Map([['x', DOUBLE]])))), undefined);
  t.is(await openNpyStream(await file('integers.npy', changed('<f8', '<i8'))), undefined);
  t.is(await openNpyStream(await file('fortran.npy', changed('False', 'True '))), undefined);
  const refused = (path: string, message: RegExp) =>
    t.throwsAsync(openNpyStream(path), { instanceOf: DataError, message });
  await refused(await file('short.npy', bytes.subarray(0, -1)), /truncated: expected 2528 bytes .* found 2527/);
  await refused(await file('long.npy', changed('(300,)', '(299,)')), /too long: expected 2520 bytes .* found 2528/);
  await refused(await file('cut.npy', bytes.subarray(0, 50)), /expected a \.npy header of 128 bytes, found 50/);
  await t.throwsAsync(openNpyStream(join(folder, 'none.npy')), { instanceOf: InputError });

  const path = await file('shrinking.npy', bytes);
  const stream = (await openNpyStream(path))!;
  await truncate(path, 200);
  await t.throwsAsync(npyChunks(stream, 10).next(), {
    instanceOf: DataError,
    message: /truncated while it was read, at element 0/,
  });
});
