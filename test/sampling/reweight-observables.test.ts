import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { DataError, UsageError } from '../../src/errors.js';
import { encodeNpy } from '../../src/formats/index.js';
import {
  freeEnergyProfile,
  importanceWeights,
  pairDistance,
  radiusOfGyration,
  stateFreeEnergyDifference,
  weightedMean,
} from '../../src/reweighting/index.js';
import {
  arrayInMemory,
  openSamples,
  type ReweightingSamples,
  reweight,
  sample,
  sampleProvenance,
  vectorInMemory,
  writeSampleSet,
} from '../../src/sampling/index.js';
import { EnergyEvaluator, systemFromSpec } from '../../src/systems/index.js';
import { openPool, ownFolder, untrained } from './generators.js';

const SHAPE = { particles: 4, dimensions: 2 };

async function drawn(pool: ReturnType<typeof openPool>, n: number) {
  const set = await sample(untrained(4), { n, seed: 2 }, pool);
  const samples: ReweightingSamples = {
    energy: vectorInMemory({ data: set.energy }),
    logQ: vectorInMemory({ data: set.logQ }),
    x: arrayInMemory({ shape: [n, 4, 2], data: set.x }),
    arrays: { mine: vectorInMemory({ data: set.energy.map((u, i) => Math.sin(i) + u / 10) }) },
  };
  return { set, samples };
}

const QUESTION = {
  averages: ['energy', 'rg', 'd', 'd0-1', 'short@4', 'mine'],
  profiles: [
    { coordinate: 'rg', bins: 20 },
    { coordinate: 'd0-1', bins: 7, range: [2, 6], reference: 4 } as const,
    { coordinate: 'd' },
    { coordinate: 'short@4' },
  ],
  states: ['rg<2', '2<=rg<3', 'rg>=3'],
};

test('any number of workers gives the same bits', async (t) => {
  const { samples } = await drawn(openPool(t, 2), 150_001);
  const [one, two, three] = await Promise.all(
    [1, 2, 3].map((workers) => reweight(samples, QUESTION, openPool(t, workers))),
  );
  t.deepEqual(two, one);
  t.deepEqual(three, one);
});

test('a million samples at bounded memory, with the bits of any number of workers', async (t) => {
  const script = fileURLToPath(new URL('reweight-process.js', import.meta.url));
  const run = async (workers: number) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, '1000000', String(workers)]);
    return JSON.parse(stdout) as { found: string; kilobytes: number };
  };
  const one = await run(1);
  const two = await run(2);
  t.is(one.found, two.found);
  // The configurations alone are 660 MB.
  for (const { kilobytes } of [one, two]) t.true(kilobytes < 500_000, `${kilobytes} kB`);
  t.is(JSON.parse(one.found).report.n, 1_000_000);
});

test('averages, profiles and states are those of vectors in memory', async (t) => {
  const pool = openPool(t, 2);
  const n = 30_000;
  const { set, samples } = await drawn(pool, n);
  const { averages, profiles, states, report } = await reweight(samples, QUESTION, pool);
  t.deepEqual(report, importanceWeights(set.logWeight));
  const rg = radiusOfGyration(set.x, SHAPE);
  const d01 = pairDistance(set.x, SHAPE, [0, 1]);
  for (const [k, values] of [
    [0, set.energy],
    [1, rg],
    [3, d01],
  ] as const) {
    const { coordinate, plain, ...estimate } = averages[k];
    t.deepEqual(estimate, weightedMean(values, set.logWeight), coordinate);
    const mean = values.reduce((a, b) => a + b, 0) / n;
    t.true(Math.abs(plain.value / mean - 1) < 1e-12);
  }
  const close = (a: ArrayLike<number>, b: ArrayLike<number>, what: string) => {
    t.is(a.length, b.length);
    for (let i = 0; i < a.length; i++) {
      t.true(
        Object.is(a[i], b[i]) || Math.abs(a[i] - b[i]) < 1e-9 * Math.max(1, Math.abs(b[i])),
        `${what} ${i}: ${a[i]} ${b[i]}`,
      );
    }
  };
  const expected = freeEnergyProfile(d01, set.logWeight, { min: 2, max: 6, bins: 7 }, { reference: 4 });
  for (const name of [
    'edges',
    'density',
    'densityError',
    'freeEnergy',
    'freeEnergyError',
    'effectiveSamples',
  ] as const) {
    close(profiles[1][name], expected[name], name);
  }
  close([profiles[1].outside], [expected.outside], 'outside');
  const member = (low: number, high: number) => Array.from(rg, (r) => r >= low && r < high);
  const difference = stateFreeEnergyDifference(member(0, 2), member(2, 3), set.logWeight);
  close([states[1].difference.value], [difference.value], 'ΔF');
  close([states[1].difference.standardError], [difference.standardError], 'error of ΔF');
  t.deepEqual(states[1].difference.status, difference.status);
  close([states.reduce((sum, { population }) => sum + population.value, 0)], [1], 'populations');
});

