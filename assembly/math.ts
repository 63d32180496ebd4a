// Elementary functions on lanes. Used instead of the engine's `Math` because that may differ between versions in the
// last bit, and a sample must be the same bytes everywhere. Bounds are measured by test/kernels/math.test.ts.

import { VECTOR } from './lanes';

export const MAGIC32: f32 = 12582912; // 1.5·2^23: adding it rounds to an integer that stands in the low mantissa bits
export const MAGIC64: f64 = 6755399441055744; // 1.5·2^52

/**
 * exp of each lane, below 1.1 ulp in either precision. Arguments are clamped to [−69, 88] (f32) and [−700, 709] (f64): the
 * lower end keeps results above 2^−100, far from denormals that cost 2.4× downstream. NaN gives the lower end.
 */
// @ts-ignore: decorator
@inline
export function exp<T extends number>(x: v128): v128 {
  if (sizeof<T>() == 4) {
    x = f32x4.pmin(f32x4.splat(88), f32x4.pmax(f32x4.splat(-69), x));
    const y = f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504088896)), f32x4.splat(MAGIC32));
    const n = f32x4.sub(y, f32x4.splat(MAGIC32));
    let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
    r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
    // exp(r) = 1 + r + r²P(r), |r| ≤ ln2/2; Chebyshev fit, relative error 1.0e-8
    let p = f32x4.splat(0.0013926213466332443);
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.0083632029715758549));
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.0416665544376859389));
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.1666657684599397631));
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
    p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r), f32x4.splat(1));
    return i32x4.add(p, i32x4.shl(y, 23));
  }
  x = f64x2.pmin(f64x2.splat(709), f64x2.pmax(f64x2.splat(-700), x));
  const y = f64x2.add(f64x2.mul(x, f64x2.splat(1.4426950408889634)), f64x2.splat(MAGIC64));
  const n = f64x2.sub(y, f64x2.splat(MAGIC64));
  let r = f64x2.sub(x, f64x2.mul(n, f64x2.splat(6.93147180369123816490e-1)));
  r = f64x2.sub(r, f64x2.mul(n, f64x2.splat(1.90821492927058770002e-10)));
  // Chebyshev fit, relative error 1.7e-17
  let p = f64x2.splat(2.5100424157005066788e-8);
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(2.7620138719733995569e-7));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(2.7557268378684192873e-6));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(2.4801521190217727651e-5));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.9841269863105968748e-4));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.3888888917281793308e-3));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(8.3333333333300513464e-3));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(4.1666666666623991516e-2));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.6666666666666667456e-1));
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.50000000000000010262));
  p = f64x2.add(f64x2.add(f64x2.mul(f64x2.mul(r, r), p), r), f64x2.splat(1));
  return i64x2.add(p, i64x2.shl(y, 52));
}

/** tanh of each lane = 1 − 2/(e^{2a} + 1); absolute error below 2e-7 (f32) and 4e-16 (f64), which is what a hidden unit needs. */
// @ts-ignore: decorator
@inline
export function tanh<T extends number>(a: v128): v128 {
  // Beyond |a| = 40 the result is ±1 in either precision; the clamp keeps e^{2a} finite.
  const bounded = v128.pmin<T>(v128.splat<T>(<T>40), v128.pmax<T>(v128.splat<T>(<T>-40), a));
  const e = exp<T>(v128.add<T>(bounded, bounded));
  const one = v128.splat<T>(<T>1);
  return v128.sub<T>(one, v128.div<T>(v128.splat<T>(<T>2), v128.add<T>(e, one)));
}

