import test from 'ava';
import { classifyMinima, distinctMinima, isMinimum, labelledArrangements } from '../../src/analysis/minima.js';
import { type EnergyAndGradient, minimize } from '../../src/analysis/minimize.js';
import { DataError, UsageError } from '../../src/errors.js';
import { defineSystem, mackayIcosahedron, type System, systemFromSpec } from '../../src/systems/index.js';
import { normals, uniforms } from '../reweighting/random.js';
import { twinEnergyAndGradient } from '../twin/energy.js';

const evaluator =
  (system: System): EnergyAndGradient =>
  (x, n) =>
    twinEnergyAndGradient(system, x, n);

const DW4 = systemFromSpec('dw4');
const MINIMA = DW4.known.minima!;
const EVALUATE = evaluator(DW4);

/** A random translation, rotation or reflection and, if asked for, permutation of [N, 2]. */
function moved(x: ArrayLike<number>, seed: number, permute: boolean): number[] {
  const uniform = uniforms(seed);
  const angle = 2 * Math.PI * uniform();
  const mirror = uniform() < 0.5 ? -1 : 1;
  const [shiftX, shiftY] = [10 * uniform() - 5, 10 * uniform() - 5];
  const rows = Array.from({ length: x.length / 2 }, (_, i) => [
    Math.cos(angle) * x[2 * i] - mirror * Math.sin(angle) * x[2 * i + 1] + shiftX,
    Math.sin(angle) * x[2 * i] + mirror * Math.cos(angle) * x[2 * i + 1] + shiftY,
  ]);
  const order = rows.map(() => uniform());
  const shuffled = rows.map((row, i) => ({ row, key: order[i] })).sort((a, b) => a.key - b.key);
  return (permute ? shuffled.map(({ row }) => row) : rows).flat();
}

test('scattered dw4 samples end in the five known minima and no other', (t) => {
  const n = 4000;
  const normal = normals(1);
  const start = Float64Array.from({ length: 8 * n }, () => 3 * normal());
  const { x, energy, converged } = minimize(EVALUATE, start, n, 8);
  const found = distinctMinima(x, energy, n, 4, 2, { energyAndGradient: EVALUATE, converged });
  t.is(found.energy.length, 5);
  [-25.792, -25.312, -24.352, -23.465, -21.066].forEach((known, m) => {
    t.true(Math.abs(found.energy[m] - known) < 5e-4);
    t.true(found.count[m] > 20);
  });
  t.deepEqual(classifyMinima(x, energy, n, 4, 2, MINIMA), found.index);
  t.is(found.count.reduce((a, b) => a + b, 0) + found.index.filter((m) => m < 0).length, n);
  // 4! labellings over the order of the shape's symmetry group: bent chain and triangle with a tail 2, rectangle and rhombus
  // 4, centred triangle 6.
  t.is(labelledArrangements(x, found.index, n, 4, 2).count.length, 12 + 12 + 6 + 6 + 4);
});

test('a Lennard-Jones cluster of 13 without trap ends in the icosahedron at −44.326801, one of 55 at −279.248470', (t) => {
  for (const [shells, N, lowest] of [
    [1, 13, -44.326801],
    [2, 55, -279.24847],
  ]) {
    const system = defineSystem({
      name: 'lj',
      particles: N,
      dimensions: 3,
      terms: [{ kind: 'lennard-jones', scale: 1, epsilon: 1, rMin: 1 }],
      convention: 'U = Σ_{i<j} (1/d)¹² − 2(1/d)⁶',
      sampling: { metropolisStep: 0.03, start: mackayIcosahedron(shells, 0.96) },
    });
    const normal = normals(2);
    const n = 5;
    const lattice = system.sampling.start;
    const start = Float64Array.from({ length: 3 * N * n }, (_, c) => lattice[c % (3 * N)] + 0.08 * normal());
    const { x, energy, converged } = minimize(evaluator(system), start, n, 3 * N);
    const found = distinctMinima(x, energy, n, N, 3, { energyAndGradient: evaluator(system), converged });
    t.deepEqual([...found.count], [n]);
    t.true(Math.abs(found.energy[0] - lowest) < 1e-6);
  }
});

