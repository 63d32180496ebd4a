import test from 'ava';
import { compareRecords, comparisonText, isRegression } from '../../bench/compare.js';
import type { Measurement } from '../../bench/measurement.js';
import type { BenchRecord } from '../../bench/record.js';

const machine = { cpu: 'test', cores: 2, platform: 'linux', arch: 'x64', node: 'v20', load: 0 };

interface Given {
  readonly median: number;
  /** Half the interquartile range over the median. */
  readonly spread?: number;
  readonly clock?: true;
  readonly peer?: true;
}

function measurement(contender: string, { median, spread = 0.01, clock, peer }: Given): Measurement {
  const seconds = { fastest: median, lower: median * (1 - spread), median, upper: median * (1 + spread), samples: 9 };
  const flags = { ...(clock ? { clock } : {}), ...(peer ? { peer } : {}) };
  return { group: 'g', subject: 's', contender, unit: 'sample', seconds, ...flags };
}

function record(rows: Readonly<Record<string, Given>>, peak = 6e10): BenchRecord {
  const measurements = Object.entries(rows).map(([name, given]) => measurement(name, given));
  const suites = { sampling: { measurements, notes: [], skipped: [] } };
  return { version: 1, machine, date: '', quick: false, peak: { f32: peak, f64: peak / 2 }, checks: [], suites };
}

const verdictOf = (before: Given, after: Given, peaks: readonly [number, number] = [6e10, 6e10]) =>
  compareRecords(record({ a: before }, peaks[0]), record({ a: after }, peaks[1])).comparisons[0].verdict;

test('a change within the noise of either run is no verdict, beyond it is one', (t) => {
  t.is(verdictOf({ median: 1 }, { median: 1.04 }), 'same');
  t.is(verdictOf({ median: 1 }, { median: 1.08 }), 'slower');
  t.is(verdictOf({ median: 1 }, { median: 0.9 }), 'faster');
  t.is(verdictOf({ median: 1, spread: 0.05 }, { median: 1.15 }), 'same');
  t.is(verdictOf({ median: 1 }, { median: 1.15, spread: 0.05 }), 'same');
  t.is(verdictOf({ median: 1, spread: 0.05 }, { median: 1.3 }), 'slower');
});

test('times by the clock are allowed more', (t) => {
  t.is(verdictOf({ median: 1, clock: true }, { median: 1.15, clock: true }), 'same');
  t.is(verdictOf({ median: 1, clock: true }, { median: 1.3, clock: true }), 'slower');
});

test('a machine at half the speed is no regression, and does not hide one', (t) => {
  t.is(verdictOf({ median: 1 }, { median: 2 }, [6e10, 3e10]), 'same');
  t.is(verdictOf({ median: 1 }, { median: 1 }, [3e10, 6e10]), 'slower');
});

test('peers are not judged, and what is missing is said', (t) => {
  const before = record({ ours: { median: 1 }, gone: { median: 1 }, peer: { median: 1, peer: true } });
  const report = compareRecords(before, record({ ours: { median: 1 }, peer: { median: 5, peer: true } }));
  t.false(isRegression(report));
  t.deepEqual(
    report.comparisons.map(({ key }) => key),
    ['g | s | ours'],
  );
  t.deepEqual(report.missing, ['g | s | gone']);
  t.regex(comparisonText(report), /1 of 1 measurements are the same.*\n.*Not measured this time: 1/);
});

test('a regression names what became slower, by how much, and the noise', (t) => {
  const report = compareRecords(record({ a: { median: 1 } }), record({ a: { median: 1.5 } }));
  t.true(isRegression(report));
  t.regex(comparisonText(report), /slower: g \| s \| a: \+50\.0 % \(noise ±6 %\), 1\.00 s\/sample → 1\.50 s\/sample/);
});
