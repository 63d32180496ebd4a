// From the cotangents of table rows to those of the parameters: tables.ts backwards, with its layouts.

import { VECTOR, laneSum } from './lanes';
import { TILE_ENTRY, radialBasisTileReverse } from './radial-basis';

/**
 * Reverse of `tableRows`: `knotBars`, laid out as `knots`, from the cotangents of the rows, [columns] tables of `tableBytes`.
 * Rows beyond `last` must be 0; of row `last` only the constant counts.
 */
export function tableRowsReverse<T extends number>(
  rowBars: usize,
  columns: i32,
  tiles: i32,
  last: i32,
  tableBytes: usize,
  knotBars: usize,
): void {
  const tileBytes = <usize>columns * TILE_ENTRY;
  for (let m: usize = 0; m < <usize>columns; m++) {
    const table = rowBars + m * tableBytes;
    const tail = table + <usize>(4 * last) * sizeof<T>();
    const constant = <f64>load<T>(tail);
    memory.fill(tail, 0, 4 * sizeof<T>());
    let row = table;
    let e = knotBars + m * TILE_ENTRY;
    // What the interval before a knot adds to it; before the first there is none.
    let value = 0.0;
    let slope = 0.0;
    for (let tile = 0; tile < tiles - 1; tile++) {
      for (let j: usize = 0; j < 32; j += 8) {
        const c0 = 0.5 * <f64>load<T>(row);
        const c1 = <f64>load<T>(row + sizeof<T>());
        const c2 = 0.5 * <f64>load<T>(row + 2 * sizeof<T>());
        const c3 = <f64>load<T>(row + 3 * sizeof<T>());
        row += 4 * sizeof<T>();
        const rise = 1.5 * c1 - 2 * c3;
        const bend = 0.25 * c0 - c2;
        const both = c3 - 0.25 * c1;
        store<f64>(e + j, value + c0 - rise);
        store<f64>(e + j, slope + both + bend, 32);
        value = c0 + rise;
        slope = both - bend;
      }
      e += tileBytes;
    }
    memory.fill(e, 0, TILE_ENTRY);
    store<f64>(e, value);
    store<f64>(e, slope, 32);
    const end = knotBars + <usize>(last >> 2) * tileBytes + m * TILE_ENTRY + (<usize>(last & 3) << 3);
    store<f64>(end, load<f64>(end) + constant);
  }
}

/** weightBars += (cotangents of a tile's values and slopes) · basis, for two columns from `m` on. */
// @ts-ignore: decorator
@inline
function addWeightBars(
  row: usize,
  first: usize,
  end: usize,
  h: v128,
  bars: usize,
  weightBars: usize,
  weightBarRow: usize,
): void {
  const v0 = v128.load(bars);
  const v1 = v128.load(bars, 16);
  const s0 = f64x2.mul(v128.load(bars, 32), h);
  const s1 = f64x2.mul(v128.load(bars, 48), h);
  const w0 = v128.load(bars, 64);
  const w1 = v128.load(bars, 80);
  const t0 = f64x2.mul(v128.load(bars, 96), h);
  const t1 = f64x2.mul(v128.load(bars, 112), h);
  let out = weightBars + first * weightBarRow;
  const stop = row + end * TILE_ENTRY;
  for (let e = row + first * TILE_ENTRY; e < stop; e += TILE_ENTRY) {
    const r0 = v128.load(e);
    const r1 = v128.load(e, 16);
    const g0 = v128.load(e, 32);
    const g1 = v128.load(e, 48);
    const a = f64x2.add(f64x2.add(f64x2.mul(v0, r0), f64x2.mul(v1, r1)), f64x2.add(f64x2.mul(s0, g0), f64x2.mul(s1, g1)));
    const b = f64x2.add(f64x2.add(f64x2.mul(w0, r0), f64x2.mul(w1, r1)), f64x2.add(f64x2.mul(t0, g0), f64x2.mul(t1, g1)));
    v128.store(out, f64x2.add(v128.load(out), a));
    v128.store(out, f64x2.add(v128.load(out, 16), b), 16);
    out += weightBarRow;
  }
}

