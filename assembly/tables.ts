// Radial functions as uniform piecewise-cubic tables. From their cotangents back to the parameters: tables-reverse.ts.
//
// f(t, d) = Σ_m K̂_m(t) F_m(d),  F_m(d) = Σ_k (R̂_k(d) + s_k²) W_km + b_m   (Köhler, Klein, Noé 2019; conventions in docs/)
//
// Per time kernel m the knot values F_m and slopes h·F'_m are products of the basis with the weights (f64), which make rows
// of four coefficients in the type of the lanes that read them. A stage at time t is a blend of those rows; see blend.ts.
// `knots` is [tiles][columns][F F hF' hF'] in vectors of two knots, tiles of four knots as in radial-basis.ts; columns are
// the time kernels, of every pair of species, and padded to an even number. `weights` is [kernels][columns].

import { VECTOR } from './lanes';
import { TILE_ENTRY } from './radial-basis';

/** knots = basis · weights, plus `offsets` [columns] on the values: Σ_k s_k² W_km + b_m; for the tiles `from` to before `to`. */
export function tableProducts(
  basis: usize,
  windows: usize,
  weights: usize,
  offsets: usize,
  kernels: i32,
  columns: i32,
  from: i32,
  to: i32,
  spacing: f64,
  knots: usize,
): void {
  const weightRow = <usize>columns << 3;
  const h = f64x2.splat(spacing);
  for (let tile = <usize>from; tile < <usize>to; tile++) {
    const first = <usize>load<u32>(windows + (tile << 3));
    const end = <usize>load<u32>(windows + (tile << 3), 4);
    const row = basis + tile * <usize>kernels * TILE_ENTRY;
    for (let m: usize = 0; m < <usize>columns; m += 2) {
      let v0 = v128.load64_splat(offsets + (m << 3));
      let v1 = v0;
      let w0 = v128.load64_splat(offsets + (m << 3), 8);
      let w1 = w0;
      let s0 = f64x2.splat(0);
      let s1 = s0;
      let t0 = s0;
      let t1 = s0;
      let w = weights + first * weightRow + (m << 3);
      const stop = row + end * TILE_ENTRY;
      for (let e = row + first * TILE_ENTRY; e < stop; e += TILE_ENTRY) {
        const a = v128.load64_splat(w);
        const b = v128.load64_splat(w, 8);
        const r0 = v128.load(e);
        const r1 = v128.load(e, 16);
        const g0 = v128.load(e, 32);
        const g1 = v128.load(e, 48);
        v0 = f64x2.add(v0, f64x2.mul(a, r0));
        v1 = f64x2.add(v1, f64x2.mul(a, r1));
        s0 = f64x2.add(s0, f64x2.mul(a, g0));
        s1 = f64x2.add(s1, f64x2.mul(a, g1));
        w0 = f64x2.add(w0, f64x2.mul(b, r0));
        w1 = f64x2.add(w1, f64x2.mul(b, r1));
        t0 = f64x2.add(t0, f64x2.mul(b, g0));
        t1 = f64x2.add(t1, f64x2.mul(b, g1));
        w += weightRow;
      }
      const out = knots + (tile * <usize>columns + m) * TILE_ENTRY;
      v128.store(out, v0);
      v128.store(out, v1, 16);
      v128.store(out, f64x2.mul(s0, h), 32);
      v128.store(out, f64x2.mul(s1, h), 48);
      v128.store(out, w0, 64);
      v128.store(out, w1, 80);
      v128.store(out, f64x2.mul(t0, h), 96);
      v128.store(out, f64x2.mul(t1, h), 112);
    }
  }
}

