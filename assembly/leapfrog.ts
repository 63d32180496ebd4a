// The passes of a leapfrog trajectory over four chains in two f64 blocks, one behind the other. What is carried is the move
// w = εp, so that noise and kicks need no ε of their own: a kick is w ← w − ε²β∇U, a drift q ← q + w.

import { VECTOR } from './lanes';

/** Half `part` (0 or 1) of f32 lanes as f64. */
// @ts-ignore: decorator
@inline
function promote(value: v128, part: i32): v128 {
  return f64x2.promote_low_f32x4(part == 0 ? value : v128.shuffle<i64>(value, value, 1, 1));
}

/** Half `part` of i32 lanes as f64. */
// @ts-ignore: decorator
@inline
function convert(value: v128, part: i32): v128 {
  return f64x2.convert_low_i32x4_s(part == 0 ? value : v128.shuffle<i64>(value, value, 1, 1));
}

/** w of one coordinate after its first half kick; the position goes with it. */
// @ts-ignore: decorator
@inline
function launch(move: v128, size: v128, gradient: usize, x: usize, w: usize, q: usize): void {
  const value = f64x2.sub(move, f64x2.mul(size, v128.load(gradient)));
  v128.store(w, value);
  v128.store(q, f64x2.add(v128.load(x), value));
}

/**
 * The first half kick and drift of two chains, from (N − 1)·D standard normals of f32 in half `part` of the vectors at `n`. Returns
 * Σ w² before the kick.
 *
 * A mean-free momentum is the image of N − 1 normals n_i an axis under the reflection that turns the axis of a last particle into
 * −(1, …, 1)/√N: with S = Σ n_i, p_i = n_i − S(1 − 1/√N)/(N − 1) and p_N = −S/√N. So Σ p² = Σ n², and no normal is drawn to be
 * projected out.
 */
// @ts-ignore: decorator
@inline
function start(
  D: i32, part: i32, n: usize, particles: i32, length: v128, size: v128,
  x: usize, gradient: usize, w: usize, q: usize,
): v128 {
  const stride = <usize>D * VECTOR;
  const last = <usize>(particles - 1) * stride;
  const zero = f64x2.splat(0);
  let s0 = zero;
  let s1 = zero;
  let s2 = zero;
  let squares = zero;
  for (let p: usize = 0; p < last; p += stride) {
    const n0 = promote(v128.load(n + p), part);
    const n1 = promote(v128.load(n + p, 16), part);
    s0 = f64x2.add(s0, n0);
    s1 = f64x2.add(s1, n1);
    squares = f64x2.add(squares, f64x2.add(f64x2.mul(n0, n0), f64x2.mul(n1, n1)));
    v128.store(w + p, n0);
    v128.store(w + p, n1, 16);
    if (D == 3) {
      const n2 = promote(v128.load(n + p, 32), part);
      s2 = f64x2.add(s2, n2);
      squares = f64x2.add(squares, f64x2.mul(n2, n2));
      v128.store(w + p, n2, 32);
    }
  }
  const root = 1 / Math.sqrt(<f64>particles);
  const shift = f64x2.splat((1 - root) / <f64>max(1, particles - 1));
  const t0 = f64x2.mul(s0, shift);
  const t1 = f64x2.mul(s1, shift);
  const t2 = f64x2.mul(s2, shift);
  for (let p: usize = 0; p < last; p += stride) {
    launch(f64x2.mul(length, f64x2.sub(v128.load(w + p), t0)), size, gradient + p, x + p, w + p, q + p);
    const b = p + 16;
    launch(f64x2.mul(length, f64x2.sub(v128.load(w + b), t1)), size, gradient + b, x + b, w + b, q + b);
    if (D == 3) {
      const c = p + 32;
      launch(f64x2.mul(length, f64x2.sub(v128.load(w + c), t2)), size, gradient + c, x + c, w + c, q + c);
    }
  }
  const end = f64x2.mul(length, f64x2.splat(-root));
  launch(f64x2.mul(end, s0), size, gradient + last, x + last, w + last, q + last);
  const b = last + 16;
  launch(f64x2.mul(end, s1), size, gradient + b, x + b, w + b, q + b);
  if (D == 3) {
    const c = last + 32;
    launch(f64x2.mul(end, s2), size, gradient + c, x + c, w + c, q + c);
  }
  return f64x2.mul(squares, f64x2.mul(length, length));
}

/**
 * Starts four chains from normals at `n` and words that jitter their step sizes, stepSize·(1 ± jitter). Stores ε² (two vectors) and
 * Σ w² (two vectors) at `trajectory`.
 */
