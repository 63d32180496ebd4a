import test from 'ava';
import { chartSpec } from '../../bench/chart.js';
import type { Measurement } from '../../bench/measurement.js';
import { markdownTables } from '../../bench/table.js';

function row(subject: string, contender: string, median: number): Measurement {
  const seconds = { fastest: median, lower: 0.9 * median, median, upper: 1.1 * median, samples: 5 };
  return { group: 'sampling', subject, contender, unit: 'sample', seconds };
}

const ROWS = [
  row('DW4', 'equiflow', 1e-6),
  row('DW4', 'PyTorch', 4e-5),
  row('DW4', 'C', 5e-7),
  row('LJ13', 'equiflow', 1e-5),
];

test('a table compares every contender with the first of its subject', (t) => {
  const lines = markdownTables(ROWS).split('\n');
  t.is(lines[0], '**sampling**');
  const cells = lines.slice(4, 8).map((line) => line.split('|').map((cell) => cell.trim()));
  t.deepEqual(cells[0].slice(1, 7), ['DW4', 'equiflow', '1.00 µs/sample', '±10 %', '1,000,000', '']);
  t.deepEqual(cells[1].slice(1, 7), ['', 'PyTorch', '40.0 µs/sample', '±10 %', '25,000', '40.0× the time']);
  t.is(cells[2][6], '2.00× as fast');
  t.is(cells[3][1], 'LJ13');
});

test('all rows of a table are of one width', (t) => {
  const widths = markdownTables(ROWS)
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) => line.length);
  t.is(new Set(widths).size, 1);
});

test('the chart has a panel for every contest, and none for who stands alone', (t) => {
  const { vconcat } = chartSpec(ROWS) as { vconcat: { title: { text: string }; data: { values: unknown[] } }[] };
  t.deepEqual(
    vconcat.map(({ title, data }) => [title.text, data.values.length]),
    [['DW4', 3]],
  );
});
