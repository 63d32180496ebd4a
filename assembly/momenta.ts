// Fresh momenta of Markov chains: Box–Muller in f32 from 32-bit uniforms, one Philox word a number, four chains a vector.
//
// A chain proposes with the momentum that it drew, as rounded, and its acceptance counts the kinetic energy of that momentum;
// so rounding (1e-7) coarsens the set of proposals and biases no acceptance. Numbers end at √(64 ln 2) = 6.66, beyond which
// N(0, 1) has 3e-11. The prior of flows has the f64 normals of random.ts: log q is the density of what was drawn.

import { VECTOR } from './lanes';
import { philox4Twice } from './random';

/** Bytes of a pair of words or numbers of four chains, and of the two pairs that one Philox counter a lane gives. */
export const PAIR: usize = 2 * VECTOR;
const DRAW: usize = 2 * PAIR;

/** −2 ln u of f32 lanes for u = (⌊word/2⌋ + ½)·2⁻³¹, from 0 to 44.4; relative error below 3e-7. */
// @ts-ignore: decorator
@inline
function minusTwiceLog(word: v128): v128 {
  // u·2³¹ = 2^k·m with √½ ≤ m < √2, whose bits are subtracted to find k, and ln m = 2 artanh((m − 1)/(m + 1))
  const v = f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_u(word, 1)), f32x4.splat(0.5));
  const bits = i32x4.sub(v, i32x4.splat(0x3f3504f3));
  const m = i32x4.sub(v, v128.and(bits, i32x4.splat(<i32>0xff800000)));
  const k = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const one = f32x4.splat(1);
  const s = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const z = f32x4.mul(s, s);
  // 4·artanh(√z)/√z: minimax fit, relative error 7e-10
  let p = f32x4.splat(0.598513);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.79949588));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.33333632));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(4));
  return f32x4.sub(f32x4.mul(f32x4.sub(f32x4.splat(31), k), f32x4.splat(1.3862943611198906)), f32x4.mul(s, p));
}

/**
 * −2 ln u at `p` and words of angles behind it become two normals. The angle is π·2⁻³¹ times the word's low 31 bits as a signed
 * number, in [−π/2, π/2], and the highest bit turns it by π. Sine and cosine have absolute errors below 2e-7.
 */
// @ts-ignore: decorator
@inline
function turn(p: usize): void {
  const word = v128.load(p, 16);
  const sign = v128.and(word, i32x4.splat(<i32>0x80000000));
  const r = v128.xor(f32x4.sqrt(v128.load(p)), sign);
  const a = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shl(word, 1)), f32x4.splat(<f32>(Math.PI / 4294967296.0)));
  const z = f32x4.mul(a, a);
  // sin(a)/a and cos(a) by a²: minimax fits on [−π/2, π/2], absolute errors 3e-9 and 5e-8
  let s = f32x4.splat(2.59048850e-6);
  s = f32x4.add(f32x4.mul(s, z), f32x4.splat(-1.98008978e-4));
  s = f32x4.add(f32x4.mul(s, z), f32x4.splat(8.33289982e-3));
  s = f32x4.add(f32x4.mul(s, z), f32x4.splat(-1.66666476e-1));
  s = f32x4.add(f32x4.mul(s, z), f32x4.splat(9.99999977e-1));
  let c = f32x4.splat(2.31539317e-5);
  c = f32x4.add(f32x4.mul(c, z), f32x4.splat(-1.38537043e-3));
  c = f32x4.add(f32x4.mul(c, z), f32x4.splat(4.16635847e-2));
  c = f32x4.add(f32x4.mul(c, z), f32x4.splat(-4.99999053e-1));
  c = f32x4.add(f32x4.mul(c, z), f32x4.splat(9.99999953e-1));
  v128.store(p, f32x4.mul(r, c));
  v128.store(p, f32x4.mul(r, f32x4.mul(a, s)), 16);
}

/** Pairs that hold `numbers` normals. */
// @ts-ignore: decorator
@inline
function normalPairs(numbers: i32): i32 {
  return (numbers + 1) >> 1;
}

/** Philox counters of a chain and a step: for the normals and the pair behind them. */
// @ts-ignore: decorator
@inline
function counters(numbers: i32): i32 {
  return (normalPairs(numbers) + 2) >> 1;
}

/** Bytes from one group of four chains to the next. */
// @ts-ignore: decorator
@inline
export function drawBytes(numbers: i32): usize {
  return <usize>counters(numbers) * DRAW;
}

/** Where in a group's draws the pair for acceptance and step length stands. */
// @ts-ignore: decorator
@inline
export function decisionAt(numbers: i32): usize {
  return <usize>normalPairs(numbers) * PAIR;
}

/** Bytes that `drawMomenta` writes to; counters go two by two, so that the last may be of no use. */
// @ts-ignore: decorator
@inline
export function drawScratch(numbers: i32, groups: i32): i32 {
  return groups * <i32>drawBytes(numbers) + <i32>DRAW;
}

/**
 * For chains `chain` … chain + 4·groups − 1 (below 2³²), four to a vector, `drawBytes` a group: `numbers` standard normals, then
 * −2 ln u for acceptance and a word for the step's length. They depend on (seed, stream, chain, step) alone.
 *
 * Words, logarithms and the rest are three passes, each in the place of the one before, as for f64 normals.
 */
// @ts-ignore: decorator
@inline
export function drawMomenta(
  seed: u32, stream: u32, chain: u32, step: u32, numbers: i32, groups: i32, out: usize,
): void {
  const perGroup = counters(numbers);
  const end = out + <usize>groups * drawBytes(numbers);
  const lanes = i32x4(0, 1, 2, 3);
  const zero = i32x4.splat(0);
  const third = i32x4.splat(step);
  let draw = 0;
  for (let p = out; p < end; p += 2 * DRAW) {
    const c0 = i32x4.add(i32x4.splat(chain), lanes);
    const c2 = i32x4.splat(draw);
    if (++draw == perGroup) {
      draw = 0;
      chain += 4;
    }
    const d0 = i32x4.add(i32x4.splat(chain), lanes);
    philox4Twice(c0, d0, zero, c2, i32x4.splat(draw), third, seed, stream, p, p + VECTOR, PAIR, DRAW);
    if (++draw == perGroup) {
      draw = 0;
      chain += 4;
    }
  }
  const decision = decisionAt(numbers);
  for (let g = out; g < end; g += drawBytes(numbers)) {
    for (let p = g; p <= g + decision; p += PAIR) v128.store(p, minusTwiceLog(v128.load(p)));
  }
  for (let g = out; g < end; g += drawBytes(numbers)) {
    for (let p = g; p < g + decision; p += PAIR) turn(p);
  }
}

/** `drawMomenta` for tests and benchmarks. */
export function momenta(
  seed: u32, stream: u32, chain: u32, step: u32, numbers: i32, groups: i32, out: usize,
): void {
  drawMomenta(seed, stream, chain, step, numbers, groups, out);
}

/** `drawScratch` for tests and benchmarks. */
export function momentaBytes(numbers: i32, groups: i32): i32 {
  return drawScratch(numbers, groups);
}