test('distances of all pairs: the profile integrates to one and its mean is the average', async (t) => {
  const pool = openPool(t, 2);
  const { samples } = await drawn(pool, 20_000);
  const request = { coordinate: 'd', bins: 2000, range: [0, 40] } as const;
  const { averages, profiles } = await reweight(samples, { averages: ['d', 'd0-1'], profiles: [request] }, pool);
  const [{ density, edges, outside, plain }] = profiles;
  const width = edges[1] - edges[0];
  t.is(outside, 0);
  t.true(Math.abs(density.reduce((sum, p) => sum + p * width, 0) - 1) < 1e-9);
  const mean = density.reduce((sum, p, b) => sum + p * width * (edges[b] + width / 2), 0);
  t.true(Math.abs(mean - averages[0].value) < width / 2);
  t.true(averages[0].standardError < averages[1].standardError, 'six pairs say more than one');
  t.true(Math.abs(plain.density.reduce((sum, p) => sum + p * width, 0) - 1) < 1e-9);
});

test('another Hamiltonian is evaluated in f64 from the configurations, at any temperature', async (t) => {
  const pool = openPool(t, 2);
  const { set, samples } = await drawn(pool, 9000);
  const system = systemFromSpec('dw4');
  const { energy: _, ...withoutEnergy } = samples;
  const energy = new EnergyEvaluator(system).energy(Float64Array.from(set.x), set.n);
  const result = await reweight(withoutEnergy, { system, kT: 1.7 }, pool);
  t.deepEqual(result.report, importanceWeights(energy.map((u, i) => -u / 1.7 - set.logQ[i])));
  const flat = { ...withoutEnergy, x: arrayInMemory({ shape: [9000, 8], data: set.x }) };
  t.deepEqual(await reweight(flat, { system, kT: 1.7 }, pool), result);
  await t.throwsAsync(reweight(withoutEnergy, { system: systemFromSpec('dw2') }, pool), {
    instanceOf: DataError,
    message: /x has shape \[9000,4,2\], expected \[n, 2, 2\] for dw2/,
  });
});

test('the trace ends with the whole set', async (t) => {
  const pool = openPool(t, 1);
  const { samples } = await drawn(pool, 20_000);
  const { trace, report } = await reweight(samples, {}, pool);
  t.true(trace.length > 30 && trace[0].n === 50);
  t.true(trace.every(({ n }, i) => i === 0 || n > trace[i - 1].n));
  const { n, ess, logZ } = trace.at(-1)!;
  t.deepEqual([n, ess, logZ], [20_000, report.ess, report.logZ.value]);
});

test('a stored array that was changed is refused once it has been read', async (t) => {
  const pool = openPool(t, 1);
  const folder = join(await ownFolder(t), 'set');
  const generator = untrained(4);
  const set = await sample(generator, { n: 5000, seed: 3 }, pool);
  await writeSampleSet(folder, set, sampleProvenance(generator, 'test', { seed: 3 }));
  set.energy[4999] += 1e-9;
  await writeFile(join(folder, 'energy.npy'), encodeNpy({ shape: [5000], data: set.energy }));
  const { energy, logQ } = await (async () => {
    const stored = await openSamples(folder);
    return { energy: (await stored.array('energy'))!, logQ: (await stored.array('logQ'))! };
  })();
  const vector = (array: typeof energy) => ({ n: 5000, chunks: array.chunks as never });
  await t.throwsAsync(reweight({ energy: vector(energy), logQ: vector(logQ) }, {}, pool), {
    instanceOf: DataError,
    message: /'energy' is not what was written/,
  });
});

test('questions that make no sense are refused before samples are read', async (t) => {
  const pool = openPool(t, 1);
  const { samples } = await drawn(pool, 100);
  const refused = (options: object, message: RegExp, input: ReweightingSamples = samples) =>
    t.throwsAsync(reweight(input, options, pool), { instanceOf: UsageError, message });
  await refused({ averages: ['size'] }, /coordinate 'size', expected one of energy, .*mine/);
  await refused({ averages: ['d0-9'] }, /particle 9/);
  await refused({ states: ['rg<1'] }, /only 'rg<1', expected two or more/);
  await refused({ states: ['rg<1', 'small'] }, /state 'small', expected bounds/);
  await refused({ states: ['rg<2.5', 'rg<9'] }, /'rg<2.5' and 'rg<9' share samples/);
  await refused({ states: ['rg<0', 'rg>0'] }, /state 'rg<0': no sample/);
  await refused({ states: ['d<2', 'd>2'] }, /a value for every pair/);
  await refused({ profiles: [{ coordinate: 'rg', bins: 0 }] }, /profile rg: 0 bins/);
  await refused({ profiles: [{ coordinate: 'rg', range: [2, 2] }] }, /range 2,2/);
  await refused({ profiles: [{ coordinate: 'd', reference: 4 }] }, /reference needs one value per sample/);
  await refused({ profiles: [{ coordinate: 'rg', range: [0, 9], reference: 10 }] }, /reference 10/);
  const { x: _, ...withoutX } = samples;
  await t.throwsAsync(reweight(withoutX, { averages: ['rg'] }, pool), { instanceOf: DataError, message: /no x/ });
  const short = { ...samples, arrays: { mine: vectorInMemory({ data: new Float64Array(99) }) } };
  await t.throwsAsync(reweight(short, {}, pool), { instanceOf: DataError, message: /mine: 99 values, expected 100/ });
  const holes = new Float64Array(100);
  holes[17] = Number.NaN;
  const bad = { ...samples, arrays: { mine: vectorInMemory({ data: holes }) } };
  await t.throwsAsync(reweight(bad, { averages: ['mine'] }, pool), {
    instanceOf: DataError,
    message: /mine: 1 of 100 values are not finite, the first is NaN at index 17/,
  });
});
