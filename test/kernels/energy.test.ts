import test from 'ava';
import { Kernels } from '../../src/kernels/index.js';
import { placeTerms } from '../../src/systems/energy.js';
import { defineSystem, EnergyEvaluator, type System, systemFromSpec } from '../../src/systems/index.js';
import { twinEnergyAndGradient } from '../twin/energy.js';
import { type RandomSource, randomSource } from '../twin/random.js';
import { flatten, loadReference, relativeError } from '../twin/reference.js';

const BOUND = { f32: 3e-5, f64: 1e-12 } as const;

function referenceSystem(name: string): System {
  const doubleWell = /^dw2-([23])d$/.exec(name);
  if (doubleWell) return systemFromSpec(`dw2:dimensions=${doubleWell[1]}`);
  return systemFromSpec(name.replace(' ', ':'));
}

/** A term of each kind with constants unlike any preset's. */
const MIXED: System[] = [2, 3].map((dimensions) =>
  defineSystem({
    name: `mixed-${dimensions}d`,
    particles: 7,
    dimensions,
    terms: [
      { kind: 'double-well', scale: 0.7, a: 0.3, b: -1.1, c: 0.25, d0: 2.5 },
      { kind: 'lennard-jones', scale: 1.3, epsilon: 0.8, rMin: 0.9 },
      { kind: 'trap', scale: 0.6, stiffness: 1.7 },
    ],
    convention: 'for tests',
    sampling: { metropolisStep: 0.1, start: new Array(7 * dimensions).fill(0) },
  }),
);

/** Samples [n, N, D] of particles on a jittered lattice of spacing 1.2, so that no pair is closer than 0.6. */
function clusters(random: RandomSource, n: number, { particles, dimensions }: System): Float64Array {
  const x = new Float64Array(n * particles * dimensions);
  for (let s = 0; s < n; s++) {
    for (let i = 0; i < particles; i++) {
      const cell = [i % 2, (i >> 1) % 2, i >> 2];
      if (dimensions === 2) cell[1] += 2 * cell[2];
      for (let a = 0; a < dimensions; a++) {
        x[(s * particles + i) * dimensions + a] = 1.2 * cell[a] + 0.6 * (random.uniform() - 0.5);
      }
    }
  }
  return x;
}

for (const precision of ['f64', 'f32'] as const) {
  test(`energies and gradients agree with the reference: ${precision}`, (t) => {
    for (const { system, x, energy, gradient } of loadReference().energies) {
      const found = new EnergyEvaluator(referenceSystem(system), precision).energyAndGradient(flatten(x), x.length);
      const [energyError, gradientError] = [
        relativeError(found.energy, energy),
        relativeError(found.gradient, gradient),
      ];
      t.log(`${system}: ${energyError.toExponential(1)}, ${gradientError.toExponential(1)}`);
      t.true(energyError < BOUND[precision], `energy of ${system}: ${energyError}`);
      t.true(gradientError < BOUND[precision], `gradient of ${system}: ${gradientError}`);
    }
  });

  test(`every batch size gives the same energies and gradients as the twin: ${precision}`, (t) => {
    for (const system of [...MIXED, systemFromSpec('dw4')]) {
      const evaluator = new EnergyEvaluator(system, precision);
      const C = system.particles * system.dimensions;
      // 1 … 9 meet every number of idle lanes, 256 … 515 the boundaries of chunks
      for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 256, 257, 515]) {
        const x = clusters(randomSource(n), n, system);
        const found = evaluator.energyAndGradient(x, n);
        const expected = twinEnergyAndGradient(system, x, n);
        t.true(relativeError(found.energy, expected.energy) < BOUND[precision], `energy, n = ${n}`);
        t.true(relativeError(found.gradient, expected.gradient) < BOUND[precision], `gradient, n = ${n}`);
        t.is(found.gradient.length, n * C);
        t.deepEqual(evaluator.energy(x, n), found.energy, 'the gradient changes nothing about the energy');
      }
    }
  });
}