/** log of each f64 lane, for positive normal numbers, below 1 ulp. Reduction and coefficients of fdlibm's e_log.c. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  // x = 2^k·(1 + f) with √½ ≤ 1 + f < √2: subtracting the bits of √½ leaves k in the exponent field.
  const bits = i64x2.sub(x, i64x2.splat(0x3fe6a09e667f3bcd));
  const m = i64x2.sub(x, v128.and(bits, i64x2.splat(0xfff0000000000000)));
  // k as f64: k + 1024, which is positive, in the low bits of 2^52. There is no instruction for signed shifts of 64 bits.
  const k = i64x2.shr_u(i64x2.add(bits, i64x2.splat(0x4000000000000000)), 52);
  const kf = f64x2.sub(v128.or(k, i64x2.splat(0x4330000000000000)), f64x2.splat(4503599627371520));
  const f = f64x2.sub(m, f64x2.splat(1));
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2), f));
  const z = f64x2.mul(s, s);
  let r = f64x2.splat(1.479819860511658591e-1);
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(1.531383769920937332e-1));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(1.818357216161805012e-1));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.222219843214978396e-1));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.857142874366239149e-1));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(3.999999999940941908e-1));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(6.666666666666735130e-1));
  r = f64x2.mul(r, z);
  const half = f64x2.mul(f64x2.splat(0.5), f64x2.mul(f, f));
  const low = f64x2.add(
    f64x2.mul(s, f64x2.add(half, r)),
    f64x2.mul(kf, f64x2.splat(1.90821492927058770002e-10)),
  );
  return f64x2.sub(
    f64x2.mul(kf, f64x2.splat(6.93147180369123816490e-1)),
    f64x2.sub(f64x2.sub(half, low), f),
  );
}

/** The angle 2πu − qπ/2 in [−π/4, π/4] where q = round(4u), for u in turns, |u| < 2^50. */
// @ts-ignore: decorator
@inline
function reducedAngle(u: v128, quadrant: v128): v128 {
  const q = f64x2.sub(quadrant, f64x2.splat(MAGIC64));
  const rest = f64x2.sub(u, f64x2.mul(q, f64x2.splat(0.25)));
  return f64x2.mul(rest, f64x2.splat(6.283185307179586));
}

// @ts-ignore: decorator
@inline
function sinKernel(a: v128, z: v128): v128 {
  let p = f64x2.splat(1.58969099521155010221e-10);
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(-2.50507602534068634195e-8));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.75573137070700676789e-6));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(-1.98412698298579493134e-4));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(8.33333333332248946124e-3));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(-1.66666666666666324348e-1));
  return f64x2.add(f64x2.mul(f64x2.mul(p, z), a), a);
}

// @ts-ignore: decorator
@inline
function cosKernel(z: v128): v128 {
  let p = f64x2.splat(-1.13596475577881948265e-11);
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.08757232129817482790e-9));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(-2.75573143513906633035e-7));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.48015872894767294178e-5));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(-1.38888888888741095749e-3));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(4.16666666666666019037e-2));
  return f64x2.add(f64x2.sub(f64x2.mul(f64x2.mul(p, z), z), f64x2.mul(f64x2.splat(0.5), z)), f64x2.splat(1));
}

/**
 * sin(2πu + turn·π/2) of f64 lanes with u in turns, so that the reduction is exact; turn = 0 gives the sine, 1 the cosine.
 * Absolute error below 2^−52. Polynomials of fdlibm's k_sin.c and k_cos.c.
 */
// @ts-ignore: decorator
@inline
export function sinTurns(u: v128, turn: i64): v128 {
  const quadrant = f64x2.add(f64x2.mul(u, f64x2.splat(4)), f64x2.splat(MAGIC64));
  const a = reducedAngle(u, quadrant);
  const z = f64x2.mul(a, a);
  const q = i64x2.add(quadrant, i64x2.splat(turn));
  const odd = i64x2.neg(v128.and(q, i64x2.splat(1)));
  const value = v128.bitselect(cosKernel(z), sinKernel(a, z), odd);
  const sign = i64x2.shl(i64x2.shr_u(q, 1), 63);
  return v128.xor(value, sign);
}

/** Test access: applies function 0 exp, 1 tanh, 2 log, 3 sin 2πu, 4 cos 2πu to `vectors` vectors in place. */
export function elementary<T extends number>(kind: i32, x: usize, vectors: i32): void {
  for (let i = 0; i < vectors; i++, x += VECTOR) {
    const value = v128.load(x);
    if (kind == 0) v128.store(x, exp<T>(value));
    else if (kind == 1) v128.store(x, tanh<T>(value));
    else if (kind == 2) v128.store(x, log(value));
    else v128.store(x, sinTurns(value, <i64>(kind - 3)));
  }
}
