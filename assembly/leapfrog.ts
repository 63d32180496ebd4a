// The passes of a leapfrog trajectory over four chains: positions and gradients in two f64 blocks, one behind the other, forces
// on the way and normals in one f32 block.
//
// With the move w = εp, noise and kicks need no ε of their own: a kick is w ← w − ε²β∇U, a drift q ← q + w. Moves are not stored,
// since w = q_l − q_{l−1}: Verlet's form of the same steps, q_{l+1} = q_l + (q_l − q_{l−1}) − ε²β∇U(q_l).

import { VECTOR } from './lanes';

/** Low half of f32 lanes as f64. */
// @ts-ignore: decorator
@inline
function low(value: v128): v128 {
  return f64x2.promote_low_f32x4(value);
}

/** High half. */
// @ts-ignore: decorator
@inline
function high(value: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(value, value, 1, 1));
}

/** Two halves of f64 lanes in f32. */
// @ts-ignore: decorator
@inline
function rounded(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** Positions of one coordinate after the first half kick of moves `w0`, `w1` and the drift; in f32 they are `single`. */
// @ts-ignore: decorator
@inline
function launch(
  w0: v128, w1: v128, size0: v128, size1: v128, x: usize, gradient: usize, q: usize, block: usize, single: usize,
): void {
  const q0 = f64x2.add(v128.load(x), f64x2.sub(w0, f64x2.mul(size0, v128.load(gradient))));
  const q1 = f64x2.add(v128.load(x + block), f64x2.sub(w1, f64x2.mul(size1, v128.load(gradient + block))));
  v128.store(q, q0);
  v128.store(q + block, q1);
  v128.store(single, rounded(q0, q1));
}

/**
 * The first half kick and drift, from (N − 1)·D standard normals at `n` and words that jitter step sizes, stepSize·(1 ± jitter).
 * Stores ε² (two vectors) and Σ w² before the kick (two vectors) at `trajectory`.
 *
 * A mean-free momentum is the image of N − 1 normals n_i an axis under the reflection that turns the axis of a last particle into
 * −(1, …, 1)/√N: with S = Σ n_i, p_i = n_i − S(1 − 1/√N)/(N − 1) and p_N = −S/√N. So Σ p² = Σ n², and no normal is drawn to be
 * projected out.
 */
// @ts-ignore: decorator
@inline
export function startTrajectories(
  n: usize, words: usize, particles: i32, dimensions: i32, stepSize: f64, jitter: f64, beta: f64,
  x: usize, gradient: usize, q: usize, single: usize, trajectory: usize,
): void {
  const stride = <usize>dimensions * VECTOR;
  const last = <usize>(particles - 1) * stride;
  const block = last + stride;
  const spread = f64x2.splat((stepSize * jitter) / 2147483648.0);
  const word = v128.load(words);
  const length0 = f64x2.add(f64x2.splat(stepSize), f64x2.mul(spread, f64x2.convert_low_i32x4_s(word)));
  const upper = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(word, word, 1, 1));
  const length1 = f64x2.add(f64x2.splat(stepSize), f64x2.mul(spread, upper));
  const squared0 = f64x2.mul(length0, length0);
  const squared1 = f64x2.mul(length1, length1);
  const size0 = f64x2.mul(squared0, f64x2.splat(0.5 * beta));
  const size1 = f64x2.mul(squared1, f64x2.splat(0.5 * beta));
  const root = 1 / Math.sqrt(<f64>particles);
  const shift = f64x2.splat((1 - root) / <f64>max(1, particles - 1));
  const minusRoot = f64x2.splat(-root);
  let squares0 = f64x2.splat(0);
  let squares1 = squares0;
  for (let axis: usize = 0; axis < stride; axis += VECTOR) {
    let s0 = f64x2.splat(0);
    let s1 = s0;
    for (let p = axis; p < last; p += stride) {
      const value = v128.load(n + p);
      const n0 = low(value);
      const n1 = high(value);
      s0 = f64x2.add(s0, n0);
      s1 = f64x2.add(s1, n1);
      squares0 = f64x2.add(squares0, f64x2.mul(n0, n0));
      squares1 = f64x2.add(squares1, f64x2.mul(n1, n1));
    }
    const t0 = f64x2.mul(s0, shift);
    const t1 = f64x2.mul(s1, shift);
    for (let p = axis; p < last; p += stride) {
      const value = v128.load(n + p);
      const w0 = f64x2.mul(length0, f64x2.sub(low(value), t0));
      const w1 = f64x2.mul(length1, f64x2.sub(high(value), t1));
      launch(w0, w1, size0, size1, x + p, gradient + p, q + p, block, single + p);
    }
    const w0 = f64x2.mul(length0, f64x2.mul(s0, minusRoot));
    const w1 = f64x2.mul(length1, f64x2.mul(s1, minusRoot));
    const p = last + axis;
    launch(w0, w1, size0, size1, x + p, gradient + p, q + p, block, single + p);
  }
  v128.store(trajectory, squared0);
  v128.store(trajectory, squared1, 16);
  v128.store(trajectory, f64x2.mul(squares0, squared0), 32);
  v128.store(trajectory, f64x2.mul(squares1, squared1), 48);
}

