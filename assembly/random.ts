// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11), four counters to a vector.
// Key = (seed, stream), counter = (index low, index high, draw, 0): a number depends on what it is for, never on
// what was drawn before it, so that any sharding and any resume see the same ones.

import { VECTOR } from './lanes';
import { log, sinTurns } from './math';

/** Philox's multipliers, then what its keys grow by. In memory, because the engine makes a constant anew in every turn of a loop. */
const PHILOX = memory.data<u32>([0xd2511f53, 0xcd9e8d57, 0x9e3779b9, 0xbb67ae85]);

/** Ten rounds for four counters at once; the four words of each come out as four i32x4, two at `a` and two at `b`. */
// @ts-ignore: decorator
@inline
function philox4(c0: v128, c1: v128, c2: v128, c3: v128, key0: u32, key1: u32, a: usize, b: usize): void {
  let k0 = i32x4.splat(key0);
  let k1 = i32x4.splat(key1);
  for (let round = 0; round < 10; round++) {
    const m0 = v128.load32_splat(PHILOX);
    const m1 = v128.load32_splat(PHILOX, 4);
    const p = i64x2.extmul_low_i32x4_u(c0, m0);
    const q = i64x2.extmul_high_i32x4_u(c0, m0);
    const r = i64x2.extmul_low_i32x4_u(c2, m1);
    const s = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.shuffle<i32>(r, s, 1, 3, 5, 7), v128.xor(c1, k0));
    c2 = v128.xor(v128.shuffle<i32>(p, q, 1, 3, 5, 7), v128.xor(c3, k1));
    c1 = v128.shuffle<i32>(r, s, 0, 2, 4, 6);
    c3 = v128.shuffle<i32>(p, q, 0, 2, 4, 6);
    k0 = i32x4.add(k0, v128.load32_splat(PHILOX, 8));
    k1 = i32x4.add(k1, v128.load32_splat(PHILOX, 12));
  }
  v128.store(a, c0);
  v128.store(a, c1, 16);
  v128.store(b, c2);
  v128.store(b, c3, 16);
}

/**
 * `philox4` of two sets of counters side by side, which share their second and fourth words: the rounds of one are a chain, whose
 * waits the other fills (1.5x). Second and fourth results stand `next` bytes behind first and third, those of the second set
 * `behind` bytes behind those of the first.
 */
// @ts-ignore: decorator
@inline
export function philox4Twice(
  c0: v128, d0: v128, c1: v128, c2: v128, d2: v128, c3: v128, key0: u32, key1: u32,
  a: usize, b: usize, next: usize, behind: usize,
): void {
  let k0 = i32x4.splat(key0);
  let k1 = i32x4.splat(key1);
  let d1 = c1;
  let d3 = c3;
  for (let round = 0; round < 10; round++) {
    const m0 = v128.load32_splat(PHILOX);
    const m1 = v128.load32_splat(PHILOX, 4);
    const p = i64x2.extmul_low_i32x4_u(c0, m0);
    const q = i64x2.extmul_high_i32x4_u(c0, m0);
    const r = i64x2.extmul_low_i32x4_u(c2, m1);
    const s = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.shuffle<i32>(r, s, 1, 3, 5, 7), v128.xor(c1, k0));
    c2 = v128.xor(v128.shuffle<i32>(p, q, 1, 3, 5, 7), v128.xor(c3, k1));
    c1 = v128.shuffle<i32>(r, s, 0, 2, 4, 6);
    c3 = v128.shuffle<i32>(p, q, 0, 2, 4, 6);
    const t = i64x2.extmul_low_i32x4_u(d0, m0);
    const u = i64x2.extmul_high_i32x4_u(d0, m0);
    const v = i64x2.extmul_low_i32x4_u(d2, m1);
    const w = i64x2.extmul_high_i32x4_u(d2, m1);
    d0 = v128.xor(v128.shuffle<i32>(v, w, 1, 3, 5, 7), v128.xor(d1, k0));
    d2 = v128.xor(v128.shuffle<i32>(t, u, 1, 3, 5, 7), v128.xor(d3, k1));
    d1 = v128.shuffle<i32>(v, w, 0, 2, 4, 6);
    d3 = v128.shuffle<i32>(t, u, 0, 2, 4, 6);
    k0 = i32x4.add(k0, v128.load32_splat(PHILOX, 8));
    k1 = i32x4.add(k1, v128.load32_splat(PHILOX, 12));
  }
  v128.store(a, c0);
  v128.store(a + next, c1);
  v128.store(b, c2);
  v128.store(b + next, c3);
  v128.store(a + behind, d0);
  v128.store(a + behind + next, d1);
  v128.store(b + behind, d2);
  v128.store(b + behind + next, d3);
}

