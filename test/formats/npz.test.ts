import test from 'ava';
import { strToU8, zipSync } from 'fflate';
import { DataError } from '../../src/errors.js';
import { decodeNpz, decodeNpzArray, encodeNpy, encodeNpz, type NpyArray } from '../../src/formats/index.js';
import { refusesEveryOtherLength, survivesMutations } from './corruption.js';

/** `x` = [[0.5, −1, 2], [3.25, −4, 1e−3]] in f32, deflated by Python's zipfile with NumPy's options (force_zip64). */
const FROM_PYTHON =
  'UEsDBC0AAAAIAAAAIQDP1GPk//////////8FABQAeC5ucHkBABAAmAAAAAAAAABcAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Ce' +
  'll9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYGBnsGhob9QNqBgSEAiBsO5As1WwEAUEsBAi0DLQAAAAgAAAAhAM/UY+Rc' +
  'AAAAmAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsFBgAAAAABAAEAMwAAAJMAAAAAAA==';

const x: NpyArray = { shape: [2, 3], data: Float32Array.of(0.5, -1, 2, 3.25, -4, 1e-3) };
const logQ: NpyArray = { shape: [2], data: Float64Array.of(-1.5, Math.PI) };
const arrays = new Map([
  ['x', x],
  ['logQ', logQ],
]);
const texts = new Map([['manifest.json', '{"kT": 1, "name": "Ar₁₃"}\n']]);

const decode = (bytes: Uint8Array) => decodeNpz(bytes, 'a.npz');

test('arrays and texts come back with their names, types and bits', (t) => {
  const read = decode(encodeNpz(arrays, texts));
  t.deepEqual(new Map([...read.arrays].sort()), new Map([...arrays].sort()));
  t.deepEqual(read.texts, texts);
  t.deepEqual(decode(encodeNpz(new Map())), { arrays: new Map(), texts: new Map() });
});

test('a deflated file from Python is read', (t) => {
  t.deepEqual(decode(Buffer.from(FROM_PYTHON, 'base64')).arrays, new Map([['x', x]]));
});

test('equal content gives equal bytes, whatever the order, dated 1980-01-01 00:00', (t) => {
  const bytes = encodeNpz(arrays, texts);
  t.deepEqual(encodeNpz(new Map([...arrays].reverse()), texts), bytes);
  // DOS time 0, then DOS date: year − 1980 = 0, month 1, day 1.
  t.deepEqual([...bytes.slice(10, 14)], [0, 0, 0x21, 0]);
});

test('arrays are stored as they are', (t) => {
  t.true(Buffer.from(encodeNpz(arrays)).includes(Buffer.from(encodeNpy(x))));
});

test('one array is read without the others, and a missing one is refused with the names there are', (t) => {
  const bytes = encodeNpz(arrays, texts);
  t.deepEqual(decodeNpzArray(bytes, 'logQ', 'a.npz'), logQ);
  t.throws(() => decodeNpzArray(bytes, 'energy', 'a.npz'), {
    instanceOf: DataError,
    message: "a.npz: no array 'energy', found logQ, x",
  });
});

test('a change of any bit of the content is noticed, but for the unused bits that end a DEFLATE stream', (t) => {
  for (const [whole, unnoticed] of [
    [encodeNpz(new Map([['x', x]])), 0],
    [new Uint8Array(Buffer.from(FROM_PYTHON, 'base64')), 7],
  ] as const) {
    const directory = Buffer.from(whole).indexOf('PK\x01\x02', 'latin1');
    const content = 30 + whole[26] + whole[28];
    let decoded = 0;
    for (let bit = 8 * content; bit < 8 * directory; bit++) {
      const bytes = whole.slice();
      bytes[bit >> 3] ^= 1 << (bit & 7);
      try {
        t.deepEqual(decode(bytes).arrays, new Map([['x', x]]));
        decoded++;
      } catch (error) {
        t.true(error instanceof DataError, `bit ${bit}`);
      }
    }
    t.true(decoded <= unnoticed);
  }
});

test('declared sizes beyond what the packed bytes can hold are refused before memory is taken', (t) => {
  for (const level of [0, 6] as const) {
    const bytes = zipSync({ 'x.npy': [encodeNpy(x), { level }] });
    const directory = Buffer.from(bytes).indexOf('PK\x01\x02', 'latin1');
    new DataView(bytes.buffer).setUint32(directory + 24, 0xf0000000, true);
    t.throws(() => decode(bytes), { instanceOf: DataError, message: /declares 4026531840 bytes/ });
  }
});

test('members that are not UTF-8, not arrays or named twice are refused', (t) => {
  t.throws(() => decode(zipSync({ 'a.txt': Uint8Array.of(0xff, 0xfe) })), {
    instanceOf: DataError,
    message: 'a.npz: a.txt is not UTF-8 text',
  });
  t.throws(() => decode(zipSync({ 'x.npy': strToU8('text') })), { instanceOf: DataError, message: /a\.npz: x\.npy: / });
  const twice = Buffer.from(zipSync({ 'aa.txt': strToU8('1'), 'ab.txt': strToU8('2') })).toString('latin1');
  const bytes = new Uint8Array(Buffer.from(twice.replaceAll('ab.txt', 'aa.txt'), 'latin1'));
  t.throws(() => decode(bytes), { instanceOf: DataError, message: /two members are named "aa\.txt"/ });
});

test('encrypted members, other compressions and archives of the 64-bit kind are refused with their reason', (t) => {
  const whole = encodeNpz(new Map([['x', x]]));
  const directory = Buffer.from(whole).indexOf('PK\x01\x02', 'latin1');
  const changed = (at: number, ...values: number[]) => {
    const bytes = whole.slice();
    bytes.set(values, at);
    return () => decode(bytes);
  };
  t.throws(changed(directory + 8, 1), { instanceOf: DataError, message: /encrypted/ });
  t.throws(changed(directory + 10, 14), { instanceOf: DataError, message: /compression method 14/ });
  t.throws(changed(whole.length - 12, 0xff, 0xff), { instanceOf: DataError, message: /volumes|above 4 GiB/ });
  t.throws(changed(whole.length - 6, 0xff, 0xff, 0xff, 0xff), { instanceOf: DataError, message: /above 4 GiB/ });
});

test('a file of any other length is refused', (t) => {
  refusesEveryOtherLength(t, decode, encodeNpz(new Map([['x', x]]), texts));
  refusesEveryOtherLength(t, decode, new Uint8Array(Buffer.from(FROM_PYTHON, 'base64')));
});

test('damaged files never crash the reader', (t) => {
  const stored = encodeNpz(arrays, texts);
  const deflated = new Uint8Array(Buffer.from(FROM_PYTHON, 'base64'));
  t.true(survivesMutations(t, decode, stored, { rounds: 1000, hot: 40, seed: 12 }) > 250);
  t.true(survivesMutations(t, decode, deflated, { rounds: 1000, hot: deflated.length, seed: 13 }) > 250);
});

test('a text cannot take the name of an array', (t) => {
  t.throws(() => encodeNpz(new Map(), new Map([['x.npy', '']])), { message: /cannot name a text/ });
});
