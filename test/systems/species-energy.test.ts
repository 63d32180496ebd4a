import test from 'ava';
import { initialKernelField, type KernelFieldBasis, uniformBasis } from '../../src/fields/index.js';
import { boltzmannGenerator, continuousFlow, decodeModel, encodeModel, prepareFlow } from '../../src/flows/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import {
  defineSystem,
  EnergyEvaluator,
  type EnergyTerm,
  type System,
  startConfiguration,
  systemFromSpec,
  tabulatePair,
} from '../../src/systems/index.js';
import { radialBasisFor } from '../../src/training/initial-field.js';
import { twinEnergyAndGradient } from '../twin/energy.js';
import {
  permute,
  type RandomSource,
  randomPermutation,
  randomReflection,
  randomRotation,
  randomSource,
  rotate,
  translate,
} from '../twin/random.js';
import { relativeError } from '../twin/reference.js';

const BOUND = { f32: 3e-5, f64: 1e-12 } as const;

const SOFT = tabulatePair((d) => Math.exp(-d * d) + 0.2 * Math.cos(2 * d), {
  dMin: 0.7,
  dMax: 3.1,
  intervals: 300,
}).term;

function systemOf(name: string, dimensions: number, species: readonly number[], terms: readonly EnergyTerm[]): System {
  const start = Array.from({ length: species.length * dimensions }, (_, c) => 1.5 * Math.sin(12.9898 * c + 1));
  const sampling = { metropolisStep: 0.1, start };
  return defineSystem({
    name,
    particles: species.length,
    dimensions,
    species,
    terms,
    convention: 'for tests',
    sampling,
  });
}

const TERMS: Record<string, EnergyTerm> = {
  'double-well': { kind: 'double-well', scale: 0.7, a: 0.3, b: -1.1, c: 0.25, d0: 2.5 },
  'lennard-jones': { kind: 'lennard-jones', scale: 1.3, epsilon: 0.8, rMin: 0.9 },
  tabulated: { ...SOFT, scale: 1.7 },
  trap: { kind: 'trap', scale: 0.6, stiffness: 1.7 },
};

/** n samples [n, N, D] of particles on a jittered lattice of spacing 1.1: no pair closer than 0.55, many beyond 3.1. */
function clusters(random: RandomSource, n: number, { particles, dimensions }: System): Float64Array {
  return Float64Array.from({ length: n * particles * dimensions }, (_, c) => {
    const i = Math.floor(c / dimensions) % particles;
    const cell = c % dimensions === 0 ? i >> 1 : c % dimensions === 1 ? i % 2 : 0;
    return 1.1 * cell + 0.55 * (random.uniform() - 0.5);
  });
}

for (const precision of ['f64', 'f32'] as const) {
  test(`terms of each kind and pair of species give the twin's energies and gradients: ${precision}`, (t) => {
    const species = [0, 1, 2, 1, 0, 2, 0];
    for (const dimensions of [2, 3]) {
      for (const [kind, term] of Object.entries(TERMS)) {
        const pairs =
          kind === 'trap' ? [undefined] : ([undefined, [0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]] as const);
        for (const pair of pairs) {
          const masked = pair === undefined ? term : ({ ...term, species: pair } as EnergyTerm);
          const system = systemOf(`${kind}-${pair?.join('') ?? 'all'}`, dimensions, species, [masked]);
          const evaluator = new EnergyEvaluator(system, precision);
          // 5 … 8 meet every number of idle lanes; a lone pair's energy may be too close to 0 for a relative error.
          for (const n of [5, 6, 7, 8]) {
            const x = clusters(randomSource(n), n, system);
            const found = evaluator.energyAndGradient(x, n);
            const expected = twinEnergyAndGradient(system, x, n);
            const energy = relativeError(found.energy, expected.energy);
            const gradient = relativeError(found.gradient, expected.gradient);
            t.true(energy < BOUND[precision], `energy of ${system.name}, ${dimensions}-D, n = ${n}: ${energy}`);
            t.true(gradient < BOUND[precision], `gradient of ${system.name}, ${dimensions}-D, n = ${n}: ${gradient}`);
          }
        }
      }
    }
  });

  test(`a sum of masked terms of all kinds gives the twin's energies, whole chunks and tails: ${precision}`, (t) => {
    const terms: EnergyTerm[] = [
      { ...TERMS['double-well'], species: [0, 1] } as EnergyTerm,
      { ...TERMS['lennard-jones'], species: [1, 1] } as EnergyTerm,
      { ...TERMS.tabulated, species: [0, 0] } as EnergyTerm,
      { ...TERMS.tabulated, species: [0, 1], scale: -0.4 } as EnergyTerm,
      TERMS.tabulated,
      TERMS.trap,
    ];
    for (const dimensions of [2, 3]) {
      const system = systemOf('sum', dimensions, [1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1], terms);
      const evaluator = new EnergyEvaluator(system, precision);
      for (const n of [1, 6, 255, 256, 257, 515]) {
        const x = clusters(randomSource(n), n, system);
        const found = evaluator.energyAndGradient(x, n);
        const expected = twinEnergyAndGradient(system, x, n);
        t.true(relativeError(found.energy, expected.energy) < BOUND[precision], `energy, n = ${n}`);
        t.true(relativeError(found.gradient, expected.gradient) < BOUND[precision], `gradient, n = ${n}`);
        t.deepEqual(evaluator.energy(x, n), found.energy);
      }
    }
  });
}

