// What the command line prints and writes is what the library finds.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { decodeModel } from '../../src/flows/index.js';
import { decodeNpz, encodeNpy, readInput } from '../../src/formats/index.js';
import { bennettAcceptanceRatio, exponentialAveraging, mbar } from '../../src/reweighting/index.js';
import { openSamples, openSampleWeights, reweight } from '../../src/sampling/index.js';
import { listSystems } from '../../src/systems/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { draw, normals } from '../reweighting/random.js';
import { equiflow, ownFolder, succeeds } from './command-line.js';

const estimate = ({ value, standardError }: { value: number; standardError: number }) => ({ value, standardError });

test('reweight gives averages, profiles and states as the library does; the table of profiles is the same in CSV and NPZ', async (t) => {
  const folder = await ownFolder(t);
  const at = (name: string) => join(folder, name);
  await succeeds(t, folder, 'simulate dw4 -n 400 --chains 20 --warm-up 200 --out x.npz --quiet');
  await succeeds(t, folder, 'train dw4 --data x.npz --steps 20 --batch 64 --out m.safetensors --quiet');
  await succeeds(t, folder, 'sample m.safetensors -n 5000 --seed 3 --out s.npz --quiet');
  const question = 'reweight s.npz --observable rg --profile rg:8 d:6:0,9 --states rg<2.2 2.2<=rg --quiet';
  const printed = JSON.parse(await succeeds(t, folder, `${question} --json --out p.csv`));
  await succeeds(t, folder, `${question} --out p.npz`);

  const pool = new WorkerPool({ workers: 1 });
  t.teardown(() => pool.close());
  const { logQ, energy } = await openSampleWeights(at('s.npz'));
  const x = await (await openSamples(at('s.npz'))).array('x');
  const profiles = [
    { coordinate: 'rg', bins: 8 },
    { coordinate: 'd', bins: 6, range: [0, 9] as const },
  ];
  const found = await reweight(
    { logQ, energy, ...(x === undefined ? {} : { x }) },
    { averages: ['rg'], profiles, states: ['rg<2.2', '2.2<=rg'] },
    pool,
  );
  t.deepEqual(printed.observables, [
    { coordinate: 'rg', ...estimate(found.averages[0]), plain: estimate(found.averages[0].plain) },
  ]);
  const states = found.states.map(({ state, population, plain, difference }) => ({
    state,
    population: { ...estimate(population), ess: population.diagnostics.ess },
    plain: estimate(plain),
    freeEnergy: { ...estimate(difference), status: difference.status },
  }));
  t.deepEqual(printed.states, JSON.parse(JSON.stringify(states)));
  t.true(Math.abs(states[0].population.value + states[1].population.value - 1) < 1e-12);

  const { arrays } = decodeNpz(await readInput(at('p.npz')), 'p.npz');
  const [head, ...rows] = (await readFile(at('p.csv'), 'utf8')).trimEnd().split('\n');
  const columns = head.split(',').slice(3);
  t.is(rows.length, 8 + 6);
  for (const [k, { coordinate, edges, density, freeEnergy }] of found.profiles.entries()) {
    t.deepEqual(printed.profiles[k].edges, [...edges]);
    t.deepEqual(printed.profiles[k].density, [...density]);
    t.deepEqual(arrays.get(`${coordinate}.edges`)?.data, edges);
    t.deepEqual(arrays.get(`${coordinate}.freeEnergy`)?.data, freeEnergy);
    const own = rows.map((row) => row.split(',')).filter(([name]) => name === coordinate);
    t.deepEqual(
      own.map(([, from, to]) => [Number(from), Number(to)]),
      Array.from(density, (_, bin) => [edges[bin], edges[bin + 1]]),
    );
    for (const [c, column] of columns.entries()) {
      t.deepEqual(
        own.map((row) => Number(row[3 + c])),
        [...(arrays.get(`${coordinate}.${column}`)?.data ?? [])],
        column,
      );
    }
  }
});