/** Cotangents of R̂_k and R̂'_k of one tile, [kernels][a a b b], for the kernels that reach it: weights · knotBars. */
// @ts-ignore: decorator
@inline
function basisBars(
  weights: usize,
  first: usize,
  end: usize,
  columns: i32,
  h: v128,
  knotBars: usize,
  bars: usize,
): void {
  const weightRow = <usize>columns << 3;
  for (let k = first; k < end; k++) {
    let w = weights + k * weightRow;
    const stop = w + weightRow;
    let a0 = f64x2.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    for (let e = knotBars; w < stop; w += 8, e += TILE_ENTRY) {
      const weight = v128.load64_splat(w);
      a0 = f64x2.add(a0, f64x2.mul(weight, v128.load(e)));
      a1 = f64x2.add(a1, f64x2.mul(weight, v128.load(e, 16)));
      b0 = f64x2.add(b0, f64x2.mul(weight, v128.load(e, 32)));
      b1 = f64x2.add(b1, f64x2.mul(weight, v128.load(e, 48)));
    }
    const out = bars + k * TILE_ENTRY;
    v128.store(out, a0);
    v128.store(out, a1, 16);
    v128.store(out, f64x2.mul(b0, h), 32);
    v128.store(out, f64x2.mul(b1, h), 48);
  }
}

/** Vectors that `tableProductsReverse` adds up for each of its results. */
// @ts-ignore: decorator
@inline
function sumVectors(kernels: i32, columns: i32): usize {
  return <usize>(kernels * (columns + 2) + columns);
}

/** Bytes that a job of `tableProductsReverse` works in, the first of them its sums. */
export function tableReverseScratch(kernels: i32, columns: i32): i32 {
  return <i32>(sumVectors(kernels, columns) * VECTOR) + kernels * <i32>TILE_ENTRY;
}

/**
 * Reverse of `radialBasis` and `tableProducts` for the tiles from `from` to before `to`. At `scratch` are written, in vectors
 * whose lanes sum to the result, the cotangents of the weights [kernels][columns], of the centres and of the log-widths
 * [kernels], of the offsets [columns].
 */
export function tableProductsReverse(
  mu: usize,
  invGamma: usize,
  basis: usize,
  windows: usize,
  weights: usize,
  kernels: i32,
  columns: i32,
  from: i32,
  to: i32,
  spacing: f64,
  knotBars: usize,
  scratch: usize,
): void {
  const weightBarRow = <usize>columns * VECTOR;
  const weightBars = scratch;
  const muBars = weightBars + <usize>kernels * weightBarRow;
  const logGammaBars = muBars + <usize>kernels * VECTOR;
  const offsetBars = logGammaBars + <usize>kernels * VECTOR;
  const bars = offsetBars + weightBarRow;
  memory.fill(scratch, 0, sumVectors(kernels, columns) * VECTOR);
  const h = f64x2.splat(spacing);
  for (let tile = from; tile < to; tile++) {
    const first = <usize>load<u32>(windows + (<usize>tile << 3));
    const end = <usize>load<u32>(windows + (<usize>tile << 3), 4);
    const row = basis + <usize>(tile * kernels) * TILE_ENTRY;
    const tileBars = knotBars + <usize>(tile * columns) * TILE_ENTRY;
    for (let m: usize = 0; m < <usize>columns; m++) {
      const bar = tileBars + m * TILE_ENTRY;
      const out = offsetBars + m * VECTOR;
      v128.store(out, f64x2.add(v128.load(out), f64x2.add(v128.load(bar), v128.load(bar, 16))));
    }
    for (let m: usize = 0; m < <usize>columns; m += 2) {
      addWeightBars(row, first, end, h, tileBars + m * TILE_ENTRY, weightBars + m * VECTOR, weightBarRow);
    }
    basisBars(weights, first, end, columns, h, tileBars, bars);
    radialBasisTileReverse(mu, invGamma, kernels, tile, spacing, windows, basis, bars, muBars, logGammaBars);
  }
}

/** Sums the results of `jobs` jobs, their scratch areas one behind the other, in order and over lanes, into f64 at `out`. */
export function collectReverse(scratch: usize, jobs: i32, kernels: i32, columns: i32, out: usize): void {
  const count = sumVectors(kernels, columns);
  const stride = <usize>tableReverseScratch(kernels, columns);
  for (let i: usize = 0; i < count; i++) {
    let sum = v128.load(scratch + i * VECTOR);
    for (let job: usize = 1; job < <usize>jobs; job++) {
      sum = f64x2.add(sum, v128.load(scratch + job * stride + i * VECTOR));
    }
    store<f64>(out + (i << 3), laneSum<f64>(sum));
  }
}