test('terms for every pair of species with the same constants are the term without species', (t) => {
  const species = [0, 1, 2, 1, 0, 2, 0];
  const pairs = [0, 1, 2].flatMap((a) => [0, 1, 2].filter((b) => b >= a).map((b) => [a, b] as const));
  for (const kind of ['double-well', 'lennard-jones', 'tabulated']) {
    const whole = systemOf('whole', 3, species, [TERMS[kind]]);
    const parts = systemOf(
      'parts',
      3,
      species,
      pairs.map((pair) => ({ ...TERMS[kind], species: pair }) as EnergyTerm),
    );
    const x = clusters(randomSource(1), 8, whole);
    const [one, many] = [whole, parts].map((system) => new EnergyEvaluator(system).energyAndGradient(x, 8));
    t.true(relativeError(many.energy, one.energy) < 1e-14);
    t.true(relativeError(many.gradient, one.gradient) < 1e-13);
  }
});

/** Systems of several species with a radial basis for their field. */
const MIXTURES: readonly { system: System; basis: KernelFieldBasis; spread: number }[] = [
  {
    system: systemFromSpec('blj13:pairFactor=1'),
    basis: radialBasisFor(systemFromSpec('blj13:pairFactor=1')),
    spread: 0.1,
  },
  {
    system: systemOf(
      'two-species',
      2,
      [0, 1, 1, 0, 1],
      [
        { ...SOFT, species: [0, 0] },
        { kind: 'double-well', scale: 1, a: 0.9, b: -4, c: 0, d0: 2, species: [0, 1] },
        { kind: 'lennard-jones', scale: 1, epsilon: 2, rMin: 1.1, species: [1, 1] },
        { kind: 'trap', scale: 1, stiffness: 1 },
      ],
    ),
    basis: uniformBasis(20, 5, 0.5),
    spread: 0.1,
  },
  {
    system: systemOf(
      'three-wells',
      2,
      [0, 1, 2, 1, 0, 2],
      [0, 1, 2].flatMap((a) =>
        [0, 1, 2]
          .filter((b) => b >= a)
          .map((b): EnergyTerm => {
            return { kind: 'double-well', scale: 1, a: 0.9, b: -4, c: 0, d0: 2 + 0.5 * a + 0.3 * b, species: [a, b] };
          }),
      ),
    ),
    basis: uniformBasis(20, 6, 0.5),
    spread: 0.2,
  },
];

/** The order that exchanges particles i and j. */
function exchange(N: number, i: number, j: number): number[] {
  return Array.from({ length: N }, (_, p) => (p === i ? j : p === j ? i : p));
}

/** A random order that keeps every place's species. */
function permutationWithin(random: RandomSource, species: readonly number[]): number[] {
  const order = new Array<number>(species.length);
  for (const s of new Set(species)) {
    const places = species.flatMap((other, i) => (other === s ? [i] : []));
    randomPermutation(random, places.length).forEach((from, to) => {
      order[places[to]] = places[from];
    });
  }
  return order;
}

