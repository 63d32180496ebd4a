import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DataError, UsageError } from '../../src/errors.js';
import { encodeNpy, encodeNpz } from '../../src/formats/index.js';
import { entropyAndKl, importanceWeights, logWeights, weightedMean } from '../../src/reweighting/index.js';
import {
  openSampleWeights,
  openVector,
  readSampleWeights,
  reweight,
  sample,
  sampleProvenance,
  writeSampleSet,
} from '../../src/sampling/index.js';
import { openPool, ownFolder, untrained } from './generators.js';

/** Uniform numbers in [0, 1). */
function uniform(n: number, seed: number): Float64Array {
  let state = seed;
  return new Float64Array(n).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

type Shape = (u: number, i: number) => number;

/** Log-weights of many shapes; the last ones come in the order that makes a list of the largest work hardest. */
const ENERGIES: Readonly<Record<string, Shape>> = {
  'light tail': (u) => 3 * u,
  'heavy tail': (u) => 2 * Math.log(1 - u),
  'zero weights': (u, i) => (i % 3 === 1 ? Number.POSITIVE_INFINITY : u),
  ties: (u) => Math.floor(4 * u),
  ascending: (_, i) => -1e-3 * i,
  descending: (_, i) => 1e-3 * i,
};

test('figures of streamed files are those of vectors in memory, to the last bit', async (t) => {
  const pool = openPool(t, 2);
  const folder = await ownFolder(t);
  for (const n of [1, 2, 4095, 4096, 140_001]) {
    const logQ = uniform(n, 1).map((u) => -5 * u);
    for (const [name, shape] of Object.entries(ENERGIES)) {
      const energy = uniform(n, 2).map(shape);
      const kT = 1.3;
      const [u, q] = [join(folder, 'u.npy'), join(folder, 'q.npz')];
      await writeFile(u, encodeNpy({ shape: [n], data: energy }));
      await writeFile(q, encodeNpz(new Map([['logQ', { shape: [n], data: logQ }]])));
      const samples = { energy: await openVector(u, 'energy'), logQ: await openVector(q, 'logQ') };
      const { report, flowEntropy, targetEntropy, reverseKl, forwardKl, meanEnergy } = await reweight(
        samples,
        { kT },
        pool,
      );
      const entropies = { flowEntropy, targetEntropy, reverseKl, forwardKl };
      t.deepEqual(meanEnergy, weightedMean(energy, logWeights(energy, logQ, kT)), `${name} ${n}`);
      t.deepEqual(report, importanceWeights(logWeights(energy, logQ, kT)), `${name} ${n}`);
      const { logZ, ...expected } = entropyAndKl(energy, logQ, { kT });
      t.deepEqual(entropies, expected, `${name} ${n}`);
      t.deepEqual(report.logZ, logZ);
    }
  }
});

test('a sample set in a folder and in an archive give the same figures', async (t) => {
  const folder = await ownFolder(t);
  const generator = untrained(8, 1.5);
  const pool = openPool(t, 2);
  const set = await sample(generator, { n: 70_000, seed: 3 }, pool);
  for (const name of ['set', 'set.npz']) {
    const path = join(folder, name);
    await writeSampleSet(path, set, sampleProvenance(generator, 'test', { seed: 3 }));
    const { kT, energy, logQ } = await openSampleWeights(path);
    t.is(kT, 1.5);
    const { report } = await reweight({ energy, logQ }, { kT, source: path }, pool);
    t.deepEqual(report, importanceWeights(set.logWeight));
    const { logWeight } = await readSampleWeights(path);
    t.deepEqual(logWeight, set.logWeight);
  }
});

test('single precision and integers become f64', async (t) => {
  const folder = await ownFolder(t);
  const path = join(folder, 'v.npy');
  const read = async () => {
    const all: number[] = [];
    for await (const piece of (await openVector(path, 'v')).chunks()) all.push(...piece);
    return all;
  };
  await writeFile(path, encodeNpy({ shape: [3], data: Float32Array.of(0.5, 0.1, 7) }));
  t.deepEqual(await read(), [0.5, Math.fround(0.1), 7]);
  const integers = Buffer.from(encodeNpy({ shape: [2], data: new Float64Array(2) }));
  integers.write('<i8', integers.indexOf('<f8'));
  integers.writeBigInt64LE(-3n, 128);
  await writeFile(path, integers);
  t.deepEqual(await read(), [-3, 0]);
  await writeFile(path, encodeNpy({ shape: [2, 2], data: new Float64Array(4) }));
  await t.throwsAsync(openVector(path, 'v'), {
    instanceOf: DataError,
    message: /v\.npy: shape \[2,2\], expected \[n\]/,
  });
});

test('weights that no estimator may see are refused by their place', async (t) => {
  const of = (...data: number[]) => ({
    n: data.length,
    chunks: async function* () {
      yield Float64Array.from(data);
    },
  });
  const pool = openPool(t, 2);
  const options = { kT: 1, source: 's.npz' };
  const refused = (energy: number[], logQ: number[], message: RegExp) =>
    t.throwsAsync(reweight({ energy: of(...energy), logQ: of(...logQ) }, options, pool), {
      instanceOf: DataError,
      message,
    });
  await refused(
    [1, Number.NaN, 2, Number.NEGATIVE_INFINITY],
    [0, 0, 0, 0],
    /^s\.npz: 2 of 4 log-weights are NaN or \+Inf, the first is NaN at index 1;/,
  );
  await refused([], [], /no entries, expected at least one sample/);
  await refused([1], [1, 2], /1 energies and 2 log-densities/);
  await refused([Number.POSITIVE_INFINITY], [0], /all 1 weights are zero/);
  await t.throwsAsync(reweight({ energy: of(1), logQ: of(1) }, { ...options, kT: 0 }, pool), {
    instanceOf: UsageError,
    message: /kT: 0/,
  });
});