/** The position of one coordinate of two chains after a kick and the drift behind it: q + (q − previous) − kick. */
// @ts-ignore: decorator
@inline
function advance(kick: v128, previous: usize, q: usize, next: usize): v128 {
  const here = v128.load(q);
  const there = f64x2.add(here, f64x2.sub(f64x2.sub(here, v128.load(previous)), kick));
  v128.store(next, there);
  return there;
}

/**
 * A whole kick and the drift behind it, to `next`, which may be `previous`; in f32 it is `single`. `force` is ∇U of f32, whose sum
 * over particles is zero but for rounding: for the last one stands the sum of the others, lest the centroid drifts.
 */
// @ts-ignore: decorator
@inline
export function kickAndDrift(
  trajectory: usize, beta: f64, force: usize, previous: usize, q: usize, next: usize, single: usize, stride: usize,
  block: usize,
): void {
  const size0 = f64x2.mul(v128.load(trajectory), f64x2.splat(beta));
  const size1 = f64x2.mul(v128.load(trajectory, 16), f64x2.splat(beta));
  const upperPrevious = previous + block, upperQ = q + block, upperNext = next + block;
  for (let axis: usize = 0; axis < stride; axis += VECTOR) {
    let last0 = f64x2.splat(0);
    let last1 = last0;
    let p = axis;
    for (; p < block - stride; p += stride) {
      const g = v128.load(force + p);
      const kick0 = f64x2.mul(size0, low(g));
      const kick1 = f64x2.mul(size1, high(g));
      last0 = f64x2.sub(last0, kick0);
      last1 = f64x2.sub(last1, kick1);
      const there0 = advance(kick0, previous + p, q + p, next + p);
      const there1 = advance(kick1, upperPrevious + p, upperQ + p, upperNext + p);
      v128.store(single + p, rounded(there0, there1));
    }
    const there0 = advance(last0, previous + p, q + p, next + p);
    const there1 = advance(last1, upperPrevious + p, upperQ + p, upperNext + p);
    v128.store(single + p, rounded(there0, there1));
  }
}

/**
 * Accepts or rejects two chains: −2 ln u at `u` (f64) against 2ΔH = 2βΔU + Δ(Σ w²)/ε², after the last half kick. What is accepted
 * becomes `x`, `gradients` and `energy`, and counts.
 */
// @ts-ignore: decorator
@inline
function decideHalf(
  u: v128, trajectory: usize, beta: f64, previous: usize, q: usize, gradient: usize, proposed: usize,
  x: usize, gradients: usize, energy: usize, accepted: usize, block: usize,
): void {
  const squared = v128.load(trajectory);
  const size = f64x2.mul(squared, f64x2.splat(0.5 * beta));
  let squares = f64x2.splat(0);
  for (let p: usize = 0; p < block; p += VECTOR) {
    const move = f64x2.sub(v128.load(q + p), v128.load(previous + p));
    const w = f64x2.sub(move, f64x2.mul(size, v128.load(gradient + p)));
    squares = f64x2.add(squares, f64x2.mul(w, w));
  }
  const there = v128.load(proposed);
  const here = v128.load(energy);
  const change = f64x2.add(
    f64x2.mul(f64x2.splat(2 * beta), f64x2.sub(there, here)),
    f64x2.div(f64x2.sub(squares, v128.load(trajectory, 32)), squared),
  );
  const finite = f64x2.eq(f64x2.sub(change, change), f64x2.splat(0));
  const take = v128.and(finite, f64x2.lt(change, u));
  v128.store(energy, v128.bitselect(there, here, take));
  v128.store(accepted, f64x2.add(v128.load(accepted), v128.and(take, f64x2.splat(1))));
  for (let p: usize = 0; p < block; p += VECTOR) {
    v128.store(x + p, v128.bitselect(v128.load(q + p), v128.load(x + p), take));
    v128.store(gradients + p, v128.bitselect(v128.load(gradient + p), v128.load(gradients + p), take));
  }
}

/** `decideHalf` for both halves of four chains, with −2 ln u of f32 at `u`. */
// @ts-ignore: decorator
@inline
export function decide(
  u: usize, trajectory: usize, beta: f64, previous: usize, q: usize, gradient: usize, proposed: usize,
  x: usize, gradients: usize, energies: usize, accepted: usize, block: usize,
): void {
  for (let half: usize = 0; half < 2; half++) {
    const at = half * block;
    const e = half * VECTOR;
    decideHalf(
      low(v128.load64_splat(u + half * 8)), trajectory + e, beta, previous + at, q + at, gradient + at, proposed + e,
      x + at, gradients + at, energies + e, accepted + e, block,
    );
  }
}