/** One random element of each kind of the system's symmetry group. */
function symmetries(
  random: RandomSource,
  { dimensions: D, species }: System,
): Record<string, (x: Float64Array) => Float64Array> {
  const [shift, rotation, reflection] = [random.normals(D), randomRotation(random, D), randomReflection(random, D)];
  const order = permutationWithin(random, species);
  return {
    translation: (x) => translate(x, shift),
    rotation: (x) => rotate(x, rotation, D),
    reflection: (x) => rotate(x, reflection, D),
    'permutation within species': (x) => permute(x, order, D),
    'all at once': (x) => permute(rotate(translate(x, shift), reflection, D), order, D),
  };
}

for (const { system, basis, spread } of MIXTURES) {
  const { particles: N, dimensions: D, species } = system;

  /** Energy and log q of one configuration, the latter of a random kernel field that came out of a model file. */
  function judges() {
    const field = initialKernelField(N, D, basis, { seed: 3, weightScale: 1.5, species });
    const flow = continuousFlow(meanFreeNormal(N, D), field, rk4(20));
    const { generator } = decodeModel(encodeModel(boltzmannGenerator(system, flow)), 'model');
    const evaluator = new EnergyEvaluator(generator.target);
    const [read, made] = [prepareFlow(generator.flow), prepareFlow(flow)];
    return {
      energy: (x: Float64Array) => evaluator.energy(x, 1)[0],
      logQ: (x: Float64Array) => read.logProb(x, 1)[0],
      unsavedLogQ: (x: Float64Array) => made.logProb(x, 1)[0],
    };
  }

  function configurations(random: RandomSource, n: number): Float64Array[] {
    return Array.from({ length: n }, () => startConfiguration(system).map((value) => value + spread * random.normal()));
  }

  test(`energy and log q are invariant under every symmetry of the species: ${system.name}`, (t) => {
    const { energy, logQ, unsavedLogQ } = judges();
    const random = randomSource(11);
    for (const x of configurations(random, 6)) {
      const [U, q] = [energy(x), logQ(x)];
      t.is(q, unsavedLogQ(x), 'a model file changes nothing');
      for (const [name, g] of Object.entries(symmetries(random, system))) {
        const gx = g(x);
        t.true(Math.abs(logQ(gx) - q) <= 1e-9, `${name}: log q changes by ${logQ(gx) - q}`);
        t.true(Math.abs(energy(gx) - U) <= 1e-11 * (1 + Math.abs(U)), `${name}: U changes by ${energy(gx) - U}`);
      }
    }
  });

  test(`exchange across species changes energy and log q: ${system.name}`, (t) => {
    const { energy, logQ } = judges();
    const [x] = configurations(randomSource(12), 1);
    const [U, q] = [energy(x), logQ(x)];
    for (let i = 0; i < N; i++) {
      for (let j = i + 1; j < N; j++) {
        if (species[i] === species[j]) continue;
        const gx = permute(x, exchange(N, i, j), D);
        t.true(Math.abs(energy(gx) - U) > 1e-2, `${i}, ${j}: U changes by ${energy(gx) - U}`);
        t.true(Math.abs(logQ(gx) - q) > 1e-2, `${i}, ${j}: log q changes by ${logQ(gx) - q}`);
      }
    }
  });
}

test('the binary Lennard-Jones preset has ten particles of species 0 and three of species 1, and its stated constants', (t) => {
  const { species, terms, dimensions } = systemFromSpec('blj13:pairFactor=2');
  t.is(dimensions, 3);
  t.deepEqual(
    [0, 1].map((s) => species.filter((other) => other === s).length),
    [10, 3],
  );
  const constants = { '0,0': [1, 1], '0,1': [1.5, 0.8], '1,1': [0.5, 0.88] } as const;
  for (const [pair, [epsilon, rMin]] of Object.entries(constants)) {
    const term = terms.find((candidate) => candidate.kind === 'lennard-jones' && candidate.species?.join() === pair);
    const [a, b] = pair.split(',').map(Number);
    const two = systemOf('two', 3, a === b ? [0, 0] : [0, 1], [
      { ...term, species: a === b ? [0, 0] : [0, 1] } as EnergyTerm,
    ]);
    const depth = new EnergyEvaluator(two).energyAndGradient(Float64Array.of(0, 0, 0, rMin, 0, 0), 1);
    t.true(Math.abs(depth.energy[0] + 2 * epsilon) < 1e-14, pair);
    t.true(
      depth.gradient.every((force) => Math.abs(force) < 1e-12),
      pair,
    );
  }
});
