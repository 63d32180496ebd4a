import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { outlookFacts, outlookLines, runOutlook } from '../../src/cli/outlook.js';
import { fitShardCost, outlook, type ShardTime, shardSeconds, shardTimes } from '../../src/cluster/cost.js';
import { runStatus } from '../../src/cluster/status.js';
import { openPool } from '../sampling/generators.js';
import { doShards, ownFolder, planRun } from './runs.js';

const STARTED = '2026-01-02T03:04:05.000Z';
const START = 2;
const RATE = 1000;

/** A generator of numbers in (0, 1) with a period of 2³², enough for noise. */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** Shards of a machine with the start and the rate above, each disturbed by up to `spread` of its time. */
function measured(count: number, spread: number, seed: number, sizes = [1e4, 4e4, 1.6e5]): ShardTime[] {
  const random = noise(seed);
  return Array.from({ length: count }, (_, index) => {
    const n = sizes[index % sizes.length];
    const workers = 1 + (index % 4);
    const exact = START + n / (RATE * workers);
    return { index, n, workers, started: STARTED, seconds: exact * (1 + spread * (2 * random() - 1)) };
  });
}

test('exact times give start and rate back, over shards of any size and number of threads', (t) => {
  const cost = fitShardCost(measured(12, 0, 1))!;
  t.true(Math.abs(cost.start.value - START) < 1e-9 && Math.abs(cost.rate.value - RATE) < 1e-6);
  t.true(cost.scatter < 1e-9);
  t.true(Math.abs(shardSeconds(cost, 80_000, 2) - 42) < 1e-9);
});

test('errors of start and rate are calibrated', (t) => {
  // Over 400 seeds the squared deviation in standard errors has mean ν/(ν − 2) = 1.07 with ν = 28 degrees of freedom
  // and a standard error of about 0.08; the bounds are four of them away: false alarms below 10⁻⁴.
  const runs = 400;
  let [start, rate] = [0, 0];
  for (let seed = 1; seed <= runs; seed++) {
    const cost = fitShardCost(measured(30, 0.1, seed * 7919))!;
    start += ((cost.start.value - START) / cost.start.standardError) ** 2 / runs;
    rate += ((cost.rate.value - RATE) / cost.rate.standardError) ** 2 / runs;
  }
  t.true(start > 0.75 && start < 1.39, `start ${start}`);
  t.true(rate > 0.75 && rate < 1.39, `rate ${rate}`);
});

test('shards of one size give the rate that came out and admit that the start is unknown', (t) => {
  const cost = fitShardCost(measured(8, 0, 1, [1e4]).map((time) => ({ ...time, workers: 1, seconds: 12 })))!;
  t.is(cost.start.value, 0);
  t.is(cost.start.standardError, Number.NaN);
  t.true(Math.abs(cost.rate.value - 1e4 / 12) < 1e-9);
});

test('a start is never negative', (t) => {
  const times = [
    { n: 100, workers: 1, seconds: 0.5 },
    { n: 200, workers: 1, seconds: 2 },
    { n: 400, workers: 1, seconds: 4 },
  ];
  t.is(fitShardCost(times)!.start.value, 0);
  t.is(fitShardCost([]), undefined);
  t.is(fitShardCost(times.slice(0, 1))!.scatter, Number.NaN);
});

test('a log may have more lines than a call has room for arguments', (t) => {
  t.is(fitShardCost(measured(300_000, 0, 1))!.rate.n, 300_000);
});

test('a log is read past its torn and foreign lines', (t) => {
  const sound: ShardTime = { index: 3, n: 10, workers: 2, started: STARTED, seconds: 1.5 };
  const line = JSON.stringify({ ...sound, host: 'n1' });
  const odd = [{ seconds: 0 }, { seconds: 1e-300 }, { n: 1e308 }, { workers: 0.5 }, { index: '3' }];
  const changed = odd.map((change) => JSON.stringify({ ...sound, ...change }));
  const bad = [line.slice(0, 20), '', 'null', '7', line.replace('2026', 'x'), ...changed];
  t.deepEqual(shardTimes(`${[line, ...bad, line].join('\n')}\n`), [sound, sound]);
  t.deepEqual(shardTimes(''), []);
});

test('the outlook counts shards at work as half done and says how long the rest takes', (t) => {
  const times = measured(12, 0, 1).map((time) => ({ ...time, workers: 2, seconds: START + time.n / (2 * RATE) }));
  const some = outlook(times, { units: 1e5, shards: 10, running: 4 })!;
  // A shard of 10⁴ units takes 2 + 5 seconds on two threads; eight are left, four at a time.
  t.true(Math.abs(some.threadHours - (8 * 7 * 2) / 3600) < 1e-9);
  t.true(Math.abs(some.eta! - 14) < 1e-9);
  t.is(outlook(times, { units: 1e5, shards: 10, running: 0 })!.eta, undefined);
  t.is(outlook(times, { units: 0, shards: 0, running: 0 })!.eta, 0);
  t.is(outlook([], { units: 1e5, shards: 10, running: 4 }), undefined);
});

test('status tells the speed of the shards that are done and what is left', async (t) => {
  const opened = await planRun(await ownFolder(t), 'run', 10);
  const { run, job } = opened;
  const seen = async () => runOutlook(run, job, await runStatus(run, job));
  t.is(await seen(), undefined);
  await doShards(opened, openPool(t, 1), [2, 3, 4, 5]);
  t.true((await seen())!.cost.rate.value > 0);
  // The measured times are replaced by ones that are known: 1000 samples a second on two threads, 5000 samples a shard.
  const line = (index: number) =>
    JSON.stringify({ index, n: 5000, host: 'n', workers: 2, started: STARTED, seconds: 2.5 });
  await writeFile(join(run.folder, 'shards.log'), [2, 3, 4, 5].map((index) => `${line(index)}\n`).join(''));
  await writeFile(join(run.folder, 'shards', 'writers', '.00006.safetensors.1.abc.tmp'), '');
  const speed = (await seen())!;
  const { rate, start, threadHours, eta } = outlookFacts(speed);
  t.true(Math.abs(rate.value - 1000) < 1e-9 && rate.standardError < 1e-9 && start.value === 0);
  // Six shards are left, one of them half done, at 2.5 s on two threads, within a unit or two of rounding.
  t.true(Math.abs(threadHours - (5.5 * 5) / 3600) < 1e-4 && Math.abs(eta! - 5.5 * 2.5) < 0.1);
  const [fast, left] = outlookLines(speed, job.unit);
  t.regex(fast, /^speed {5}1000 ± .* samples a second and thread$/);
  t.is(left, 'left      28 s of one thread, about 14 s with as many shards running as now');
});
