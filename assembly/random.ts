// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11), four counters to a vector.
// Key = (seed, stream), counter = (index low, index high, draw, 0): a number depends on what it is for, never on
// what was drawn before it, so that any sharding and any resume see the same ones.

import { VECTOR } from './lanes';
import { log, sinTurns } from './math';

const M0: i32 = <i32>0xd2511f53;
const M1: i32 = <i32>0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;

/** Ten rounds for four counters at once; the four words of each counter come out at `out` as four i32x4. */
// @ts-ignore: decorator
@inline
function philox4(c0: v128, c1: v128, c2: v128, c3: v128, key0: u32, key1: u32, out: usize): void {
  const m0 = i32x4.splat(M0);
  const m1 = i32x4.splat(M1);
  for (let round = 0; round < 10; round++) {
    const a = i64x2.extmul_low_i32x4_u(c0, m0);
    const b = i64x2.extmul_high_i32x4_u(c0, m0);
    const c = i64x2.extmul_low_i32x4_u(c2, m1);
    const d = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(c, d, 1, 3, 5, 7), c1), i32x4.splat(key0));
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(a, b, 1, 3, 5, 7), c3), i32x4.splat(key1));
    c1 = v128.shuffle<i32>(c, d, 0, 2, 4, 6);
    c3 = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
    key0 += W0;
    key1 += W1;
  }
  v128.store(out, c0);
  v128.store(out, c1, 16);
  v128.store(out, c2, 32);
  v128.store(out, c3, 48);
}

/** Counters index … index+3 in the four lanes. */
// @ts-ignore: decorator
@inline
export function philoxLanes(seed: u32, stream: u32, index: u64, draw: u32, third: u32, out: usize): void {
  const i1 = index + 1;
  const i2 = index + 2;
  const i3 = index + 3;
  let low = i32x4.splat(<i32>index);
  low = i32x4.replace_lane(low, 1, <i32>i1);
  low = i32x4.replace_lane(low, 2, <i32>i2);
  low = i32x4.replace_lane(low, 3, <i32>i3);
  let high = i32x4.splat(<i32>(index >> 32));
  high = i32x4.replace_lane(high, 1, <i32>(i1 >> 32));
  high = i32x4.replace_lane(high, 2, <i32>(i2 >> 32));
  high = i32x4.replace_lane(high, 3, <i32>(i3 >> 32));
  philox4(low, high, i32x4.splat(draw), i32x4.splat(third), seed, stream, out);
}

/** Bits of two i32 vectors → two f64 in [1, 2): 52 random bits each. `part` 0 gives lanes 0 and 1, 1 gives lanes 2 and 3. */
// @ts-ignore: decorator
@inline
function mantissa(low: v128, high: v128, part: i32): v128 {
  const bits = part == 0 ? v128.shuffle<i32>(low, high, 0, 4, 1, 5) : v128.shuffle<i32>(low, high, 2, 6, 3, 7);
  return v128.or(i64x2.shr_u(bits, 12), i64x2.splat(0x3ff0000000000000));
}

/** Uniform in (0, 1], so that its logarithm is finite. */
// @ts-ignore: decorator
@inline
export function uniformOpen(words: usize, part: i32): v128 {
  return f64x2.sub(f64x2.splat(2), mantissa(v128.load(words), v128.load(words, 16), part));
}

// @ts-ignore: decorator
@inline
function uniformTurn(words: usize, part: i32): v128 {
  return f64x2.sub(mantissa(v128.load(words, 32), v128.load(words, 48), part), f64x2.splat(1));
}

// @ts-ignore: decorator
@inline
function boxMuller(words: usize, part: i32, scale: f64, out: usize, both: bool): void {
  const length = f64x2.sqrt(f64x2.mul(f64x2.splat(-2), log(uniformOpen(words, part))));
  const radius = f64x2.mul(length, f64x2.splat(scale));
  const turn = uniformTurn(words, part);
  v128.store(out, f64x2.mul(radius, sinTurns(turn, 1)));
  if (both) v128.store(out, f64x2.mul(radius, sinTurns(turn, 0)), 16);
}

/**
 * Standard normals (Box–Muller, 52-bit uniforms) for samples index … index+3 as two f64 blocks of `coordinates` vectors
 * each, times `scale`. Draw d gives coordinates 2d and 2d+1. `words` is 64 bytes of scratch.
 */
// @ts-ignore: decorator
@inline
export function normalLanes(
  seed: u32,
  stream: u32,
  index: u64,
  third: u32,
  scale: f64,
  coordinates: i32,
  out: usize,
  words: usize,
): void {
  for (let c = 0; c < coordinates; c += 2) {
    philoxLanes(seed, stream, index, c >> 1, third, words);
    boxMuller(words, 0, scale, out + <usize>c * VECTOR, c + 1 < coordinates);
    boxMuller(words, 1, scale, out + <usize>(coordinates + c) * VECTOR, c + 1 < coordinates);
  }
}

/** `groups` groups of four samples from global index `index` on, as f64 blocks [2·groups][coordinates]. */
export function normals(
  seed: u32,
  stream: u32,
  indexLow: u32,
  indexHigh: u32,
  scale: f64,
  coordinates: i32,
  groups: i32,
  out: usize,
  words: usize,
): void {
  let index = ((<u64>indexHigh) << 32) | <u64>indexLow;
  for (let g = 0; g < groups; g++) {
    normalLanes(seed, stream, index, 0, scale, coordinates, out, words);
    index += 4;
    out += <usize>(2 * coordinates) * VECTOR;
  }
}

/** Words of counters (index … index+3, draw, third): four i32x4 at `out`, word w of lane l at out[4w + l]. */
export function philox(
  seed: u32,
  stream: u32,
  indexLow: u32,
  indexHigh: u32,
  draw: u32,
  third: u32,
  out: usize,
): void {
  philoxLanes(seed, stream, ((<u64>indexHigh) << 32) | <u64>indexLow, draw, third, out);
}