/** Lanes of the low or high halves of index … index+3. */
// @ts-ignore: decorator
@inline
function indexLanes(index: u64, shift: u64): v128 {
  let lanes = i32x4.splat(<i32>(index >> shift));
  lanes = i32x4.replace_lane(lanes, 1, <i32>((index + 1) >> shift));
  lanes = i32x4.replace_lane(lanes, 2, <i32>((index + 2) >> shift));
  return i32x4.replace_lane(lanes, 3, <i32>((index + 3) >> shift));
}

/** Counters index … index+3 in the four lanes. */
// @ts-ignore: decorator
@inline
export function philoxLanes(seed: u32, stream: u32, index: u64, draw: u32, third: u32, out: usize): void {
  philox4(
    indexLanes(index, 0), indexLanes(index, 32), i32x4.splat(draw), i32x4.splat(third), seed, stream, out, out + 32,
  );
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

/** Two words of each of four counters at `words` become two vectors of −2 log u in their place. */
// @ts-ignore: decorator
@inline
function logarithms(words: usize): void {
  const u0 = uniformOpen(words, 0);
  const u1 = uniformOpen(words, 1);
  v128.store(words, f64x2.mul(f64x2.splat(-2), log(u0)));
  v128.store(words, f64x2.mul(f64x2.splat(-2), log(u1)), 16);
}

/** −2 log u at `a` and words of angles at `b` become two coordinates: of samples 0 and 1 at `a`, of 2 and 3 at `b`. */
// @ts-ignore: decorator
@inline
function turn(a: usize, b: usize, scale: f64): void {
  const factor = f64x2.splat(scale);
  const r0 = f64x2.mul(f64x2.sqrt(v128.load(a)), factor);
  const r1 = f64x2.mul(f64x2.sqrt(v128.load(a, 16)), factor);
  const low = v128.load(b);
  const high = v128.load(b, 16);
  const t0 = f64x2.sub(mantissa(low, high, 0), f64x2.splat(1));
  const t1 = f64x2.sub(mantissa(low, high, 1), f64x2.splat(1));
  v128.store(a, f64x2.mul(r0, sinTurns(t0, 1)));
  v128.store(a, f64x2.mul(r0, sinTurns(t0, 0)), 16);
  v128.store(b, f64x2.mul(r1, sinTurns(t1, 1)));
  v128.store(b, f64x2.mul(r1, sinTurns(t1, 0)), 16);
}

/**
 * Standard normals (Box–Muller, 52-bit uniforms) for samples index … index + 4·groups − 1 as f64 blocks
 * [2·groups][coordinates], times `scale`. Draw d gives coordinates 2d and 2d+1. `words` is 64 bytes of scratch.
 *
 * Words, logarithms and the rest are three passes, each in the place of the one before: in one, the long chains of operations
 * behind one another leave the processor half idle.
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
  groups: i32,
  out: usize,
  words: usize,
): void {
  const block = <usize>coordinates * VECTOR;
  const pairs = coordinates >> 1;
  const end = out + <usize>groups * 2 * block;
  const even = <usize>pairs * 2 * VECTOR;
  let first = index;
  for (let g = out; g < end; g += 2 * block, first += 4) {
    const low = indexLanes(first, 0);
    const upper = indexLanes(first, 32);
    let p = g;
    let d = 0;
    for (; d + 1 < pairs; d += 2, p += 4 * VECTOR) {
      philox4Twice(
        low, low, upper, i32x4.splat(d), i32x4.splat(d + 1), i32x4.splat(third), seed, stream, p, p + block, 16, 32,
      );
    }
    if (d < pairs) philox4(low, upper, i32x4.splat(d), i32x4.splat(third), seed, stream, p, p + block);
  }
  for (let g = out; g < end; g += 2 * block) {
    for (let p = g; p < g + even; p += 2 * VECTOR) logarithms(p);
  }
  for (let g = out; g < end; g += 2 * block) {
    for (let p = g; p < g + even; p += 2 * VECTOR) turn(p, p + block, scale);
  }
  if (coordinates & 1) {
    first = index;
    for (let p = out + even; p < end; p += 2 * block, first += 4) {
      philoxLanes(seed, stream, first, pairs, third, words);
      logarithms(words);
      turn(words, words + 32, scale);
      v128.store(p, v128.load(words));
      v128.store(p + block, v128.load(words, 32));
    }
  }
}

/** Bytes of normals that the passes work on at a time, well within L1. */
const PASS_BYTES: i32 = 8192;

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
  const step = max(1, PASS_BYTES / (2 * coordinates * <i32>VECTOR));
  for (let g = 0; g < groups; g += step) {
    normalLanes(seed, stream, index, 0, scale, coordinates, min(step, groups - g), out, words);
    index += 4 * step;
    out += <usize>(2 * coordinates * step) * VECTOR;
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
