import test from 'ava';
import { makeCase } from '../../bench/cases.js';
import {
  energyPasses,
  fieldPasses,
  NORMALS,
  normalPasses,
  type Operations,
  TABLES,
  tablePasses,
} from '../../bench/operations.js';
import { ModuleLoops } from './wasm-inspection.js';

const module = new ModuleLoops(new URL('../../src/kernels/equiflow.wasm', import.meta.url));

/** Without what no instruction shows: whether a vector came from the first cache. */
function instructions({ streamed: _, ...rest }: Operations, times = 1): string {
  const entries = Object.entries(rest).map(([key, n]) => [key, Math.round(n * times)] as const);
  return JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))));
}

function has(name: string, operations: Operations, { times = 1, optional = true } = {}): boolean {
  return module.of(name, optional).some((loop) => instructions(loop) === instructions(operations, times));
}

test('every pass of the pair field is a loop of the compiled module with just these instructions', (t) => {
  for (const [precision, name] of [
    ['f32', 'velocity32'],
    ['f64', 'velocity64'],
  ] as const) {
    for (const [particles, dimensions] of [
      [13, 3],
      [13, 2],
    ]) {
      for (const { name: pass, operations } of fieldPasses(precision, particles, dimensions)) {
        t.true(has(name, operations), `${name}, ${dimensions}D, ${pass}`);
      }
    }
    // Four particles are written out: six pairs are one turn of two of the loops.
    const [distance, table, forces] = fieldPasses(precision, 4, 2);
    t.true(has(name, distance.operations, { times: 6 }), `${name}, four particles, distance`);
    t.true(has(name, table.operations), `${name}, four particles, table`);
    t.true(has(name, forces.operations, { times: 6 }), `${name}, four particles, forces`);
  }
});

test('so is every pass of an energy with its gradient', (t) => {
  for (const [label, spec, optional] of [
    ['DW4', 'dw4', false],
    ['LJ13', 'lj13:pairFactor=2', true],
  ] as const) {
    const c = makeCase(label, spec, 4);
    for (const precision of ['f32', 'f64'] as const) {
      const name = precision === 'f32' ? 'potential32' : 'potential64';
      for (const { name: pass, operations } of energyPasses(c, precision)) {
        // Per pair, of which there are N(N − 1)/2 for N particles; DW4's six pairs are one turn
        const once = pass === 'trap' || pass === 'centroid' ? (c.system.particles - 1) / 2 : 1;
        const times = label === 'DW4' ? 6 : once;
        t.true(has(name, operations, { times, optional }), `${name}, ${label}, ${pass}`);
      }
    }
  }
});

test('so are random numbers and the making of tables', (t) => {
  for (const [pass, operations] of Object.entries(NORMALS)) t.true(has('normals', operations), pass);
  t.true(has('radialBasis', TABLES.gauss));
  t.true(has('radialBasis', TABLES.normalise));
  t.true(has('tableProducts', TABLES.products));
  t.true(has('tableRows64', TABLES.rows));
  t.true(has('combineRows64', TABLES.blend));
});

test('one instruction more or less is noticed', (t) => {
  const [{ operations }] = fieldPasses('f32', 13, 3);
  t.false(has('velocity32', { ...operations, additions: operations.additions! + 1 }));
  t.false(has('velocity32', { ...operations, loads: operations.loads! - 1 }));
});

test('a number takes a sixteenth of two draws and an eighth of the rest; f32 tables are blended from f64', (t) => {
  const [philox, logarithms] = normalPasses();
  t.is(philox.operations.shuffles, (10 * NORMALS.round.shuffles) / 16);
  t.is(logarithms.operations.divisions, NORMALS.logarithms.divisions / 8);
  const names = (precision: 'f32' | 'f64') => tablePasses(makeCase('DW4', 'dw4', 4), precision).map(({ name }) => name);
  t.true(names('f32').includes('to f32'));
  t.false(names('f64').includes('to f32'));
});