test('classes do not change under translation, O(D) and permutation; labelled ones do under permutation only', (t) => {
  const copies = MINIMA.flatMap(({ x }, m) =>
    [0, 1, 2, 3].map((k) => moved(x, 10 * m + k, true)).concat([0, 1, 2, 3].map((k) => moved(x, 77 * m + k, false))),
  );
  const n = copies.length;
  const x = Float64Array.from(copies.flat());
  const { energy } = EVALUATE(x, n);
  const expected = copies.map((_, s) => Math.floor(s / 8));
  t.deepEqual([...classifyMinima(x, energy, n, 4, 2, MINIMA)], expected);
  const found = distinctMinima(x, energy, n, 4, 2, { energyAndGradient: EVALUATE });
  t.deepEqual([...found.index], expected);
  const { index } = labelledArrangements(x, found.index, n, 4, 2);
  MINIMA.forEach((_, m) => {
    const unpermuted = index.slice(8 * m + 4, 8 * m + 8);
    t.true(unpermuted.every((arrangement) => arrangement === unpermuted[0]));
  });
  t.true(new Set(index).size > MINIMA.length);
});

test('structures of the same energy and different distances are distinct', (t) => {
  const dw2 = systemFromSpec('dw2');
  const minima = dw2.known.minima!;
  t.is(minima[0].energy, minima[1].energy);
  const x = Float64Array.from([...minima[1].x, ...minima[0].x, ...minima[1].x]);
  const { energy } = twinEnergyAndGradient(dw2, x, 3);
  const found = distinctMinima(x, energy, 3, 2, 2, { energyAndGradient: evaluator(dw2) });
  t.deepEqual([...found.count].sort(), [1, 2]);
  t.deepEqual([...classifyMinima(x, energy, 3, 2, 2, minima)], [1, 0, 1]);
});

test('saddles are not minima: a square in dw4, and the top of the dw2 barrier', (t) => {
  // By symmetry a square stays a square under minimisation; its breathing mode alone is relaxed.
  const { x, energy, converged } = minimize(EVALUATE, Float64Array.from([2, 0, 0, 2, -2, 0, 0, -2]), 1, 8);
  t.is(converged[0], 1);
  t.false(isMinimum(EVALUATE, x));
  const found = distinctMinima(x, energy, 1, 4, 2, { energyAndGradient: EVALUATE, converged });
  t.is(found.energy.length, 0);
  t.deepEqual([...found.index], [-1]);
  t.deepEqual([...classifyMinima(x, energy, 1, 4, 2, MINIMA)], [-1]);
  t.false(isMinimum(evaluator(systemFromSpec('dw2')), Float64Array.from([2, 0, -2, 0])));
});

test('samples that did not converge belong to no minimum', (t) => {
  const x = Float64Array.from([...MINIMA[0].x, ...MINIMA[1].x]);
  const energy = Float64Array.from([MINIMA[0].energy, MINIMA[1].energy]);
  const converged = Uint8Array.of(0, 1);
  const found = distinctMinima(x, energy, 2, 4, 2, { energyAndGradient: EVALUATE, converged });
  t.deepEqual([...found.index], [-1, 0]);
  t.is(found.energy[0], MINIMA[1].energy);
  t.deepEqual([...found.representative], [...MINIMA[1].x]);
});

test('only equal particles are exchangeable', (t) => {
  const { x, energy } = MINIMA[4];
  // The centred triangle, with the centre first instead of last.
  const swapped = [...x.slice(6), ...x.slice(2, 6), ...x.slice(0, 2)];
  const both = Float64Array.from([...x, ...swapped]);
  const energies = Float64Array.of(energy, energy);
  const classes = (species: number[]) =>
    distinctMinima(both, energies, 2, 4, 2, { energyAndGradient: EVALUATE, species }).energy.length;
  t.is(classes([0, 0, 0, 0]), 1);
  t.is(classes([1, 0, 0, 1]), 1);
  t.is(classes([0, 0, 0, 1]), 2);
  t.deepEqual([...classifyMinima(both, energies, 2, 4, 2, [MINIMA[4]], { species: [0, 0, 0, 1] })], [0, -1]);
});

test('arrays and species of the wrong length are refused', (t) => {
  const x = new Float64Array(8);
  const energy = new Float64Array(1);
  t.throws(() => classifyMinima(x, energy, 2, 4, 2, MINIMA), { instanceOf: DataError, message: /length 8/ });
  t.throws(() => classifyMinima(x, new Float64Array(2), 1, 4, 2, MINIMA), { instanceOf: DataError });
  t.throws(() => classifyMinima(x, energy, 1, 4, 2, [{ energy: 0, x: [1] }]), {
    instanceOf: DataError,
    message: /known\[0\]/,
  });
  t.throws(() => classifyMinima(x, energy, 1, 4, 2, MINIMA, { species: [0] }), { instanceOf: UsageError });
});