/** Two rows of coefficients from the values and slopes at the ends of their intervals, one interval a lane. */
// @ts-ignore: decorator
@inline
function storeRows<T extends number>(f0: v128, f1: v128, s0: v128, s1: v128, out: usize): void {
  const rise = f64x2.sub(f1, f0);
  const both = f64x2.add(s0, s1);
  const half = f64x2.mul(f64x2.sub(s1, s0), f64x2.splat(0.5));
  const c0 = f64x2.sub(f64x2.mul(f64x2.add(f0, f1), f64x2.splat(0.5)), f64x2.mul(half, f64x2.splat(0.25)));
  const c1 = f64x2.sub(f64x2.mul(rise, f64x2.splat(1.5)), f64x2.mul(both, f64x2.splat(0.25)));
  const c3 = f64x2.sub(both, f64x2.add(rise, rise));
  const low01 = v128.shuffle<i64>(c0, c1, 0, 2);
  const high01 = v128.shuffle<i64>(c0, c1, 1, 3);
  const low23 = v128.shuffle<i64>(half, c3, 0, 2);
  const high23 = v128.shuffle<i64>(half, c3, 1, 3);
  if (sizeof<T>() == 4) {
    const low = v128.shuffle<i64>(f32x4.demote_f64x2_zero(low01), f32x4.demote_f64x2_zero(low23), 0, 2);
    const high = v128.shuffle<i64>(f32x4.demote_f64x2_zero(high01), f32x4.demote_f64x2_zero(high23), 0, 2);
    v128.store(out, low);
    v128.store(out, high, 16);
  } else {
    v128.store(out, low01);
    v128.store(out, low23, 16);
    v128.store(out, high01, 32);
    v128.store(out, high23, 48);
  }
}

/**
 * Rows c0 … c3 of f(u) = c0 + c1 u + c2 u² + c3 u³, u ∈ [−½, ½] across an interval, for the intervals of the tiles from
 * `from` to before `to`: [columns] tables of `tableBytes`. The knots of tile `to` must be there too.
 */
export function tableRows<T extends number>(
  knots: usize,
  columns: i32,
  from: i32,
  to: i32,
  tableBytes: usize,
  out: usize,
): void {
  const tileBytes = <usize>columns * TILE_ENTRY;
  for (let m: usize = 0; m < <usize>columns; m++) {
    let e = knots + <usize>from * tileBytes + m * TILE_ENTRY;
    let row = out + m * tableBytes + <usize>(16 * from) * sizeof<T>();
    for (let tile = from; tile < to; tile++) {
      const f0 = v128.load(e);
      const f2 = v128.load(e, 16);
      const s0 = v128.load(e, 32);
      const s2 = v128.load(e, 48);
      e += tileBytes;
      const f1 = v128.shuffle<i64>(f0, f2, 1, 2);
      const s1 = v128.shuffle<i64>(s0, s2, 1, 2);
      storeRows<T>(f0, f1, s0, s1, row);
      const f3 = v128.shuffle<i64>(f2, v128.load(e), 1, 2);
      const s3 = v128.shuffle<i64>(s2, v128.load(e, 32), 1, 2);
      storeRows<T>(f2, f3, s2, s3, row + 8 * sizeof<T>());
      row += 16 * sizeof<T>();
    }
  }
}

/**
 * Row `last` of [columns] tables, where distances beyond them end up: the constant F(last·h) if `constant`, else NaN, so that
 * a distance that is not covered cannot pass for one that is. What is left of a block of rows after it is 0.
 */
export function lastRows<T extends number>(
  knots: usize,
  columns: i32,
  last: i32,
  constant: bool,
  tableBytes: usize,
  out: usize,
): void {
  const knot = knots + <usize>((last >> 2) * columns) * TILE_ENTRY + (<usize>(last & 3) << 3);
  for (let m: usize = 0; m < <usize>columns; m++) {
    const row = out + m * tableBytes + <usize>(4 * last) * sizeof<T>();
    memory.fill(row, 0, 16 * sizeof<T>());
    store<T>(row, constant ? <T>load<f64>(knot + m * TILE_ENTRY) : <T>NaN);
  }
}
