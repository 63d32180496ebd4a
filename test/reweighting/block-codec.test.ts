import test from 'ava';
import fc from 'fast-check';
import { blockWidth, decodeBlock, encodeBlock } from '../../src/reweighting/block-codec.js';
import { type ReweightingPlan, reweightingBlock } from '../../src/reweighting/index.js';

const INFINITE = Number.POSITIVE_INFINITY;

/** Two averages, profiles of 7 and 3 bins, two states. */
const PLAN: ReweightingPlan = {
  averages: [{ kind: 'energy' }, { kind: 'array', name: 'mine' }],
  profiles: [
    { coordinate: { kind: 'energy' }, axis: { min: -1, max: 1, bins: 7 } },
    { coordinate: { kind: 'log-weight' }, axis: { min: -3, max: 3, bins: 3 } },
  ],
  states: [
    { name: 'low', bounds: [{ coordinate: { kind: 'energy' }, comparison: '<', value: 0 }] },
    { name: 'high', bounds: [{ coordinate: { kind: 'energy' }, comparison: '>=', value: 0 }] },
  ],
};

function block(energy: readonly number[]) {
  const n = energy.length;
  const u = Float64Array.from(energy);
  const logQ = u.map((_, i) => Math.sin(i));
  return reweightingBlock(
    { n, energy: u, logQ, logWeight: u.map((value, i) => -value - logQ[i]), arrays: { mine: u.map(Math.abs) } },
    PLAN,
  );
}

test('a block comes back bit by bit, its infinities and NaN among them', (t) => {
  const energies = fc.array(fc.oneof(fc.double({ noNaN: true }), fc.constant(INFINITE)), {
    minLength: 1,
    maxLength: 50,
  });
  fc.assert(
    fc.property(energies, (energy) => {
      const original = block(energy);
      const numbers = encodeBlock(original);
      t.is(numbers.length, blockWidth(PLAN));
      t.deepEqual(decodeBlock(numbers, PLAN), original);
      t.deepEqual(encodeBlock(decodeBlock(numbers, PLAN)), numbers);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('where all weights are zero the largest log-weight is -Infinity, and stays', (t) => {
  const original = block([INFINITE, INFINITE]);
  t.is(original.weights.maximum, Number.NEGATIVE_INFINITY);
  t.deepEqual(decodeBlock(encodeBlock(original), PLAN), original);
});

test('a decoded block shares no memory with the numbers it came from, whose room serves the next', (t) => {
  const numbers = encodeBlock(block([0.5, -0.5, 2]));
  const decoded = decodeBlock(numbers, PLAN);
  const before = structuredClone(decoded);
  numbers.fill(0);
  t.deepEqual(decoded, before);
});

test('a row of another length is no block of the plan', (t) => {
  t.throws(() => decodeBlock(new Float64Array(blockWidth(PLAN) - 1), PLAN), { message: /numbers, expected/ });
});
