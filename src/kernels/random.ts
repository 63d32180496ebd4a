import { Kernels } from './module.js';

/**
 * What random numbers are for. Each purpose is a Philox stream of its own, so that no two of them can collide; the
 * numbers are part of the file format ("same seed, same bytes") and never change their meaning.
 */
export const STREAM = {
  prior: 0,
  metropolis: 1,
  parameters: 3,
  shuffle: 4,
  split: 5,
  jitter: 6,
  mala: 7,
  hmc: 8,
  reverseKl: 9,
  flowMatching: 10,
  matchingTimes: 11,
  resampling: 64,
  selection: 65,
  verification: 66,
} as const;

/** Seeds are the first word of Philox's key. */
export const MAX_SEED = 0xffffffff;

let shared: Kernels | undefined;

/**
 * Standard normals of samples `first` … `first + n − 1`, shape [n, coordinates]: row i depends on (seed, stream, first + i)
 * alone. Philox4x32-10 (Salmon et al. 2011), Box–Muller.
 */
export function standardNormals(
  seed: number,
  stream: number,
  first: number,
  n: number,
  coordinates: number,
): Float64Array {
  shared ??= new Kernels();
  const k = shared;
  return k.scoped(() => {
    const groups = Math.ceil(n / 4);
    const blocks = k.allocate(groups * 4 * coordinates * 8);
    const words = k.allocate(64);
    const out = k.allocate(groups * 4 * coordinates * 8);
    k.common.normals(seed, stream, first >>> 0, Math.floor(first / 2 ** 32), 1, coordinates, groups, blocks, words);
    k.f64.unpackTo64(blocks, out, groups * 4, coordinates);
    return k.f64View(out, n * coordinates).slice();
  });
}

/** `n` random 32-bit words of draw `draw`: word i is number i mod 4 of the counter ⌊i/4⌋. */
export function randomWords(seed: number, stream: number, n: number, draw = 0): Uint32Array {
  shared ??= new Kernels();
  const k = shared;
  return k.scoped(() => {
    const out = k.allocate(64);
    const words = new Uint32Array(Math.ceil(n / 16) * 16);
    for (let counter = 0; counter < words.length / 4; counter += 4) {
      k.common.philox(seed, stream, counter, 0, draw, 0, out);
      const lanes = k.u32View(out, 16);
      for (let lane = 0; lane < 4; lane++) {
        for (let word = 0; word < 4; word++) words[(counter + lane) * 4 + word] = lanes[word * 4 + lane];
      }
    }
    return words.subarray(0, n);
  });
}

/** Random permutation number `draw` of 0 … n−1 (Fisher–Yates with words scaled to the range). */
export function permutation(seed: number, stream: number, n: number, draw = 0): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const words = randomWords(seed, stream, n, draw);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((words[i] / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** `m` ascending numbers below n, one at random from each m-th of them. */
export function scatteredIndices(seed: number, stream: number, n: number, m: number): number[] {
  const words = randomWords(seed, stream, m);
  return Array.from({ length: m }, (_, k) => {
    const [from, to] = [Math.floor((k * n) / m), Math.floor(((k + 1) * n) / m)];
    return from + Math.floor((words[k] / 2 ** 32) * (to - from));
  });
}
