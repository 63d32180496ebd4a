import { philox4x32, philoxNormals } from './philox.js';

/** Reproducible random numbers for tests. */
export interface RandomSource {
  /** In [0, 1), 32 bits. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** `n` standard normals. */
  normals(n: number): Float64Array;
}

/** Philox with the test's own stream, one counter per number. */
export function randomSource(seed: number): RandomSource {
  // Far from the streams that the product uses.
  const stream = 0x7e577e57;
  let index = 0;
  const uniform = () => philox4x32([index++, 0, 0, 0], [seed, stream])[0] / 2 ** 32;
  const normal = () => philoxNormals(seed, stream, index++, 1)[0];
  return { uniform, normal, normals: (n) => Float64Array.from({ length: n }, normal) };
}

/** A random orthogonal matrix [D, D], uniform over O(D): rows of normals, orthonormalised by Gram–Schmidt. */
function randomOrthogonal(random: RandomSource, D: number): Float64Array {
  const Q = random.normals(D * D);
  for (let i = 0; i < D; i++) {
    for (let j = 0; j < i; j++) {
      let overlap = 0;
      for (let a = 0; a < D; a++) overlap += Q[i * D + a] * Q[j * D + a];
      for (let a = 0; a < D; a++) Q[i * D + a] -= overlap * Q[j * D + a];
    }
    let squared = 0;
    for (let a = 0; a < D; a++) squared += Q[i * D + a] ** 2;
    for (let a = 0; a < D; a++) Q[i * D + a] /= Math.sqrt(squared);
  }
  return Q;
}

/** Determinant of [D, D], D = 2 or 3. */
function determinant(Q: Float64Array, D: number): number {
  if (D === 2) return Q[0] * Q[3] - Q[1] * Q[2];
  return Q[0] * (Q[4] * Q[8] - Q[5] * Q[7]) - Q[1] * (Q[3] * Q[8] - Q[5] * Q[6]) + Q[2] * (Q[3] * Q[7] - Q[4] * Q[6]);
}

function withDeterminant(Q: Float64Array, D: number, sign: 1 | -1): Float64Array {
  return Math.sign(determinant(Q, D)) === sign ? Q : Q.map((value, c) => (c < D ? -value : value));
}

/** A random rotation [D, D], det = 1; D = 2 or 3. */
export function randomRotation(random: RandomSource, D: number): Float64Array {
  return withDeterminant(randomOrthogonal(random, D), D, 1);
}

/** A random reflection [D, D], possibly with a rotation: orthogonal, det = −1; D = 2 or 3. */
export function randomReflection(random: RandomSource, D: number): Float64Array {
  return withDeterminant(randomOrthogonal(random, D), D, -1);
}

/** A random order of 0 … n−1 (Fisher–Yates). */
export function randomPermutation(random: RandomSource, n: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** x [N, D] with every particle multiplied by the matrix Q [D, D]. */
export function rotate(x: Float64Array, Q: Float64Array, D: number): Float64Array {
  return x.map((_, c) => {
    const [i, a] = [Math.floor(c / D), c % D];
    let sum = 0;
    for (let b = 0; b < D; b++) sum += Q[a * D + b] * x[i * D + b];
    return sum;
  });
}

/** x [N, D] in another order: particle i of the result is particle order[i] of x. */
export function permute(x: Float64Array, order: readonly number[], D: number): Float64Array {
  return x.map((_, c) => x[order[Math.floor(c / D)] * D + (c % D)]);
}

/** x [N, D] shifted by `shift` [D]. */
export function translate(x: Float64Array, shift: Float64Array): Float64Array {
  return x.map((value, c) => value + shift[c % shift.length]);
}
