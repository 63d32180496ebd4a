import test from 'ava';
import { UsageError } from '../../src/errors.js';
import { initialKernelField, KernelField, speciesPairs, uniformBasis } from '../../src/fields/index.js';
import { prepareFlow } from '../../src/flows/index.js';
import { type KernelFieldParameters, radial } from '../twin/kernel-field.js';
import { permute, randomSource } from '../twin/random.js';
import { relativeError } from '../twin/reference.js';
import { flowThrough } from './reference-fields.js';

const BASIS = uniformBasis(12, 5, 0.6);
/** Three species in no particular order; 13 particles fill more than one tile of pairs. */
const CASES = [
  { D: 2, species: [0, 1, 1, 0] },
  { D: 3, species: [2, 0, 1, 1, 0] },
  { D: 3, species: [0, 1, 0, 1, 1, 2, 0, 2, 1, 0, 0, 2, 1] },
];
const BOUND = { f64: { velocity: 1e-7, divergence: 1e-5 }, f32: { velocity: 3e-5, divergence: 1e-4 } } as const;

/** The parameters of the radial function between two species. */
function pairParameters(field: KernelField, pair: number): KernelFieldParameters {
  const all = field.parameters as unknown as KernelFieldParameters;
  const [K, M] = [all.mu.length, all.muTime.length];
  return {
    ...all,
    weights: all.weights.slice(pair * K * M, (pair + 1) * K * M),
    bias: all.bias.slice(pair * M, (pair + 1) * M),
  };
}

/** Velocity and divergence of one sample by the formula, each pair with its species' own radial function. */
function twin(field: KernelField, time: number, x: Float64Array, D: number) {
  const velocity = new Float64Array(x.length);
  let divergence = 0;
  for (let i = 0; i < field.particles; i++) {
    for (let j = 0; j < field.particles; j++) {
      if (j === i) continue;
      const r = Array.from({ length: D }, (_, a) => x[i * D + a] - x[j * D + a]);
      const d = Math.hypot(...r);
      const { value, slope } = radial(pairParameters(field, field.species.of(i, j)), time, d);
      for (let a = 0; a < D; a++) velocity[i * D + a] += r[a] * value;
      divergence += d * slope + D * value;
    }
  }
  return { velocity, divergence };
}

for (const precision of ['f64', 'f32'] as const) {
  test(`every pair of species has its own radial function: agreement with the twin, ${precision}`, (t) => {
    for (const { D, species } of CASES) {
      const N = species.length;
      const initial = initialKernelField(N, D, BASIS, { seed: 1, weightScale: 1, species });
      const bias = randomSource(2).normals(initial.parameters.bias.length);
      const field = initial.withParameters({ ...initial.parameters, bias });
      const n = 7;
      const x = randomSource(N).normals(n * N * D);
      const found = prepareFlow(flowThrough(field, 50), precision).velocity(x, n, 0.37);
      const expected = Array.from({ length: n }, (_, s) => twin(field, 0.37, x.slice(s * N * D, (s + 1) * N * D), D));
      const velocity = relativeError(
        found.velocity,
        expected.flatMap((rates) => [...rates.velocity]),
      );
      const divergence = relativeError(
        found.divergence,
        expected.map((rates) => rates.divergence),
      );
      t.true(velocity < BOUND[precision].velocity, `velocity, N = ${N}: ${velocity}`);
      t.true(divergence < BOUND[precision].divergence, `divergence, N = ${N}: ${divergence}`);
    }
  });
}

/** Velocities and divergences of a field of one species, and of one whose two species have its radial functions. */
function twice(species: readonly number[]) {
  const particles = species.length;
  const one = initialKernelField(particles, 2, BASIS, { seed: 1, weightScale: 1 });
  const { weights, bias } = one.parameters;
  const thrice = (values: Float64Array) => Float64Array.of(...values, ...values, ...values);
  const two = new KernelField(
    particles,
    2,
    { ...one.parameters, weights: thrice(weights), bias: thrice(bias) },
    species,
  );
  const x = randomSource(3).normals(5 * 2 * particles);
  return [one, two].map((field) => prepareFlow(flowThrough(field, 5)).velocity(x, 5, 0.3));
}

test('species with the same radial functions are one species, to the bit', (t) => {
  const [one, two] = twice([0, 1, 1, 0, 0]);
  t.deepEqual(two, one);
});

test('species with the same radial functions are one species: four particles, whose kernel adds forces in another order', (t) => {
  const [one, two] = twice([0, 1, 1, 0]);
  t.deepEqual(two.divergence, one.divergence);
  two.velocity.forEach((v, c) => {
    t.true(Math.abs(v - one.velocity[c]) < 1e-15, `${v} ${one.velocity[c]}`);
  });
});

test('the density is invariant under exchange within a species, and not across species', (t) => {
  const field = initialKernelField(4, 2, BASIS, { seed: 1, weightScale: 1.5, species: [0, 1, 1, 0] });
  const runner = prepareFlow(flowThrough(field, 20));
  const x = randomSource(4)
    .normals(8)
    .map((value) => 1.5 * value);
  const logQ = runner.logProb(x, 1)[0];
  for (const order of [
    [3, 1, 2, 0],
    [0, 2, 1, 3],
    [3, 2, 1, 0],
  ]) {
    t.true(Math.abs(runner.logProb(permute(x, order, 2), 1)[0] - logQ) < 1e-9, `${order}`);
  }
  for (const order of [
    [1, 0, 2, 3],
    [0, 1, 3, 2],
  ]) {
    t.true(Math.abs(runner.logProb(permute(x, order, 2), 1)[0] - logQ) > 1e-2, `${order}`);
  }
});

test('pairs of species are numbered once each, without order', (t) => {
  const { count, pairs, of } = speciesPairs(4, [0, 1, 2, 1]);
  t.deepEqual([count, pairs], [3, 6]);
  t.deepEqual([of(0, 1), of(0, 2), of(1, 3), of(1, 2)], [1, 2, 3, 4]);
  for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) t.is(of(i, j), of(j, i));
});

test('species that cannot be are refused', (t) => {
  for (const species of [
    [0, 0, 0],
    [0, 2, 2, 0],
    [1, 1, 1, 1],
    [0, 0.5, 1, 1],
    [-1, 0, 0, 0],
  ]) {
    t.throws(() => speciesPairs(4, species), { instanceOf: UsageError, message: /species/ });
  }
});