test('no sample depends on its neighbours in the batch', (t) => {
  const system = MIXED[1];
  const evaluator = new EnergyEvaluator(system, 'f32');
  const C = system.particles * system.dimensions;
  const x = clusters(randomSource(3), 9, system);
  const together = evaluator.energyAndGradient(x, 9);
  for (let s = 0; s < 9; s++) {
    const alone = evaluator.energyAndGradient(x.slice(s * C, (s + 1) * C), 1);
    t.is(alone.energy[0], together.energy[s]);
    t.deepEqual(alone.gradient, together.gradient.slice(s * C, (s + 1) * C));
  }
});

test('f32 positions are taken as they are', (t) => {
  const system = MIXED[0];
  const evaluator = new EnergyEvaluator(system);
  const x = Float32Array.from(clusters(randomSource(4), 5, system));
  t.deepEqual(evaluator.energy(x, 5), evaluator.energy(Float64Array.from(x), 5));
});

test('energies are invariant under translation: forces add up to zero', (t) => {
  for (const system of [...MIXED, systemFromSpec('dw4')]) {
    const { particles, dimensions } = system;
    const x = clusters(randomSource(5), 8, system);
    const { gradient } = new EnergyEvaluator(system).energyAndGradient(x, 8);
    const largest = gradient.reduce((m, g) => Math.max(m, Math.abs(g)), 0);
    for (let s = 0; s < 8; s++) {
      for (let a = 0; a < dimensions; a++) {
        let sum = 0;
        for (let i = 0; i < particles; i++) sum += gradient[(s * particles + i) * dimensions + a];
        t.true(Math.abs(sum) < 1e-14 * particles * largest);
      }
    }
  }
});

test('energies are invariant under rotation: torques add up to zero', (t) => {
  for (const system of MIXED) {
    const { particles, dimensions: D } = system;
    const x = clusters(randomSource(6), 8, system);
    const { gradient } = new EnergyEvaluator(system).energyAndGradient(x, 8);
    const largest = gradient.reduce((m, g) => Math.max(m, Math.abs(g)), 0);
    for (let s = 0; s < 8; s++) {
      let torque = 0;
      for (let i = 0; i < particles; i++) {
        const p = (s * particles + i) * D;
        torque += x[p] * gradient[p + 1] - x[p + 1] * gradient[p];
      }
      t.true(Math.abs(torque) < 1e-13 * particles * largest);
    }
  }
});

test('the virial x·∇U is the derivative of U under scaling', (t) => {
  for (const system of MIXED) {
    const x = clusters(randomSource(7), 1, system);
    const evaluator = new EnergyEvaluator(system);
    const { gradient } = evaluator.energyAndGradient(x, 1);
    const virial = x.reduce((sum, value, c) => sum + value * gradient[c], 0);
    const U = (scale: number) =>
      evaluator.energy(
        x.map((value) => value * scale),
        1,
      )[0];
    const h = 1e-3;
    const derivative = (8 * (U(1 + h) - U(1 - h)) - (U(1 + 2 * h) - U(1 - 2 * h))) / (12 * h);
    t.true(Math.abs(derivative - virial) < 1e-6 * Math.abs(virial), `${derivative} against ${virial}`);
  }
});

test('forces on the way of HMC are the gradients of f32 that come with energies, to the bit', (t) => {
  for (const system of [...MIXED, systemFromSpec('dw4'), systemFromSpec('lj13:pairFactor=2')]) {
    const { particles, dimensions } = system;
    const n = 12;
    const x = clusters(randomSource(8), n, system);
    const { gradient } = new EnergyEvaluator(system, 'f32').energyAndGradient(x, n);
    const k = new Kernels();
    const C = particles * dimensions;
    const { terms, count } = placeTerms(k, system, 'f32');
    const [rows, positions, forces] = [8, 4, 4].map((bytes) => k.allocate(x.length * bytes));
    const scratch = k.allocate(k.common.energyScratch(particles));
    k.f64View(rows, x.length).set(x);
    k.f32.packFrom64(rows, positions, n, C);
    k.common.forces32(terms, count, positions, forces, particles, dimensions, n / 4, scratch);
    k.f32.unpackTo64(forces, rows, n, C);
    t.deepEqual(k.f64View(rows, x.length).slice(), Float64Array.from(gradient), system.name);
  }
});