test('free energies from arrays of other programs are those of the library', async (t) => {
  const folder = await ownFolder(t);
  const write = (name: string, shape: number[], data: Float64Array) =>
    writeFile(join(folder, name), encodeNpy({ shape, data }));
  // Gaussian work that obeys Crooks, ΔF = 2.
  const forward = draw(400, normals(1)).map((z) => 2 + 0.5 + z);
  const reverse = draw(300, normals(2)).map((z) => -2 + 0.5 + z);
  await write('forward.npy', [400], forward);
  await write('reverse.npy', [300], reverse);
  const both = JSON.parse(await succeeds(t, folder, 'free-energy --work forward.npy --reverse reverse.npy --json'));
  t.like(both.bar, estimate(bennettAcceptanceRatio(forward, reverse)));
  t.like(both.reverse, estimate(exponentialAveraging(reverse, { direction: 'reverse' })));
  const one = JSON.parse(await succeeds(t, folder, 'free-energy --work forward.npy --json'));
  t.like(one.forward, estimate(exponentialAveraging(forward)));
  t.is(one.bar, undefined);

  const counts = [200, 150];
  const x = draw(350, normals(3)).map((z, i) => (i < 200 ? z : 0.7 + z / 2));
  const energies = [x.map((v) => v ** 2 / 2), x.map((v) => 2 * (v - 0.7) ** 2)];
  await write('energies.npy', [2, 350], Float64Array.from([...energies[0], ...energies[1]]));
  await write('x.npy', [350], x);
  const line = 'free-energy --energies energies.npy --counts 200,150 --observable position=x.npy';
  const printed = JSON.parse(await succeeds(t, folder, `${line} --json`));
  const result = mbar(energies, counts);
  t.like(printed.states[1].freeEnergy, estimate(result.difference(0, 1)));
  t.deepEqual(
    printed.observables.map(({ averages }: { averages: { value: number }[] }) => averages.map(({ value }) => value)),
    [[0, 1].map((k) => result.average(x, k).value)],
  );
  t.regex(await succeeds(t, folder, line), /position/);
});

test('free energies are predicted for systems of one’s own, named by their files as everywhere', async (t) => {
  const folder = await ownFolder(t);
  const trap = (stiffness: number) =>
    JSON.stringify({ name: 'pair', particles: 2, dimensions: 2, terms: [{ kind: 'trap', stiffness }] });
  await writeFile(join(folder, 'soft.json'), trap(1));
  await writeFile(join(folder, 'stiff.json'), trap(1.5));
  await succeeds(t, folder, 'simulate soft.json -n 8000 --warm-up 200 --out soft.npz --quiet');
  const line = 'free-energy soft.npz --target stiff.json --target soft.json@0.8 --json --quiet';
  const { states } = JSON.parse(await succeeds(t, folder, line));
  // (N−1)D = 2 harmonic modes: Z goes with kT / stiffness. Five standard errors are passed once in a million by chance.
  for (const [k, exact] of [
    [1, Math.log(1.5)],
    [2, -Math.log(0.8)],
  ]) {
    const { value, standardError } = states[k].freeEnergy;
    t.true(
      Math.abs(value - exact) < 5 * standardError && standardError < 0.05,
      `${value} ± ${standardError}, ${exact}`,
    );
  }
});

