import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { makeCase } from '../../bench/cases.js';
import { type Check, failures } from '../../bench/checks.js';
import { Contest } from '../../bench/peers/contest.js';
import { exportCase } from '../../bench/peers/export.js';
import type { Peer } from '../../bench/peers/registry.js';
import { PeerSession } from '../../bench/peers/session.js';
import { encodeNpz } from '../../src/formats/index.js';

const c = makeCase('DW4', 'dw4', 16);
const folder = mkdtempSync(join(tmpdir(), 'equiflow-contest-test-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** A peer in JavaScript whose results stand ready in a file, with `add` on its first log q; every call takes it 1 ms a step. */
function peer(name: string, add: number): Peer {
  const { x, logQ } = exportCase(c).reference;
  const shifted = logQ.map((value, i) => (i === 0 ? value + add : value));
  const bytes = encodeNpz(
    new Map([
      ['x', { shape: [x.length], data: x }],
      ['logQ', { shape: [logQ.length], data: shifted }],
    ]),
  );
  const results = join(folder, `${name}.npz`);
  writeFileSync(results, bytes);
  const program = `
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { do: what, steps } = JSON.parse(line);
      if (what === 'check') require('node:fs').copyFileSync(${JSON.stringify(results)}, process.argv[1] + '/${name}.npz');
      const seconds = 1e-3 * (steps ?? 20);
      console.log(JSON.stringify(what === 'check' ? { file: '${name}.npz' } : { wall: seconds, cpu: seconds }));
    });`;
  const start = (_threads: number, at: string) => new PeerSession(process.execPath, ['-e', program, at]);
  return { name, title: name, tasks: ['sample'], missing: () => undefined, start };
}

test('a peer with a wrong result is not timed, and it is said what is wrong; one that is right takes part', async (t) => {
  const contest = new Contest([peer('right', 0), peer('wrong', 0.1), peer('nan', Number.NaN)]);
  try {
    const contenders = await contest.contenders('sample', c);
    t.deepEqual(
      contenders.map(({ name }) => name),
      ['right, 1 thread'],
    );
    t.deepEqual(
      contest.skipped.map(({ what }) => what),
      ['wrong, 1 thread: DW4 sample', 'nan, 1 thread: DW4 sample'],
    );
    for (const { why } of contest.skipped) t.regex(why, /wrong logQ: error/);
    // 16 samples in 20 steps of a millisecond
    const { cpu } = await contenders[0].call();
    t.true(Math.abs(cpu / contenders[0].units - 0.02 / 16) < 1e-12);
  } finally {
    contest.close();
  }
});

test('our own results fail a check when they are beyond its bound or no number', (t) => {
  const check = (name: string, error: number): Check => ({ name, error, bound: 1e-4 });
  const found = failures([check('good', 1e-5), check('bad', 1e-3), check('nan', Number.NaN)]);
  t.deepEqual(
    found.map(({ name }) => name),
    ['bad', 'nan'],
  );
});
