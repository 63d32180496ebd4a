// The normalised Gaussian basis of the radial functions at the knots of their tables, and its reverse.
//
//   R̂_k(d) = e_k/(1e-6 + Σ_l e_l),  e_k = exp(−(d−μ_k)²/γ_k²),  R̂'_k = R̂_k (g_k − Σ_l R̂_l g_l),  g_k = −2(d−μ_k)/γ_k²
//
// Knots stand at d_j = j·h in tiles of four, two f64 vectors. Beyond WINDOW widths from its centre a kernel counts as 0:
// e_k < 6e-22 there, so R̂ changes by less than its last bit even where the floor 1e-6 is all of the normaliser. Every
// tile works on the range of kernels that reach it, [first, end) in `windows` (u32 pairs), and on no others.
//
// Everything here is f64. `basis` is [tiles][kernels][R̂ R̂ R̂' R̂'] in vectors; entries outside windows are never looked at.

import { VECTOR } from './lanes';
import { exp } from './math';

/** Keeps the normaliser of the radial basis away from 0 beyond the last centre. */
const BASIS_FLOOR: f64 = 1e-6;
const WINDOW: f64 = 7;
/** Bytes of a tile's numbers for one kernel, or one time kernel: two quantities in two vectors each. */
export const TILE_ENTRY: usize = 4 * VECTOR;

/** Distances of the tile's first two knots; the other two are 2h further on. */
// @ts-ignore: decorator
@inline
function tileStart(tile: i32, spacing: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(<f64>(4 * tile) * spacing), 1, <f64>(4 * tile + 1) * spacing);
}

/** Which kernels reach which tile. `invGamma` [kernels] holds 1/γ. Where none does the range is empty. */
export function basisWindows(mu: usize, invGamma: usize, kernels: i32, tiles: i32, spacing: f64, windows: usize): void {
  memory.fill(windows, 0, <usize>tiles << 3);
  const invTile = 1 / (4 * spacing);
  for (let k = 0; k < kernels; k++) {
    const center = load<f64>(mu + (<usize>k << 3));
    const reach = WINDOW / load<f64>(invGamma + (<usize>k << 3));
    const from = <i32>max(0, min(<f64>tiles, (center - reach) * invTile));
    const to = <i32>max(0, min(<f64>tiles, (center + reach) * invTile + 1));
    for (let tile = from; tile < to; tile++) {
      const range = windows + (<usize>tile << 3);
      if (load<u32>(range, 4) == 0) store<u32>(range, k);
      store<u32>(range, k + 1, 4);
    }
  }
}

/** R̂ and R̂' at the knots of the tiles from `from` to before `to`. */
export function radialBasis(
  mu: usize,
  invGamma: usize,
  kernels: i32,
  from: i32,
  to: i32,
  spacing: f64,
  windows: usize,
  basis: usize,
): void {
  const step = f64x2.splat(2 * spacing);
  for (let tile = from; tile < to; tile++) {
    const d0 = tileStart(tile, spacing);
    const d1 = f64x2.add(d0, step);
    const first = load<u32>(windows + (<usize>tile << 3));
    const end = load<u32>(windows + (<usize>tile << 3), 4);
    const row = basis + <usize>tile * <usize>kernels * TILE_ENTRY;
    let sum0 = f64x2.splat(BASIS_FLOOR);
    let sum1 = sum0;
    let slopeSum0 = f64x2.splat(0);
    let slopeSum1 = slopeSum0;
    for (let k: usize = first; k < <usize>end; k++) {
      const center = v128.load64_splat(mu + (k << 3));
      const scale = v128.load64_splat(invGamma + (k << 3));
      const twice = f64x2.mul(scale, f64x2.splat(-2));
      const u0 = f64x2.mul(f64x2.sub(d0, center), scale);
      const u1 = f64x2.mul(f64x2.sub(d1, center), scale);
      const e0 = exp<f64>(f64x2.neg(f64x2.mul(u0, u0)));
      const e1 = exp<f64>(f64x2.neg(f64x2.mul(u1, u1)));
      const g0 = f64x2.mul(u0, twice);
      const g1 = f64x2.mul(u1, twice);
      const entry = row + k * TILE_ENTRY;
      v128.store(entry, e0);
      v128.store(entry, e1, 16);
      v128.store(entry, g0, 32);
      v128.store(entry, g1, 48);
      sum0 = f64x2.add(sum0, e0);
      sum1 = f64x2.add(sum1, e1);
      slopeSum0 = f64x2.add(slopeSum0, f64x2.mul(e0, g0));
      slopeSum1 = f64x2.add(slopeSum1, f64x2.mul(e1, g1));
    }
    const scale0 = f64x2.div(f64x2.splat(1), sum0);
    const scale1 = f64x2.div(f64x2.splat(1), sum1);
    const mean0 = f64x2.mul(slopeSum0, scale0);
    const mean1 = f64x2.mul(slopeSum1, scale1);
    for (let k: usize = first; k < <usize>end; k++) {
      const entry = row + k * TILE_ENTRY;
      const value0 = f64x2.mul(v128.load(entry), scale0);
      const value1 = f64x2.mul(v128.load(entry, 16), scale1);
      v128.store(entry, value0);
      v128.store(entry, value1, 16);
      v128.store(entry, f64x2.mul(value0, f64x2.sub(v128.load(entry, 32), mean0)), 32);
      v128.store(entry, f64x2.mul(value1, f64x2.sub(v128.load(entry, 48), mean1)), 48);
    }
  }
}

