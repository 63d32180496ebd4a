import test from 'ava';
import { Kernels, permutation, randomWords, STREAM, standardNormals } from '../../src/kernels/index.js';
import { philox4x32, philoxNormals, type Words } from '../twin/philox.js';
import { randomSource } from '../twin/random.js';
import { kolmogorov, normalCdf } from './distributions.js';

const kernels = new Kernels();

/** Words of the counters index … index+3 from the kernel, one row a lane. */
function philoxLanes([low, high, draw, third]: Words, [seed, stream]: readonly [number, number]): number[][] {
  return kernels.scoped(() => {
    const out = kernels.allocate(64);
    kernels.common.philox(seed, stream, low, high, draw, third, out);
    const words = kernels.u32View(out, 16);
    return [0, 1, 2, 3].map((lane) => [0, 1, 2, 3].map((word) => words[4 * word + lane]));
  });
}

/** The counter whose 64-bit index is `by` further. */
function advance([low, high, draw, third]: Words, by: number): Words {
  const index = BigInt.asUintN(64, ((BigInt(high) << 32n) | BigInt(low)) + BigInt(by));
  return [Number(index & 0xffffffffn), Number(index >> 32n), draw, third];
}

const ONES = 0xffffffff;

test('Philox4x32-10 gives the published known answers in every lane', (t) => {
  // kat_vectors of Random123 (Salmon et al. 2011)
  const vectors: { counter: Words; key: [number, number]; words: number[] }[] = [
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    { counter: [ONES, ONES, ONES, ONES], key: [ONES, ONES], words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ];
  for (const { counter, key, words } of vectors) {
    for (let lane = 0; lane < 4; lane++) t.deepEqual(philoxLanes(advance(counter, -lane), key)[lane], words);
  }
});

test('Philox agrees with the scalar twin for any counter, also where the index carries into its high word', (t) => {
  const random = randomSource(1);
  const word = () => Math.floor(random.uniform() * 2 ** 32);
  const counters: Words[] = Array.from({ length: 500 }, () => [word(), word(), word(), word()]);
  for (let below = 1; below <= 3; below++)
    counters.push([2 ** 32 - below, word(), word(), word()], [2 ** 32 - below, ONES, 0, 0]);
  for (const counter of counters) {
    const key = [word(), word()] as const;
    const expected = [0, 1, 2, 3].map((lane) => [...philox4x32(advance(counter, lane), key)]);
    t.deepEqual(philoxLanes(counter, key), expected);
  }
});

test('no two purposes draw from the same stream', (t) => {
  const streams = Object.values(STREAM);
  t.is(new Set(streams).size, streams.length);
});

test('random words are those of the counters 0, 1, …', (t) => {
  const words = randomWords(5, 6, 37, 9);
  t.is(words.length, 37);
  const expected = Array.from(words, (_, i) => philox4x32([Math.floor(i / 4), 0, 9, 0], [5, 6])[i % 4]);
  t.deepEqual([...words], expected);
});

test('normals agree with the scalar twin to rounding', (t) => {
  for (const [first, C] of [
    [0, 6],
    [3, 7],
    [2 ** 32 - 2, 8],
    [2 ** 40 + 1, 1],
  ]) {
    const found = standardNormals(11, 2, first, 9, C);
    for (let s = 0; s < 9; s++) {
      const expected = philoxNormals(11, 2, first + s, C);
      for (let c = 0; c < C; c++) t.true(Math.abs(found[s * C + c] - expected[c]) < 1e-14, `sample ${first + s}, ${c}`);
    }
  }
});

test('a sample of normals is the same bytes wherever its chunk starts and ends', (t) => {
  const C = 9;
  const all = standardNormals(3, 0, 1000, 40, C);
  for (const [first, n] of [
    [0, 1],
    [1, 1],
    [2, 3],
    [5, 17],
    [7, 33],
    [39, 1],
  ]) {
    t.deepEqual(standardNormals(3, 0, 1000 + first, n, C), all.slice(first * C, (first + n) * C));
  }
});

test('seeds, streams and draws give different numbers', (t) => {
  const sets = [standardNormals(1, 0, 0, 4, 4), standardNormals(2, 0, 0, 4, 4), standardNormals(1, 1, 0, 4, 4)];
  t.is(new Set(sets.flatMap((set) => [...set])).size, 48);
});

test('normals have the moments and the distribution of N(0, 1)', (t) => {
  // Six checks at 4.9 σ or the same level for Kolmogorov–Smirnov: false alarm below 6e-6 for a random seed.
  const [rows, C] = [20_000, 4];
  const x = standardNormals(20261123, 0, 0, rows, C);
  const n = x.length;
  const moment = (power: number) => x.reduce((sum, value) => sum + value ** power, 0) / n;
  t.true(Math.abs(moment(1)) < 4.9 * Math.sqrt(1 / n));
  t.true(Math.abs(moment(2) - 1) < 4.9 * Math.sqrt(2 / n));
  t.true(Math.abs(moment(3)) < 4.9 * Math.sqrt(15 / n));
  t.true(Math.abs(moment(4) - 3) < 4.9 * Math.sqrt(96 / n));
  let product = 0;
  for (let i = 0; i < n; i += 2) product += x[i] * x[i + 1];
  t.true(Math.abs(product / (n / 2)) < 4.9 * Math.sqrt(2 / n), 'the two normals of one draw are uncorrelated');

  // Kolmogorov: P(√n·D > 2.69) = 1e-6
  const distance = kolmogorov(x, normalCdf);
  t.true(distance < 2.69, `√n·D = ${distance}`);
});

test('permutations contain every index once, and differ from draw to draw', (t) => {
  for (const n of [1, 2, 5, 100, 1000]) {
    t.deepEqual(
      [...permutation(1, 4, n)].sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    );
  }
  t.deepEqual(permutation(1, 4, 100, 3), permutation(1, 4, 100, 3));
  t.notDeepEqual(permutation(1, 4, 100, 3), permutation(1, 4, 100, 4));
});

test('all orders of four come up equally often', (t) => {
  const counts = new Map<string, number>();
  const draws = 24_000;
  for (let draw = 0; draw < draws; draw++) {
    const order = permutation(7, 4, 4, draw).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  t.is(counts.size, 24);
  const expected = draws / 24;
  const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 23 degrees of freedom: P(χ² > 72) = 6e-7 for a random seed
  t.true(chiSquared < 72, `χ² = ${chiSquared}`);
});
