import test from 'ava';
import { UsageError } from '../../src/errors.js';
import { membersOf, parseState } from '../../src/reweighting/states.js';

const VALUES = [1, 2, 2.5, 3, 4];

/** Indices of the values that are in a state. */
function members(text: string): number[] {
  const s = Float64Array.from(VALUES);
  const state = parseState(text, ['s']);
  const none = new Float64Array(s.length);
  const found = membersOf(state, { n: s.length, energy: none, logWeight: none, arrays: { s } });
  return VALUES.filter((_, i) => found[i] === 1);
}

test('every comparison holds where it says, from either side, and bounds are joined', (t) => {
  t.deepEqual(members('s<2'), [1]);
  t.deepEqual(members('s<=2'), [1, 2]);
  t.deepEqual(members('s>3'), [4]);
  t.deepEqual(members('s>=3'), [3, 4]);
  t.deepEqual(members('s=2.5'), [2.5]);
  t.deepEqual(members('2<s'), [2.5, 3, 4]);
  t.deepEqual(members('2<=s<3'), [2, 2.5]);
  t.deepEqual(members('2<s<=3'), [2.5, 3]);
  t.deepEqual(members(' s > 1 & s < 4 & s <= 2.5 '), [2, 2.5]);
});

test('what is no state is refused by its text', (t) => {
  for (const text of ['', 's', 's<', '<2', 's==2', 's<two', 's<2 &']) {
    const error = t.throws(() => members(text), { instanceOf: UsageError }, text);
    t.true(
      error.message.includes(text.trim() === '' ? 'state' : text) || /coordinate/.test(error.message),
      error.message,
    );
  }
  t.throws(() => parseState('d<2'), { instanceOf: UsageError, message: /d has a value for every pair/ });
});
