import { zipSync } from 'fflate';
import { initialDenseField, initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { boltzmannGenerator, continuousFlow, encodeModel } from '../../src/flows/index.js';
import { encodeNpy, encodeNpz, encodeSafetensors, type NpyArray } from '../../src/formats/index.js';
import { dopri5, rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import { defineSystem, systemDefinition, systemFromSpec, tabulatePair } from '../../src/systems/index.js';

const SMALL: NpyArray = { shape: [2, 4, 2], data: Float32Array.from({ length: 16 }, (_, i) => i / 3) };
const VECTOR: NpyArray = { shape: [3], data: Float64Array.of(1, -2.5, 1e300) };

/** An array with a header of our own making. */
export function npyFile(header: string, data: Uint8Array, version = 1): Uint8Array {
  const text = Buffer.from(header, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(Math.min(text.length, 0xffff));
  else length.writeUInt32LE(text.length);
  return Uint8Array.from(
    Buffer.concat([Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]), length, text, data]),
  );
}

/** A tensor file with a header of our own making. */
export function safetensorsFile(header: string, data: Uint8Array): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Uint8Array.from(Buffer.concat([length, text, data]));
}

export const NPY_SEEDS: readonly Uint8Array[] = [
  encodeNpy(SMALL),
  encodeNpy(VECTOR),
  encodeNpy({ shape: [], data: Float64Array.of(7) }),
  encodeNpy({ shape: [0, 4, 2], data: new Float64Array(0) }),
  npyFile("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n", new Uint8Array(16).fill(1), 2),
  npyFile("{'descr': '|b1', 'fortran_order': False, 'shape': (4, 1)}", Uint8Array.of(0, 1, 1, 0), 3),
];

export const NPZ_SEEDS: readonly Uint8Array[] = [
  encodeNpz(new Map([['x', SMALL]]), new Map([['manifest.json', '{"kT": 1}']])),
  encodeNpz(
    new Map([
      ['logQ', VECTOR],
      ['energy', VECTOR],
    ]),
  ),
  zipSync({ 'x.npy': [encodeNpy(SMALL), { level: 9 }], 'note.txt': [Buffer.from('a'.repeat(300)), { level: 6 }] }),
];

const SPECIES = [0, 1, 1, 0];

/** A mixture of two species with every kind of term. */
const MIXTURE = defineSystem({
  name: 'mixture',
  particles: 4,
  dimensions: 2,
  species: SPECIES,
  convention: 'for tests',
  sampling: { metropolisStep: 0.1, start: [0, 0, 1, 0, 0, 1, 1, 1] },
  terms: [
    { kind: 'double-well', scale: 1, a: 0.9, b: -4, c: 0, d0: 4, species: [0, 1] },
    { kind: 'lennard-jones', scale: 2, epsilon: 1, rMin: 1 },
    tabulatePair((d) => 1 / d, { dMin: 0.5, dMax: 4, intervals: 8, species: [1, 1] }).term,
    { kind: 'trap', scale: 1, stiffness: 1 },
  ],
});

const generators = (['kernel', 'species', 'dense'] as const).map((kind) => {
  const system = kind === 'species' ? MIXTURE : systemFromSpec('dw4');
  const basis = { ...uniformBasis(3, 6, 1), times: 2 };
  const field =
    kind === 'dense'
      ? initialDenseField(4, 2, { seed: 1, hidden: 2, times: 2 })
      : initialKernelField(4, 2, basis, { seed: 1, species: system.species });
  return boltzmannGenerator(
    system,
    continuousFlow(meanFreeNormal(4, 2), field, kind === 'species' ? dopri5() : rk4(4)),
  );
});

export const MODEL_SEEDS: readonly Uint8Array[] = generators.map((generator) => encodeModel(generator, { steps: 3 }));

export const SAFETENSORS_SEEDS: readonly Uint8Array[] = [
  ...MODEL_SEEDS,
  encodeSafetensors(new Map([['a', { shape: [2], data: Float64Array.of(1, 2) }]]), { note: 'Ar₁₃' }),
  encodeSafetensors(new Map()),
  safetensorsFile('{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}', new Uint8Array(8)),
];

/** What model files say about themselves, as JSON. */
export const DESCRIPTION_KEY = 'equiflow';

export const DEFINITION_SEEDS: readonly Record<string, unknown>[] = [
  systemDefinition(MIXTURE),
  { name: 'bare', particles: 3, dimensions: 3, terms: [{ kind: 'trap', stiffness: 1 }] },
  {
    name: 'points',
    particles: 3,
    dimensions: 2,
    species: [0, 1, 0],
    terms: [
      { kind: 'tabulated', distances: [1, 2, 3, 4], energies: [3, 0, -1, 0], intervals: 16, species: [0, 1] },
      { kind: 'double-well', a: 1, b: -2, d0: 3 },
    ],
  },
];

const YAML = `
name: mixture   # a comment
particles: 4
dimensions: 2
species: [0, 1, 1, 0]
metropolisStep: 1e-1
start:
  - [0, 0]
  - [1, 0]
  - [0, 1.5]
  - [1, 1]
convention: >-
  folded
  text
terms:
  - {kind: double-well, species: [0, 1], a: 0.9, b: -4, d0: 2}
  - kind: tabulated
    distances: [0.5, 1, 1.5, 2]
    energies: [4, 1, 0.2, 0]
    intervals: 16
  - kind: "trap"
    stiffness: 0.5
`;

export const YAML_SEEDS: readonly Uint8Array[] = [
  Buffer.from(YAML),
  ...DEFINITION_SEEDS.map((definition) => Buffer.from(JSON.stringify(definition))),
].map((bytes) => Uint8Array.from(bytes));