// @ts-ignore: decorator
@inline
export function startTrajectories(
  n: usize, words: usize, particles: i32, dimensions: i32, stepSize: f64, jitter: f64, beta: f64,
  x: usize, gradient: usize, w: usize, q: usize, trajectory: usize,
): void {
  const block = <usize>(particles * dimensions) * VECTOR;
  const spread = f64x2.splat(stepSize * jitter / 2147483648.0);
  const halfBeta = f64x2.splat(0.5 * beta);
  const word = v128.load(words);
  const e0 = f64x2.add(f64x2.splat(stepSize), f64x2.mul(spread, convert(word, 0)));
  const e1 = f64x2.add(f64x2.splat(stepSize), f64x2.mul(spread, convert(word, 1)));
  const squared0 = f64x2.mul(e0, e0);
  const squared1 = f64x2.mul(e1, e1);
  v128.store(trajectory, squared0);
  v128.store(trajectory, squared1, 16);
  const size0 = f64x2.mul(squared0, halfBeta);
  const size1 = f64x2.mul(squared1, halfBeta);
  const x1 = x + block, g1 = gradient + block, w1 = w + block, q1 = q + block;
  if (dimensions == 3) {
    v128.store(trajectory, start(3, 0, n, particles, e0, size0, x, gradient, w, q), 32);
    v128.store(trajectory, start(3, 1, n, particles, e1, size1, x1, g1, w1, q1), 48);
  } else {
    v128.store(trajectory, start(2, 0, n, particles, e0, size0, x, gradient, w, q), 32);
    v128.store(trajectory, start(2, 1, n, particles, e1, size1, x1, g1, w1, q1), 48);
  }
}

/** A whole kick and the drift behind it, of two chains. */
// @ts-ignore: decorator
@inline
export function kickAndDrift(squared: v128, beta: f64, gradient: usize, w: usize, q: usize, block: usize): void {
  const size = f64x2.mul(squared, f64x2.splat(beta));
  for (let p: usize = 0; p < block; p += VECTOR) {
    const value = f64x2.sub(v128.load(w + p), f64x2.mul(size, v128.load(gradient + p)));
    v128.store(w + p, value);
    v128.store(q + p, f64x2.add(v128.load(q + p), value));
  }
}

/** Σ w² after the last half kick. */
// @ts-ignore: decorator
@inline
function finalSquares(squared: v128, beta: f64, gradient: usize, w: usize, block: usize): v128 {
  const size = f64x2.mul(squared, f64x2.splat(0.5 * beta));
  let squares = f64x2.splat(0);
  for (let p: usize = 0; p < block; p += VECTOR) {
    const value = f64x2.sub(v128.load(w + p), f64x2.mul(size, v128.load(gradient + p)));
    squares = f64x2.add(squares, f64x2.mul(value, value));
  }
  return squares;
}

/**
 * Accepts or rejects half `part` of four chains: −2 ln u at `u` (f32) against 2ΔH = 2βΔU + Δ(Σ w²)/ε². What is accepted becomes
 * `x`, `gradients` and `energy`, and counts.
 */
// @ts-ignore: decorator
@inline
export function decide(
  part: i32, u: usize, trajectory: usize, beta: f64, q: usize, w: usize, gradient: usize, proposed: usize,
  x: usize, gradients: usize, energy: usize, accepted: usize, block: usize,
): void {
  const squared = v128.load(trajectory);
  const squares = finalSquares(squared, beta, gradient, w, block);
  const there = v128.load(proposed);
  const here = v128.load(energy);
  const change = f64x2.add(
    f64x2.mul(f64x2.splat(2 * beta), f64x2.sub(there, here)),
    f64x2.div(f64x2.sub(squares, v128.load(trajectory, 32)), squared),
  );
  const finite = f64x2.eq(f64x2.sub(change, change), f64x2.splat(0));
  const take = v128.and(finite, f64x2.lt(change, promote(v128.load(u), part)));
  v128.store(energy, v128.bitselect(there, here, take));
  v128.store(accepted, f64x2.add(v128.load(accepted), v128.and(take, f64x2.splat(1))));
  for (let p: usize = 0; p < block; p += VECTOR) {
    v128.store(x + p, v128.bitselect(v128.load(q + p), v128.load(x + p), take));
    v128.store(gradients + p, v128.bitselect(v128.load(gradient + p), v128.load(gradients + p), take));
  }
}
