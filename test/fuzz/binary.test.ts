// No bytes crash or hang a reader: whatever is not a file of the format is refused in one line.

import test from 'ava';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { DataError } from '../../src/errors.js';
import { decodeModel } from '../../src/flows/index.js';
import { decodeNpy, decodeNpz, decodeNpzArray, decodeSafetensors, encodeSafetensors } from '../../src/formats/index.js';
import { anyValue, disturbed, mutated } from './mutations.js';
import {
  DESCRIPTION_KEY,
  MODEL_SEEDS,
  NPY_SEEDS,
  NPZ_SEEDS,
  npyFile,
  SAFETENSORS_SEEDS,
  safetensorsFile,
} from './seeds.js';
import { survives } from './survival.js';

/** Small extents that may fit the data, and extents that do not fit any memory. */
const extent = fc.oneof(
  { weight: 8, arbitrary: fc.nat(4) },
  fc.constantFrom(65536, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, '1e3', '-1', '00', '18446744073709551616'),
);

/** Arrays whose header is well formed and says what it likes. */
const declaredNpy = fc
  .record({
    descr: fc.constantFrom('<f4', '<f8', '|b1', '<i8', '<u8', '<u2', '|i1', '>f8', '|O', '<U4', '<f8\\', 'f8'),
    order: fc.constantFrom('False', 'False', 'False', 'True', 'None', '0'),
    shape: fc.array(extent, { maxLength: 4 }),
    version: fc.constantFrom(1, 2, 3),
    data: fc.uint8Array({ maxLength: 64 }),
    exact: fc.boolean(),
  })
  .map(({ descr, order, shape, version, data, exact }) => {
    const header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''})}`;
    const bytes = shape.reduce<number>((product, size) => product * Number(size), Number(descr.at(-1)) || 8);
    return npyFile(header, exact && bytes >= 0 && bytes <= 4096 ? new Uint8Array(bytes).fill(1) : data, version);
  });

const npy = fc.oneof({ weight: 3, arbitrary: mutated(NPY_SEEDS) }, declaredNpy);

test('npy', (t) => survives(t, npy, (bytes) => decodeNpy(bytes, 'f.npy')));

/** Whole archives, checksums and all, whose members are anything. */
const archive = fc
  .dictionary(
    fc.oneof(fc.constantFrom('x.npy', 'energy.npy', 'manifest.json', 'a\nb.npy', 'd/'), fc.string({ minLength: 1 })),
    fc.tuple(npy, fc.constantFrom(0 as const, 6 as const)),
    { maxKeys: 3 },
  )
  .map((members) =>
    zipSync(Object.fromEntries(Object.entries(members).map(([name, [bytes, level]]) => [name, [bytes, { level }]]))),
  );

const npz = fc.oneof({ weight: 3, arbitrary: mutated(NPZ_SEEDS) }, archive);

test('npz', (t) => survives(t, npz, (bytes) => decodeNpz(bytes, 'f.npz')));

test('one array of an npz', (t) => survives(t, npz, (bytes) => decodeNpzArray(bytes, 'x', 'f.npz')));

/** Tensor files whose header is JSON and says what it likes. */
const declaredTensors = fc
  .tuple(
    disturbed([
      { a: { dtype: 'F64', shape: [2, 1], data_offsets: [0, 16] } },
      { a: { dtype: 'F32', shape: [4], data_offsets: [0, 16] }, __metadata__: { note: 'text' } },
      { a: { dtype: 'F64', shape: [], data_offsets: [0, 8] }, b: { dtype: 'F64', shape: [1], data_offsets: [8, 16] } },
    ]),
    fc.constantFrom(16, 16, 16, 15, 0),
  )
  .map(([header, bytes]) => safetensorsFile(JSON.stringify(header) ?? '', new Uint8Array(bytes)));

test('safetensors', (t) => {
  const files = fc.oneof({ weight: 2, arbitrary: mutated(SAFETENSORS_SEEDS) }, declaredTensors);
  survives(t, files, (bytes) => decodeSafetensors(bytes, 'f.safetensors'));
});

const CONTENTS = MODEL_SEEDS.map((bytes) => decodeSafetensors(bytes, 'seed'));
const DESCRIPTIONS = CONTENTS.map(({ metadata }) => JSON.parse(metadata[DESCRIPTION_KEY]));

/** Sound tensor files whose description of the model is not. */
const describedModel = fc
  .tuple(fc.constantFrom(...CONTENTS), fc.oneof({ weight: 9, arbitrary: disturbed(DESCRIPTIONS) }, anyValue))
  .map(([{ tensors }, description]) =>
    encodeSafetensors(tensors, { [DESCRIPTION_KEY]: JSON.stringify(description) ?? '' }),
  );

test('models', (t) => {
  const files = fc.oneof(mutated(MODEL_SEEDS), { weight: 2, arbitrary: describedModel });
  survives(t, files, (bytes) => decodeModel(bytes, 'f.safetensors'));
});

/** A model file in which a text of the description was replaced. */
function redescribed(from: string | RegExp, to: string, seed = 0): Uint8Array {
  const { tensors, metadata } = CONTENTS[seed];
  return encodeSafetensors(tensors, { [DESCRIPTION_KEY]: metadata[DESCRIPTION_KEY].replace(from, to) });
}

const DEEP = '['.repeat(100_000) + ']'.repeat(100_000);

/** Small files that ask for more memory, time or stack than there is. */
const DEMANDS: Record<string, () => unknown> = {
  'particles beyond memory': () => decodeModel(redescribed('"particles":4', '"particles":1000000000'), 'f'),
  'particles beyond arrays': () => decodeModel(redescribed('"particles":4', '"particles":1e15'), 'f'),
  'species beyond memory': () =>
    decodeModel(redescribed(/"species":\[0,1,1,0\]\}/, '"species":[0,1,1,1000000000]}', 1), 'f'),
  'species without end': () =>
    decodeModel(redescribed(/"species":\[0,1,1,0\]\}/, `"species":[${'0,'.repeat(200_000)}0]}`, 1), 'f'),
  'description of great depth': () => decodeModel(redescribed('"version":1', `"version":${DEEP}`), 'f'),
  'system name of great depth': () => decodeModel(redescribed('"name":"dw4"', `"name":${DEEP}`), 'f'),
  'system terms of great depth': () =>
    decodeModel(redescribed('"name":"dw4"', `"name":"a","particles":4,"dimensions":2,"terms":${DEEP}`), 'f'),
  'species of great depth': () => decodeModel(redescribed('"kind":"kernel"', `"kind":"kernel","species":${DEEP}`), 'f'),
  'tensor of great depth': () => decodeSafetensors(safetensorsFile(`{"a":{"dtype":${DEEP}}}`, new Uint8Array(0)), 'f'),
  'array beyond memory': () =>
    decodeNpy(
      npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (94906265, 94906265)}", new Uint8Array(8)),
      'f',
    ),
  'members that share their bytes': () => decodeNpz(overlapping(50), 'f'),
  'member larger than it can be': () => decodeNpz(declaring(0xfffffff0), 'f'),
};

for (const [name, demand] of Object.entries(DEMANDS)) {
  test(`refused: ${name}`, (t) => {
    const error = t.throws(demand, { instanceOf: DataError });
    t.regex(error.message, /^f: [^\n\r]{1,1000}$/);
  });
}

/** A megabyte of zeros as one member, and directory entries of other names for the same bytes. */
function overlapping(copies: number): Uint8Array {
  const whole = Buffer.from(zipSync({ 'a000.txt': [new Uint8Array(2 ** 20), { level: 9 }] }));
  const end = whole.length - 22;
  const directory = whole.readUInt32LE(end + 16);
  const entries = Array.from({ length: copies }, (_, i) => {
    const entry = Buffer.from(whole.subarray(directory, end));
    entry.write(`a${String(i).padStart(3, '0')}.txt`, 46);
    return entry;
  });
  const tail = Buffer.from(whole.subarray(end));
  tail.writeUInt16LE(copies, 8);
  tail.writeUInt16LE(copies, 10);
  tail.writeUInt32LE(copies * (end - directory), 12);
  return Uint8Array.from(Buffer.concat([whole.subarray(0, directory), ...entries, tail]));
}

/** An archive whose one member declares `size` bytes. */
function declaring(size: number): Uint8Array {
  const whole = Buffer.from(zipSync({ 'a.txt': [new Uint8Array(1000), { level: 9 }] }));
  whole.writeUInt32LE(size, whole.readUInt32LE(whole.length - 6) + 24);
  return Uint8Array.from(whole);
}
