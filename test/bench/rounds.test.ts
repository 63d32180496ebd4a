import test from 'ava';
import { type Contender, inProcess, takeTurns } from '../../bench/rounds.js';

function scripted(name: string, order: string[], times: readonly number[]): Contender {
  let call = 0;
  const next = () => {
    order.push(name);
    const time = times[Math.min(call++, times.length - 1)];
    return { wall: 10 * time, cpu: time };
  };
  return { name, units: 2, call: next };
}

test('contenders take turns after one call each that does not count', async (t) => {
  const order: string[] = [];
  const contenders = [scripted('a', order, [100, 2, 4, 6]), scripted('b', order, [100, 8, 8, 8])];
  const [a, b] = await takeTurns(contenders, { least: 3, most: 3, seconds: 0 });
  t.is(order.join(''), 'abababab');
  t.is(a.median, 2);
  t.is(b.median, 4);
  t.is(a.samples, 3);
});

test('by the clock, wall time counts', async (t) => {
  const [timing] = await takeTurns([scripted('a', [], [3])], { least: 3, most: 3, seconds: 0 }, true);
  t.is(timing.median, 15);
});

test('a slow contender sits out when its time is spent, the others go on', async (t) => {
  const slow: Contender = {
    name: 'slow',
    units: 1,
    call: async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return { wall: 1, cpu: 1 };
    },
  };
  const [slowTiming, fastTiming] = await takeTurns([slow, scripted('fast', [], [1])], {
    least: 2,
    most: 6,
    seconds: 0.1,
  });
  t.is(slowTiming.samples, 2);
  t.is(fastTiming.samples, 6);
});

test('a body that is too short for a clock is repeated, and its time is that of one call', async (t) => {
  let calls = 0;
  const { call } = inProcess('short', 1, () => {
    calls++;
  });
  await call();
  const before = calls;
  const { wall } = await call();
  t.true(calls - before > 100);
  t.true(wall < 1e-3);
});
