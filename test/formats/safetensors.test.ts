import test from 'ava';
import { DataError } from '../../src/errors.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../src/formats/index.js';
import { refusesEveryOtherLength, survivesMutations } from './corruption.js';

const weights: Tensor = { shape: [2, 2], data: Float64Array.of(1, -0, 1e-310, Math.E) };
const bias: Tensor = { shape: [], data: Float64Array.of(-2) };
const tensors = new Map([
  ['weights', weights],
  ['bias', bias],
]);
const metadata = { equiflow: '{"version": 1}', note: 'Ar₁₃ "quoted"' };

const decode = (bytes: Uint8Array) => decodeSafetensors(bytes, 'm.safetensors');

/** A file with a header of our own making. */
function file(header: unknown, data: Uint8Array | number[] = []): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  return Uint8Array.of(text.length & 255, text.length >> 8, 0, 0, 0, 0, 0, 0, ...text, ...data);
}

function tensor(shape: unknown, begin: unknown, end: unknown, dtype = 'F64') {
  return { dtype, shape, data_offsets: [begin, end] };
}

test('tensors and metadata come back with their names, shapes and bits', (t) => {
  const many = new Map([
    ...tensors,
    ['empty', { shape: [0, 3], data: new Float64Array(0) }],
    ['10', bias],
    ['9', bias],
  ]);
  const read = decode(encodeSafetensors(many, metadata));
  t.deepEqual(new Map([...read.tensors].sort()), new Map([...many].sort()));
  t.deepEqual(read.metadata, metadata);
  t.deepEqual(decode(encodeSafetensors(new Map())), { tensors: new Map(), metadata: {} });
});

test('the layout is that of the specification, sorted by name, data at a multiple of 8 bytes', (t) => {
  const bytes = encodeSafetensors(tensors, { b: '2', a: '1' });
  const text =
    '{"__metadata__":{"a":"1","b":"2"},"bias":{"dtype":"F64","shape":[],"data_offsets":[0,8]},' +
    '"weights":{"dtype":"F64","shape":[2,2],"data_offsets":[8,40]}}';
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8);
  const expected = new Uint8Array(8 + padded.length + 40);
  expected[0] = padded.length;
  expected.set(new TextEncoder().encode(padded), 8);
  const values = Float64Array.of(...bias.data, ...weights.data);
  expected.set(new Uint8Array(values.buffer), 8 + padded.length);
  t.deepEqual(bytes, expected);
});

test('equal content gives equal bytes, whatever the order', (t) => {
  const reversed = { note: metadata.note, equiflow: metadata.equiflow };
  t.deepEqual(encodeSafetensors(new Map([...tensors].reverse()), reversed), encodeSafetensors(tensors, metadata));
});

test('F32 tensors are widened, also behind a header of odd length and within a Node buffer', (t) => {
  const data = new Uint8Array(Float32Array.of(0.5, 1 / 3).buffer);
  for (let spaces = 0; spaces < 9; spaces++) {
    const bytes = file(JSON.stringify({ a: tensor([2], 0, 8, 'F32') }) + ' '.repeat(spaces), data);
    const memory = Buffer.alloc(bytes.length + 3, 0xee);
    memory.set(bytes, 3);
    t.deepEqual(decode(memory.subarray(3)).tensors.get('a')?.data, Float64Array.of(0.5, Math.fround(1 / 3)));
  }
});

test('offsets may lie beyond the square root of the largest exact integer', (t) => {
  const far = 100_000_008;
  t.throws(() => decode(file({ a: tensor([1], far - 8, far) })), { message: /begins at byte 100000000 of the data/ });
});

test('what cannot be read is refused with its reason', (t) => {
  const eight = Array(8).fill(0);
  const cases: [Uint8Array, RegExp][] = [
    [file({ a: tensor([4], 0, 8, 'F16') }, eight), /tensor "a" has dtype "F16", expected F64 or F32/],
    [file({ a: tensor([1], 0, 16) }, eight), /spans 16 bytes, expected 8/],
    [file({ a: tensor([1], 8, 0) }, eight), /spans -8 bytes/],
    [file({ a: tensor([-1], 0, 8) }, eight), /has shape \[-1\]/],
    [file({ a: tensor(['1'], 0, 8) }, eight), /has shape \["1"\]/],
    [file({ a: tensor([2 ** 52, 2 ** 52], 0, 8) }, eight), /has shape/],
    [file({ a: tensor(Array(65).fill(1), 0, 8) }, eight), /has shape/],
    [file({ a: { dtype: 'F64', shape: [1] } }, eight), /data_offsets none, expected \[begin, end\]/],
    [file({ a: tensor([1], -8, 0) }, eight), /data_offsets \[-8,0\]/],
    [file({ a: tensor([1], 8, 16) }, [...eight, ...eight]), /begins at byte 8 of the data, expected 0/],
    [file({ a: tensor([1], 0, 8), b: tensor([1], 0, 8) }, eight), /"b" begins at byte 0 of the data, expected 8/],
    [file({ a: tensor([1], 0, 8) }, eight.slice(1)), /expected 8 bytes of tensor data, found 7/],
    [file({ a: tensor([1], 0, 8) }, [...eight, 0]), /expected 8 bytes of tensor data, found 9/],
    [file({ a: 1 }), /not described by a JSON object/],
    [file({ __metadata__: { a: 1 } }), /__metadata__\.a is of type number, expected a string/],
    [file({ __metadata__: [] }), /__metadata__ is not a JSON object/],
    [file('{"a"'), /not JSON/],
    [file('['.repeat(20_000)), /not JSON/],
    [file('[]'), /not a JSON object/],
    [Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255), /header of 18446744073709551615 bytes/],
    [Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), /not UTF-8/],
  ];
  for (const [bytes, message] of cases) t.throws(() => decode(bytes), { instanceOf: DataError, message });
});

test('a file of any other length is refused', (t) => {
  refusesEveryOtherLength(t, decode, encodeSafetensors(tensors, metadata));
});

test('damaged files never crash the reader', (t) => {
  const refused = survivesMutations(t, decode, encodeSafetensors(tensors, metadata), {
    rounds: 2000,
    hot: 200,
    seed: 14,
  });
  t.true(refused > 500);
});

test('tensors that contradict their shape or take the name of the metadata are never written', (t) => {
  t.throws(() => encodeSafetensors(new Map([['a', { shape: [2], data: bias.data }]])), {
    message: /shape \[2\] with 1/,
  });
  t.throws(() => encodeSafetensors(new Map([['__metadata__', bias]])), { message: /cannot name a tensor/ });
});
