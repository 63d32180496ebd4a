// The tableau of Dormand–Prince 5(4) and the sums over slopes that it asks for. Coefficients: Dormand & Prince, J. Comput.
// Appl. Math. 6 (1980) 19; Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations I, table II.5.2.
//
// The seven slopes k₁ … k₇ stand `stride` bytes apart. k₇ is the velocity at the step's end, so it is the next step's k₁.

import { VECTOR, accumulate, lanes } from './lanes';

/** out = base + h Σ_j a_j k_j over the first `terms` slopes. A coefficient that is 0 when compiled costs nothing. */
// @ts-ignore: decorator
@inline
export function addSlopes<T extends number>(
  terms: i32,
  a1: f64,
  a2: f64,
  a3: f64,
  a4: f64,
  a5: f64,
  a6: f64,
  a7: f64,
  h: f64,
  base: usize,
  slopes: usize,
  stride: usize,
  out: usize,
  bytes: usize,
): void {
  const c1 = v128.splat<T>(<T>(h * a1));
  const c2 = v128.splat<T>(<T>(h * a2));
  const c3 = v128.splat<T>(<T>(h * a3));
  const c4 = v128.splat<T>(<T>(h * a4));
  const c5 = v128.splat<T>(<T>(h * a5));
  const c6 = v128.splat<T>(<T>(h * a6));
  const c7 = v128.splat<T>(<T>(h * a7));
  for (let p: usize = 0; p < bytes; p += VECTOR) {
    const k = slopes + p;
    let sum = v128.mul<T>(c1, v128.load(k));
    if (terms > 1 && a2 != 0) sum = v128.add<T>(sum, v128.mul<T>(c2, v128.load(k + stride)));
    if (terms > 2) sum = v128.add<T>(sum, v128.mul<T>(c3, v128.load(k + 2 * stride)));
    if (terms > 3) sum = v128.add<T>(sum, v128.mul<T>(c4, v128.load(k + 3 * stride)));
    if (terms > 4) sum = v128.add<T>(sum, v128.mul<T>(c5, v128.load(k + 4 * stride)));
    if (terms > 5) sum = v128.add<T>(sum, v128.mul<T>(c6, v128.load(k + 5 * stride)));
    if (terms > 6) sum = v128.add<T>(sum, v128.mul<T>(c7, v128.load(k + 6 * stride)));
    v128.store(out + p, v128.add<T>(v128.load(base + p), sum));
  }
}

/** The argument of slope `stage` + 1, `stage` from 1; that of k₇ is the step's end to fifth order. */
export function stageArgument<T extends number>(
  stage: i32,
  h: f64,
  base: usize,
  slopes: usize,
  stride: usize,
  out: usize,
  bytes: usize,
): void {
  if (stage == 1) {
    addSlopes<T>(1, 1.0 / 5, 0, 0, 0, 0, 0, 0, h, base, slopes, stride, out, bytes);
  } else if (stage == 2) {
    addSlopes<T>(2, 3.0 / 40, 9.0 / 40, 0, 0, 0, 0, 0, h, base, slopes, stride, out, bytes);
  } else if (stage == 3) {
    addSlopes<T>(3, 44.0 / 45, -56.0 / 15, 32.0 / 9, 0, 0, 0, 0, h, base, slopes, stride, out, bytes);
  } else if (stage == 4) {
    addSlopes<T>(
      4, 19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729, 0, 0, 0, h, base, slopes, stride, out, bytes,
    );
  } else if (stage == 5) {
    addSlopes<T>(
      5, 9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656, 0, 0,
      h, base, slopes, stride, out, bytes,
    );
  } else {
    addSlopes<T>(
      6, 35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84, 0,
      h, base, slopes, stride, out, bytes,
    );
  }
}

/** Σ_j a_j k_j of one sample's divergences, as `addSlopes` sums them. */
// @ts-ignore: decorator
@inline
function sumOf(k: usize, stride: usize, a1: f64, a3: f64, a4: f64, a5: f64, a6: f64, a7: f64): f64 {
  return (
    a1 * load<f64>(k) +
    a3 * load<f64>(k + 2 * stride) +
    a4 * load<f64>(k + 3 * stride) +
    a5 * load<f64>(k + 4 * stride) +
    a6 * load<f64>(k + 5 * stride) +
    a7 * load<f64>(k + 6 * stride)
  );
}

/** Σ_j b_j k_j: what a step of size 1 adds to log|det|. */
export function divergenceSum(k: usize, stride: usize): f64 {
  return sumOf(k, stride, 35.0 / 384, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84, 0);
}

/** Σ_j (b_j − b̂_j) k_j: the difference between the fifth and the embedded fourth order. */
export function divergenceError(k: usize, stride: usize): f64 {
  return sumOf(k, stride, 71.0 / 57600, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40);
}

/** Per sample of one block: Σ e² of the error estimate e = h Σ (b_j − b̂_j) k_j, then Σ x² at the step's start; f64. */
export function errorNorms<T extends number>(
  h: f64,
  base: usize,
  slopes: usize,
  stride: usize,
  norms: usize,
  bytes: usize,
): void {
  const c1 = v128.splat<T>(<T>(h * (71.0 / 57600)));
  const c3 = v128.splat<T>(<T>(h * (-71.0 / 16695)));
  const c4 = v128.splat<T>(<T>(h * (71.0 / 1920)));
  const c5 = v128.splat<T>(<T>(h * (-17253.0 / 339200)));
  const c6 = v128.splat<T>(<T>(h * (22.0 / 525)));
  const c7 = v128.splat<T>(<T>(h * (-1.0 / 40)));
  let errors = v128.splat<T>(<T>0);
  let squares = errors;
  for (let p: usize = 0; p < bytes; p += VECTOR) {
    const k = slopes + p;
    let e = v128.mul<T>(c1, v128.load(k));
    e = v128.add<T>(e, v128.mul<T>(c3, v128.load(k + 2 * stride)));
    e = v128.add<T>(e, v128.mul<T>(c4, v128.load(k + 3 * stride)));
    e = v128.add<T>(e, v128.mul<T>(c5, v128.load(k + 4 * stride)));
    e = v128.add<T>(e, v128.mul<T>(c6, v128.load(k + 5 * stride)));
    e = v128.add<T>(e, v128.mul<T>(c7, v128.load(k + 6 * stride)));
    const x = v128.load(base + p);
    errors = v128.add<T>(errors, v128.mul<T>(e, e));
    squares = v128.add<T>(squares, v128.mul<T>(x, x));
  }
  const sumBytes = <usize>(lanes<T>() * 8);
  memory.fill(norms, 0, 2 * sumBytes);
  accumulate<T>(norms, errors);
  accumulate<T>(norms + sumBytes, squares);
}
