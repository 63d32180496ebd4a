import test from 'ava';
import { DataError } from '../../src/errors.js';
import { decodeNpy, encodeNpy, type NpyArray } from '../../src/formats/index.js';
import { refusesEveryOtherLength, survivesMutations } from './corruption.js';

const matrix: NpyArray = { shape: [2, 3], data: Float64Array.of(0, -0, 1 / 3, Infinity, -Infinity, NaN) };

/** A file with a header of our own making. */
function file(header: string, data: Uint8Array | number[] = [], version = 1): Uint8Array {
  const length =
    version === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0];
  const text = Array.from(header, (character) => character.charCodeAt(0));
  return Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...length, ...text, ...data);
}

function header(descr: string, shape: string, order = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

test('the header has the bytes that numpy.save writes', (t) => {
  const bytes = encodeNpy({ shape: [2, 3], data: new Float64Array(6) });
  t.deepEqual([...bytes.slice(0, 10)], [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  const text = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
  t.is(Buffer.from(bytes.slice(10, 128)).toString('latin1'), `${text.padEnd(117)}\n`);
  t.is(bytes.length, 128 + 48);
});

test('tuples of one extent and of none are written as Python writes them', (t) => {
  const written = (shape: number[], n: number) =>
    Buffer.from(encodeNpy({ shape, data: new Float32Array(n) })).toString('latin1');
  t.true(written([5], 5).includes("{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }"));
  t.true(written([], 1).includes("'shape': (), }"));
});

test('elements begin at a multiple of 64 bytes for every rank', (t) => {
  for (let rank = 0; rank <= 64; rank++) {
    const bytes = encodeNpy({ shape: Array(rank).fill(1), data: Float64Array.of(7) });
    t.is((bytes.length - 8) % 64, 0);
    t.is(decodeNpy(bytes, 'a.npy').data[0], 7);
  }
});

test('writing and reading gives the same bits and type, f64 and f32, rank 0 and zero extents', (t) => {
  const arrays: NpyArray[] = [
    matrix,
    { shape: [2, 3], data: Float32Array.from(matrix.data) },
    { shape: [], data: Float64Array.of(1e-310) },
    { shape: [0, 13, 3], data: new Float32Array(0) },
  ];
  for (const array of arrays) {
    const read = decodeNpy(encodeNpy(array), 'a.npy');
    t.deepEqual(read.shape, array.shape);
    t.is(read.data.constructor, array.data.constructor);
    t.deepEqual(bytesOf(read.data), bytesOf(array.data));
  }
});

test('a file is read from any place in memory, also from within a Node buffer', (t) => {
  const bytes = encodeNpy(matrix);
  for (let offset = 0; offset < 9; offset++) {
    const memory = Buffer.alloc(bytes.length + 16, 0xee);
    memory.set(bytes, offset);
    t.deepEqual(decodeNpy(memory.subarray(offset, offset + bytes.length), 'a.npy'), matrix);
  }
});

test('truth values and integers become the same numbers in f64', (t) => {
  const cases: [string, ArrayBufferView, number[]][] = [
    ['|b1', Uint8Array.of(0, 1), [0, 1]],
    ['|i1', Int8Array.of(-128, 127), [-128, 127]],
    ['|u1', Uint8Array.of(0, 255), [0, 255]],
    ['<i2', Int16Array.of(-32768, 32767), [-32768, 32767]],
    ['<u2', Uint16Array.of(0, 65535), [0, 65535]],
    ['<i4', Int32Array.of(-(2 ** 31), 2 ** 31 - 1), [-(2 ** 31), 2 ** 31 - 1]],
    ['<u4', Uint32Array.of(0, 2 ** 32 - 1), [0, 2 ** 32 - 1]],
    ['<i8', BigInt64Array.of(-(2n ** 63n), 2n ** 53n), [-(2 ** 63), 2 ** 53]],
    ['<u8', BigUint64Array.of(0n, 2n ** 63n), [0, 2 ** 63]],
  ];
  for (const [descr, data, expected] of cases) {
    const read = decodeNpy(file(header(descr, '(2,)'), bytesOf(data)), 'a.npy');
    t.true(read.data instanceof Float64Array);
    t.deepEqual([...read.data], expected, descr);
  }
});

test('integers that f64 cannot hold are refused, not rounded', (t) => {
  for (const [descr, data] of [
    ['<i8', BigInt64Array.of(0n, 2n ** 53n + 1n)],
    ['<u8', BigUint64Array.of(0n, 2n ** 64n - 1n)],
  ] as const) {
    t.throws(() => decodeNpy(file(header(descr, '(2,)'), bytesOf(data)), 'a.npy'), {
      instanceOf: DataError,
      message: /^a\.npy: element 1 is \d+, which f64/,
    });
  }
});

test('versions 2 and 3, other orders of the keys and other spacing are read', (t) => {
  const text = `{"shape":(2,),"descr":"<f4","fortran_order":False}   \n`;
  for (const version of [1, 2, 3]) {
    const read = decodeNpy(file(text, bytesOf(Float32Array.of(1, 2)), version), 'a.npy');
    t.deepEqual(read, { shape: [2], data: Float32Array.of(1, 2) });
  }
});

test('what cannot be read is refused with its reason', (t) => {
  const cases: [Uint8Array, RegExp][] = [
    [file(header('|O', '(2,)')), /dtype "\|O"/],
    [file(header('<c16', '(2,)')), /dtype "<c16"/],
    [file(header('>f8', '(2,)')), /dtype ">f8"/],
    [file(header('<f8', '(2, 2)', 'True')), /fortran_order is True/],
    [file(header('<f8', '(2,)').replace("'<f8'", "[('a', '<f8')]")), /structured dtype/],
    [file(header('|b1', '(2,)'), [1, 2]), /element 1 has the byte 2/],
    [file(header('<f8', '(3)')), /malformed/],
    [file(header('<f8', '(-3,)')), /malformed/],
    [file(header('<f8', '(99999999999999999999,)')), /malformed/],
    [file(header('<f8', '(4503599627370496, 4503599627370496)')), /more elements than can be counted/],
    [file(header('<f8', '(0, 4503599627370496, 4503599627370496)')), /more elements than can be counted/],
    [file(header('<f8', `(${'1, '.repeat(65)})`)), /65 axes/],
    [file(header('<f8', '(1,)').replace("'shape'", "'shapes'")), /malformed/],
    [file(`{'descr': '<f8', 'descr': '<f8', 'shape': (1,), }`), /malformed/],
    [file(`{'descr': '<f8', 'shape': (1,), }`), /'fortran_order' is missing/],
    [file(`{'descr': '<f8', 'fortran_order': 'no', 'shape': (1,), }`), /not True or False/],
    [file(`${header('<f8', '(1,)')}import os`), /the end of the header/],
    [file(header('<f8', '(1,)'), [], 4), /version 4\.0/],
    [file(' '.repeat(20_000)), /at most 10000/],
    [file(header('<f8', '(2,)'), Array(15).fill(0)), /truncated: expected 84 bytes for shape \[2\] of <f8, found 83/],
    [file(header('<f8', '(2,)'), Array(17).fill(0)), /too long: expected 84 bytes .* found 85/],
  ];
  for (const [bytes, message] of cases) {
    t.throws(() => decodeNpy(bytes, 'a.npy'), { instanceOf: DataError, message });
  }
});

test('a file of any other length is refused', (t) => {
  refusesEveryOtherLength(t, (bytes) => decodeNpy(bytes, 'a.npy'), encodeNpy(matrix));
});

test('damaged files never crash the reader', (t) => {
  const rounds = 2000;
  const refused = survivesMutations(t, (bytes) => decodeNpy(bytes, 'a.npy'), encodeNpy(matrix), {
    rounds,
    hot: 70,
    seed: 11,
  });
  t.true(refused > rounds / 4);
});

test('an array whose shape contradicts its data is never written', (t) => {
  t.throws(() => encodeNpy({ shape: [2, 2], data: new Float64Array(3) }), { message: /shape \[2, 2\] with 3/ });
});
