import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { withResults } from '../../bench/document.js';
import type { Measurement } from '../../bench/measurement.js';
import type { BenchRecord } from '../../bench/record.js';
import { SUITES } from '../../bench/suites/index.js';

function record(suite: string, median: number): BenchRecord {
  const seconds = { fastest: median, lower: median, median, upper: median, samples: 9 };
  const measurement: Measurement = { group: 'work', subject: 'DW4', contender: 'equiflow', unit: 'sample', seconds };
  const machine = { cpu: 'test', cores: 2, platform: 'linux', arch: 'x64', node: 'v20', load: 0 };
  const suites = {
    [suite]: { measurements: [measurement], notes: ['a note'], skipped: [{ what: 'C', why: 'no gcc' }] },
  };
  return { version: 1, machine, date: '2026-11-26T', quick: false, peak: { f32: 6e10, f64: 3e10 }, checks: [], suites };
}

const DOCUMENT = `# Title
<!-- bench: machine -->
old machine
<!-- bench: end -->
Before.
<!-- bench: sampling -->
old table
<!-- bench: end -->
Between.
<!-- bench: training -->
old training
<!-- bench: end -->
After.
`;

test('results go between their marks, and everything else stays', (t) => {
  const filled = withResults(DOCUMENT, [record('sampling', 1e-6)]);
  t.regex(filled, /\| DW4 +\| equiflow +\| 1\.00 µs\/sample \|/);
  t.regex(filled, /- a note\n- skipped: C: no gcc\n\n<!-- bench: end -->\nBetween\./);
  t.regex(filled, /test, 2 cores.*; 2026-11-26\. Peak/);
  t.notRegex(filled, /old table|old machine/);
  t.regex(filled, /^# Title\n[\s\S]*\nBefore\.\n[\s\S]*old training[\s\S]*\nAfter\.\n$/);
  t.is(withResults(filled, [record('sampling', 1e-6)]), filled);
});

test('of two records of a suite the later counts', (t) => {
  const filled = withResults(DOCUMENT, [record('sampling', 1e-6), record('training', 1), record('sampling', 2e-6)]);
  t.regex(filled, /2\.00 µs\/sample/);
  t.notRegex(filled, /1\.00 µs\/sample|old training/);
});

test('a suite without a place is an error', (t) => {
  t.throws(() => withResults(DOCUMENT, [record('mcmc', 1)]), { message: /<!-- bench: mcmc -->/ });
});

test('docs/benchmarks.md has a place for every suite that runs by default', (t) => {
  const document = readFileSync(fileURLToPath(new URL('../../../docs/benchmarks.md', import.meta.url)), 'utf8');
  for (const { name } of SUITES.filter(({ onRequest }) => !onRequest))
    t.true(document.includes(`<!-- bench: ${name} -->`), name);
});