test('training takes the temperature of its data, and says where data and model do not go together', async (t) => {
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw2 -n 64 --kT 0.7 --warm-up 100 --out x.npz --quiet');
  const train = async (system: string, options = '') => {
    const text = await succeeds(t, folder, `train ${system} --steps 1 --out m.safetensors --json --quiet${options}`);
    const { generator } = decodeModel(await readFile(join(folder, 'm.safetensors')), 'm');
    return { kT: generator.prior.kT, notes: JSON.parse(text).notes as string[] };
  };
  t.deepEqual(await train('dw2', ' --data x.npz'), { kT: 0.7, notes: [] });
  const other = await train('dw2', ' --data x.npz --kT 1.5');
  t.is(other.kT, 1.5);
  t.deepEqual(other.notes, ['x.npz has configurations at kT = 0.7, and this is a model for kT = 1.5']);

  // What the manifest says survives a selection, in a file beside the text as well.
  await succeeds(t, folder, 'export x.npz --count 40 --out x.extxyz');
  t.is((await train('dw2', ' --data x.extxyz')).kT, 0.7);

  const lj = 'simulate lj13:pairFactor=1 -n 64 --warm-up 20 --stride 2 --out lj.npz --quiet';
  await succeeds(t, folder, lj);
  const { notes } = await train('lj13:pairFactor=2', ' --data lj.npz');
  t.deepEqual(notes, ['lj.npz has configurations of lj13:pairFactor=1, and this is a model of lj13:pairFactor=2']);
  const text = await succeeds(t, folder, 'train lj13:pairFactor=2 --data lj.npz --steps 1 --out m.safetensors --quiet');
  t.true(text.includes(`\n  ${notes[0]}\n`));

  // Arrays of other programs say nothing, and kT is 1.
  await writeFile(join(folder, 'x.npy'), encodeNpy({ shape: [8, 4], data: Float64Array.from(draw(32, normals(5))) }));
  t.deepEqual(await train('dw2', ' --data x.npy'), { kT: 1, notes: [] });
});

test('a page names the command that makes it again', async (t) => {
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw2 -n 64 --warm-up 100 --out x.npz --quiet');
  await succeeds(t, folder, 'train dw2 --data x.npz --steps 1 --out m.safetensors --quiet');
  await succeeds(t, folder, 'sample m.safetensors -n 200 --out s.npz --quiet');
  await succeeds(t, folder, 'report s.npz --kT 1.1 --states rg<2 rg>=2 --workers 1 --out=page.html --quiet');
  const page = await readFile(join(folder, 'page.html'), 'utf8');
  t.true(
    page.includes('<code>equiflow report s.npz --kT 1.1 --states &#39;rg&lt;2&#39; &#39;rg&gt;=2&#39;</code>'),
    page.match(/<code>.*<\/code>/)?.[0],
  );
});

test('a reader that has seen enough of the progress does not end the work', async (t) => {
  const folder = await ownFolder(t);
  const { code, stdout } = await equiflow(
    folder,
    'simulate dw2 -n 640 --warm-up 2000 --out x.npz'.split(' '),
    (child) => child.stderr?.destroy(),
  );
  t.is(code, 0);
  t.regex(stdout, /^x\.npz: 640 configurations/);
});

test('the list of systems has every preset with its variants and what is known of them', async (t) => {
  const folder = await ownFolder(t);
  const text = await succeeds(t, folder, 'systems');
  for (const { name, particles, options, variants } of listSystems()) {
    t.true(text.includes(`${name}: ${particles} particles`));
    for (const option of options) t.true(text.includes(`option ${option.name} `), option.name);
    for (const { spec, system } of variants) {
      t.true(text.includes(`  ${spec}  in ${system.dimensions} dimensions: ${system.convention}`), spec);
      const { logZ } = system.known;
      if (logZ !== undefined) t.true(text.includes(`log Z ${logZ.value}`), spec);
    }
  }
  const names = JSON.parse(await succeeds(t, folder, 'systems --json')).map(({ name }: { name: string }) => name);
  t.deepEqual(
    names,
    listSystems().map(({ name }) => name),
  );
});

test('a model remembers its training: its report has the curves of the record beside it', async (t) => {
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw2 -n 100 --chains 10 --warm-up 100 --out x.npz --quiet');
  const options = '--steps 40 --batch 16 --validation-interval 10';
  await succeeds(t, folder, `train dw2 --data x.npz ${options} --out m.safetensors --quiet`);
  t.is(await succeeds(t, folder, 'report m.safetensors --out model.html'), 'model.html: training of m.safetensors\n');
  await succeeds(t, folder, 'report m.safetensors.training.jsonl --out record.html');
  const figures = async (name: string) => (await readFile(join(folder, name), 'utf8')).match(/<svg /g)?.length ?? 0;
  t.true((await figures('model.html')) >= 1);
  t.true((await figures('record.html')) >= (await figures('model.html')));
});
