import test from 'ava';
import { attainable, type Rates } from '../../bench/roofline.js';
import { type LoopKind, wasmLoop } from '../../bench/wasm-loops.js';

const KINDS: readonly LoopKind[] = ['multiply-add', 'addition', 'root', 'division', 'shuffle', 'load', 'store'];

test('every loop computes what it says it does, so that none was optimised away', (t) => {
  for (const kind of KINDS) {
    for (const precision of ['f32', 'f64'] as const) {
      const { run, expected } = wasmLoop(kind, precision, 1000);
      t.true(Math.abs(run() / expected - 1) < 1e-6, `${kind} ${precision}`);
    }
  }
  const { run, expected } = wasmLoop('load', 'f32', 5000, 1 << 18);
  t.is(run(), expected);
});

test('twice the iterations are twice the operations', (t) => {
  for (const kind of KINDS) {
    t.is(wasmLoop(kind, 'f32', 200).operations, 2 * wasmLoop(kind, 'f32', 100).operations);
  }
  t.is(wasmLoop('multiply-add', 'f32', 100).operations, 2 * wasmLoop('addition', 'f32', 100).operations);
});

const RATES: Rates = {
  arithmetic: 16,
  additions: 8,
  shuffles: 16,
  roots: 1,
  divisions: 2,
  loads: 8,
  stores: 4,
  L2: 4,
};

test('a pass takes what its slowest resource takes, and passes add up', (t) => {
  const adding = { name: 'a', operations: { additions: 8, multiplications: 4, loads: 4 } };
  t.deepEqual(attainable([adding], RATES), { seconds: 1, resource: 'additions' });
  const multiplying = { name: 'm', operations: { additions: 8, multiplications: 16, loads: 4 } };
  t.deepEqual(attainable([multiplying], RATES), { seconds: 1.5, resource: 'arithmetic' });
  // Roots and divisions share a unit.
  const dividing = { name: 'd', operations: { roots: 1, divisions: 2 } };
  t.deepEqual(attainable([adding, dividing], RATES), { seconds: 3, resource: 'roots and divisions' });
  const moving = { name: 's', operations: { stores: 8, streamed: 12 } };
  t.deepEqual(attainable([adding, moving], RATES), { seconds: 4, resource: 'L2' });
});
