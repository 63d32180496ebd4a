import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { type BenchRecord, readRecord } from '../../bench/record.js';

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'equiflow-bench-test-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const bench = (...args: string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { ...process.env, EQUIFLOW_PEERS: folder } });

test.serial('a quick run prints tables, says what it skips, and writes a record that can be compared', (t) => {
  const [path, tables, drawing] = ['a.json', 'a.md', 'a.svg'].map((name) => join(folder, name));
  const { stdout, stderr, status } = bench(
    'training',
    '--quick',
    '--json',
    path,
    '--markdown',
    tables,
    '--svg',
    drawing,
  );
  t.is(status, 0, stderr);
  t.regex(stdout, /correctness checks .* all passed/);
  t.regex(stdout, /\| DW4, batch 256 +\| equiflow f32 +\|/);
  t.regex(stdout, /skipped: JAX, expert, jit: not installed; npm run bench -- peers install/);
  const record = readRecord(path);
  t.deepEqual(Object.keys(record.suites), ['training']);
  t.true(record.checks.every(({ error, bound }) => error <= bound));
  t.regex(readFileSync(tables, 'utf8'), /## training/);
  t.regex(readFileSync(drawing, 'utf8'), /^<svg xmlns=/);
});

test.serial('compare exits 0 for a run and itself, and 1 if something became slower', (t) => {
  const path = join(folder, 'a.json');
  t.is(bench('compare', path, path).status, 0);
  const record = JSON.parse(readFileSync(path, 'utf8')) as BenchRecord;
  const { seconds } = record.suites.training.measurements[0];
  Object.assign(seconds, { median: 10 * seconds.median, lower: 10 * seconds.median, upper: 10 * seconds.median });
  const slow = join(folder, 'slow.json');
  writeFileSync(slow, JSON.stringify(record));
  const { status, stdout } = bench('compare', path, slow);
  t.is(status, 1);
  t.regex(stdout, /slower: training step/);
});

test('what is no record and no suite is refused by name', (t) => {
  const path = join(folder, 'other.json');
  writeFileSync(path, '{"version":1}');
  const foreign = bench('compare', path, path);
  t.is(foreign.status, 1);
  t.regex(foreign.stderr, /other\.json: not a record of/);
  t.regex(bench('compare', join(folder, 'none.json')).stderr, /none\.json/);
  const unknown = bench('speed');
  t.not(unknown.status, 0);
  t.regex(unknown.stderr, /kernels.*sampling.*training/);
});

test('peers that are not installed are listed with the way to get them', (t) => {
  const { stdout, status } = bench('peers', 'list');
  t.is(status, 0);
  t.regex(stdout, /NumPy, expert: not installed; npm run bench -- peers install/);
});
