import test from 'ava';
import { DataError, UnavailableError } from '../../src/errors.js';
import type { ExperimentRecord } from '../../src/experiment/record.js';
import { recordJson, renderReport } from '../../src/report/index.js';
import { loadDrawing } from '../../src/report/vega.js';
import { failedRecord, syntheticRecord } from './synthetic-record.js';

const record = syntheticRecord(600);
const failed = failedRecord();
const [good, bad] = await Promise.all([renderReport(record), renderReport(failed)]);
const pages = { good, bad };

const VOID = new Set(['meta', 'br', 'link', 'img', 'hr', 'input']);

/** Tags that are opened and not closed, or closed and not open. */
function unbalanced(page: string): string[] {
  const open: string[] = [];
  const faults: string[] = [];
  for (const [, close, name, selfClosing] of page.matchAll(/<(\/?)([a-zA-Z][\w-]*)(?:"[^"]*"|[^">])*?(\/?)>/g)) {
    if (VOID.has(name) || selfClosing) continue;
    if (!close) open.push(name);
    else if (open.pop() !== name) faults.push(name);
  }
  return [...faults, ...open];
}

/** What a reader sees, and what scripts and attributes hold apart from style. */
function text(page: string): string {
  return page.replace(/<style>.*?<\/style>/s, '').replace(/<[^>]*>/g, ' ');
}

for (const [name, page] of Object.entries(pages)) {
  test(`the page is well formed and needs nothing beside it (${name})`, (t) => {
    t.deepEqual(unbalanced(page), []);
    t.notRegex(page, /https?:|\/\/[a-z]|src=|href=|@import|<script/i);
    for (const [, target] of page.matchAll(/url\(([^)]*)\)/g)) t.true(page.includes(`id="${target.slice(1)}"`), target);
    const ids = [...page.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
    t.is(new Set(ids).size, ids.length);
  });

  test(`no trace of a missing number or field reaches the reader (${name})`, (t) => {
    t.notRegex(page.replace(/<style>.*?<\/style>/s, ''), /undefined|NaN|Infinity|\[object|null/);
  });

  test(`every figure and panel is there (${name})`, (t) => {
    for (let figure = 1; figure <= 6; figure++) t.true(page.includes(`id="figure-${figure}"`), `figure ${figure}`);
    // Figures 1 and 4 have three drawings each, the first one the pair potential as well.
    t.is([...page.matchAll(/<svg /g)].length, 4 + 1 + 1 + 3 + 1 + 1);
    for (const panel of ['(a)', '(b)', '(c)', '(d)', '(e)', '(f)', '(g)', '(h)']) {
      t.regex(text(page), new RegExp(`\\${panel.slice(0, -1)}\\)  ?\\S`), panel);
    }
  });

  test(`type in the figures is at least 12 px (${name})`, (t) => {
    const sizes = [...page.matchAll(/font-size="(\d+)px"/g)].map(([, size]) => Number(size));
    t.true(sizes.length > 100);
    t.true(Math.min(...sizes) >= 12);
  });
}

test('numbers stand in the page with their errors, beside the known ones', (t) => {
  for (const number of ['29.6845(5)', '7.141(2)', '24.77(2)', '9.230(12)', '48.3(4) %', '64.0(5) %', '36.4(9) %']) {
    t.true(good.includes(number), number);
  }
  t.true(good.includes('equiflow paper --seed 1 --claim-seeds 5 --out runs/paper'));
  t.true(good.includes('kept samples of nBG reach 2 and kept samples of eqBG reach 5'));
  t.regex(good, /1\d % of the eqBG samples lie beyond it/);
});

test('every ensemble has its distance from equilibrium, what chance would show, and whether the two differ', (t) => {
  const table = /Table 2\..*?<\/table>/s.exec(good)?.[0] ?? '';
  const rows = [...table.matchAll(/<tr><td class="name">.*?<\/tr>/gs)].map(([row]) =>
    text(row)
      .split(/\s{2,}/)
      .slice(1, -1),
  );
  // Of each training set the data, and both generators as drawn and reweighted; the prior.
  t.is(rows.length, 2 * (1 + 2 * 2) + 1);
  t.deepEqual(rows.at(-1), ['Control', 'prior', '3.992(11)', '0.031(9)', 'yes', '0.399(11)', '0.031(9)', 'yes']);
  const [data] = rows.filter(([set]) => set === 'Equilibrium data');
  t.deepEqual(data.slice(1), ['data', '0.040(11)', '0.031(9)', 'no', '0.004(11)', '0.031(9)', 'no']);
});

test('a failed experiment says so', (t) => {
  t.true(bad.includes('The claim does not hold'));
  t.true(bad.includes('class="verdict fails"'));
  t.true(bad.includes('no sample of nBG is kept and no sample of eqBG is kept'));
  t.true(bad.includes('100 % of the nBG samples and 100 % of the eqBG samples lie beyond it'));
  t.true(bad.includes('Configurations too wide for their cell are drawn at a smaller scale'));
});

test('text of the record is escaped wherever it goes', async (t) => {
  const evil = '<b title="x">&\'';
  const page = await renderReport({
    ...record,
    notes: [evil],
    settings: { [evil]: evil },
    trainingSets: record.trainingSets.map((set) => ({ ...set, title: evil, description: evil })),
    system: { ...record.system, name: evil, convention: evil },
    claim: { ...record.claim, statement: evil },
  });
  t.false(page.includes('<b title'));
  t.deepEqual(unbalanced(page), []);
});

test('the record survives JSON, with null for numbers that are not finite', (t) => {
  t.deepEqual(JSON.parse(recordJson(record)), record);
  const back = JSON.parse(recordJson(failed)) as ExperimentRecord;
  t.is(back.runs[0].weights.logZ.value, null as unknown as number);
  t.deepEqual(back.runs[0].view.configurations, failed.runs[0].view.configurations);
});

test('the same record gives the same page', async (t) => {
  t.true((await renderReport(record)) === good);
});

test('a record that cannot be drawn is refused by the name of what it lacks', async (t) => {
  const spatial = { ...record, system: { ...record.system, dimensions: 3 } };
  await t.throwsAsync(renderReport(spatial), { instanceOf: DataError, message: /dimensions is 3, expected 2/ });
  const halved = { ...record, runs: record.runs.filter(({ label }) => label === 'eqBG') };
  await t.throwsAsync(renderReport(halved), { instanceOf: DataError, message: /no nBG for training set biased/ });
  await t.throwsAsync(renderReport({ ...record, trainingSets: [] }), { instanceOf: DataError });
});

test('without vega the error says how to get it and exits with 69', async (t) => {
  const error = await t.throwsAsync(
    loadDrawing(() => Promise.reject(new Error('Cannot find package'))),
    { instanceOf: UnavailableError, message: /npm install vega vega-lite/ },
  );
  t.is(error?.exitCode, 69);
});