/**
 * Cotangents of centres and log-widths from those of the basis. Of one half of a tile, for kernel k: a, b are the
 * cotangents of R̂_k and R̂'_k. With λ_k = log e_k,
 *   λ̄_k = R̂_k (c_k − Σ_l R̂_l c_l),  c_k = a_k + b_k (g_k − Σ_l R̂_l g_l) − β g_k,  β = Σ_l R̂_l b_l,  ḡ_k = R̂_k (b_k − β).
 * Adds to `muBars`, `logGammaBars` [kernels] vectors. `bars` holds a and b, [kernels][a a b b] in vectors; `half` is 0 or 16.
 */
// @ts-ignore: decorator
@inline
function halfTileReverse(
  d: v128,
  mu: usize,
  invGamma: usize,
  first: u32,
  end: u32,
  row: usize,
  bars: usize,
  half: usize,
  muBars: usize,
  logGammaBars: usize,
): void {
  let meanSlope = f64x2.splat(0);
  let beta = f64x2.splat(0);
  for (let k: usize = first; k < <usize>end; k++) {
    const scale = v128.load64_splat(invGamma + (k << 3));
    const u = f64x2.mul(f64x2.sub(d, v128.load64_splat(mu + (k << 3))), scale);
    const g = f64x2.mul(u, f64x2.mul(scale, f64x2.splat(-2)));
    const value = v128.load(row + k * TILE_ENTRY + half);
    meanSlope = f64x2.add(meanSlope, f64x2.mul(value, g));
    beta = f64x2.add(beta, f64x2.mul(value, v128.load(bars + k * TILE_ENTRY + half, 32)));
  }
  let mean = f64x2.splat(0);
  for (let k: usize = first; k < <usize>end; k++) {
    const scale = v128.load64_splat(invGamma + (k << 3));
    const u = f64x2.mul(f64x2.sub(d, v128.load64_splat(mu + (k << 3))), scale);
    const g = f64x2.mul(u, f64x2.mul(scale, f64x2.splat(-2)));
    const bar = bars + k * TILE_ENTRY + half;
    let c = f64x2.add(v128.load(bar), f64x2.mul(v128.load(bar, 32), f64x2.sub(g, meanSlope)));
    c = f64x2.sub(c, f64x2.mul(beta, g));
    v128.store(bar, c);
    mean = f64x2.add(mean, f64x2.mul(v128.load(row + k * TILE_ENTRY + half), c));
  }
  for (let k: usize = first; k < <usize>end; k++) {
    const scale = v128.load64_splat(invGamma + (k << 3));
    const u = f64x2.mul(f64x2.sub(d, v128.load64_splat(mu + (k << 3))), scale);
    const bar = bars + k * TILE_ENTRY + half;
    const value = v128.load(row + k * TILE_ENTRY + half);
    const lambdaBar = f64x2.mul(value, f64x2.sub(v128.load(bar), mean));
    const slopeBar = f64x2.mul(f64x2.mul(value, f64x2.sub(v128.load(bar, 32), beta)), scale);
    // λ and g depend on μ and log γ through u: ∂λ/∂μ = 2u/γ, ∂g/∂μ = 2/γ², ∂λ/∂log γ = 2u², ∂g/∂log γ = 4u/γ
    const inner = f64x2.add(f64x2.mul(u, lambdaBar), slopeBar);
    const center = f64x2.mul(inner, f64x2.add(scale, scale));
    const width = f64x2.mul(f64x2.add(inner, slopeBar), f64x2.add(u, u));
    const q = k * VECTOR;
    v128.store(muBars + q, f64x2.add(v128.load(muBars + q), center));
    v128.store(logGammaBars + q, f64x2.add(v128.load(logGammaBars + q), width));
  }
}

/**
 * Adds the part of one tile to `muBars` and `logGammaBars`, [kernels] vectors whose lanes sum to the cotangents, given those of
 * R̂ and R̂' in `bars` [kernels][a a b b], which is overwritten.
 */
export function radialBasisTileReverse(
  mu: usize,
  invGamma: usize,
  kernels: i32,
  tile: i32,
  spacing: f64,
  windows: usize,
  basis: usize,
  bars: usize,
  muBars: usize,
  logGammaBars: usize,
): void {
  const d0 = tileStart(tile, spacing);
  const d1 = f64x2.add(d0, f64x2.splat(2 * spacing));
  const first = load<u32>(windows + (<usize>tile << 3));
  const end = load<u32>(windows + (<usize>tile << 3), 4);
  const row = basis + <usize>tile * <usize>kernels * TILE_ENTRY;
  halfTileReverse(d0, mu, invGamma, first, end, row, bars, 0, muBars, logGammaBars);
  halfTileReverse(d1, mu, invGamma, first, end, row, bars, 16, muBars, logGammaBars);
}
