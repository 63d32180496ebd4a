import test from 'ava';
import { DataError } from '../../src/errors.js';
import {
  parseTrainingRecord,
  renderSampleReport,
  renderTrainingReport,
  reportProfiles,
} from '../../src/report/index.js';
import { arrayInMemory, type ReweightingSamples, reweight, sample, vectorInMemory } from '../../src/sampling/index.js';
import { openPool, untrained } from '../sampling/generators.js';

async function page(samples: ReweightingSamples, pool: ReturnType<typeof openPool>): Promise<string> {
  const positions = samples.x !== undefined;
  const coordinates = positions ? ['rg', 'd0-1'] : ['energy'];
  const profiles = [...reportProfiles(positions), ...coordinates.map((coordinate) => ({ coordinate }))];
  const states = positions ? ['rg<2', 'rg>=2'] : [];
  const reweighting = await reweight(samples, { profiles, states, averages: positions ? ['rg'] : [] }, pool);
  const dimensions = positions ? { dimensions: 2 } : {};
  const command = 'equiflow report a';
  return renderSampleReport({
    name: 'a<b>.npz',
    command,
    target: 'dw4',
    kT: 1,
    coordinates,
    reweighting,
    ...dimensions,
  });
}

const count = (text: string, part: string) => text.split(part).length - 1;

test('a page of samples stands alone, is the same each time, and draws every figure', async (t) => {
  const pool = openPool(t, 2);
  const { x, energy, logQ, n } = await sample(untrained(4), { n: 6000, seed: 2 }, pool);
  const samples = {
    energy: vectorInMemory({ data: energy }),
    logQ: vectorInMemory({ data: logQ }),
    x: arrayInMemory({ shape: [n, 4, 2], data: x }),
  };
  const html = await page(samples, pool);
  t.is(await page(samples, pool), html);
  // Energies, distances, weights, ESS, two profiles, log Z.
  t.is(count(html, '<svg'), 7);
  t.false(/(?:src|href)="(?!#)|url\((?!#)|<script/.test(html), 'nothing is fetched or run');
  t.false(html.includes('NaN') || html.includes('undefined'));
  t.true(html.includes('a&lt;b&gt;.npz') && !html.includes('a<b>'));
  for (const text of ['log Z', 'Population of rg&lt;2', '⟨rg⟩', 'as drawn', 'g(d)', 'verdict'])
    t.true(html.includes(text), text);
});

test('samples without positions, and weights that one sample decides, have a page too', async (t) => {
  const pool = openPool(t, 1);
  const logQ = new Float64Array(100);
  const energy = Float64Array.from({ length: 100 }, (_, i) => i);
  energy[3] = -500;
  energy[4] = Number.POSITIVE_INFINITY;
  const html = await page({ energy: vectorInMemory({ data: energy }), logQ: vectorInMemory({ data: logQ }) }, pool);
  t.is(count(html, '<svg'), 5);
  t.true(html.includes('class="verdict fails"'));
  t.false(html.includes('NaN') || html.includes('Infinity'));
});

test('a training record is every number against its step, nested ones too, up to a line cut off by a kill', async (t) => {
  const lines = [
    '{"kind": "header", "seed": 1}',
    '{"step": 1, "loss": {"nll": 3, "kl": 1}, "gradientNorm": 2}',
    '',
  ].concat([
    '{"step": 2, "loss": {"nll": 2.5, "kl": null}, "gradientNorm": 1, "validationNll": 2.4}',
    '{"step": 3, "lo',
  ]);
  const curves = parseTrainingRecord(lines.join('\n'), 'r.jsonl');
  t.deepEqual(Object.fromEntries(curves), {
    'loss.nll': [
      { step: 1, value: 3 },
      { step: 2, value: 2.5 },
    ],
    'loss.kl': [{ step: 1, value: 1 }],
    gradientNorm: [
      { step: 1, value: 2 },
      { step: 2, value: 1 },
    ],
    validationNll: [{ step: 2, value: 2.4 }],
  });
  const html = await renderTrainingReport({ name: 'r.jsonl', command: "equiflow report 'a b/r.jsonl'", curves });
  // One panel for each number that changes: the other two have one value.
  t.is(count(html, '<svg'), 2);
  t.true(html.includes('gradient norm') && !html.includes('NaN'));
  t.true(html.includes('<h1>Training of r.jsonl</h1>') && html.includes('a b/r.jsonl'));
});

test('what is no training record is refused by its line', (t) => {
  const refused = (text: string, message: RegExp) =>
    t.throws(() => parseTrainingRecord(text, 'r.jsonl'), { instanceOf: DataError, message });
  refused('{"step": 1, "loss": 2}\n{"step"\n{"step": 3}', /r\.jsonl: line 2 is not JSON/);
  refused('{"step": 1}\n3', /line 2 is no object/);
  refused('{"seed": 1}', /no numbers with a step/);
});
