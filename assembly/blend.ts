// Blends of table rows over time kernels, and their reverse: small dense products whose rows are as long as a table. Blocks
// of two outputs by four vectors keep what is summed in registers.

import { VECTOR, laneSum } from './lanes';

/** Vectors of a block; lengths are rounded up to it, so that buffers need room for that. */
const BLOCK: usize = 4 * VECTOR;

/**
 * out_i = Σ_j a_ij in_j for `outputs` rows of `bytes` (a multiple of 64) at `out` + i·outStride from `inputs` rows at
 * `input` + j·inStride, with coefficients of T at `a` + i·aStride + j·aStep. Rows are summed in the order of j.
 */
export function combineRows<T extends number>(
  a: usize,
  aStride: usize,
  aStep: usize,
  outputs: i32,
  inputs: i32,
  input: usize,
  inStride: usize,
  bytes: usize,
  out: usize,
  outStride: usize,
): void {
  const zero = v128.splat<T>(<T>0);
  for (let at: usize = 0; at < bytes; at += BLOCK) {
    for (let i = 0; i < outputs; i += 2) {
      // An odd last output is computed twice.
      const next = min(i + 1, outputs - 1);
      let p = a + <usize>i * aStride;
      let q = a + <usize>next * aStride;
      let x0 = zero, x1 = zero, x2 = zero, x3 = zero;
      let y0 = zero, y1 = zero, y2 = zero, y3 = zero;
      let row = input + at;
      for (let j = 0; j < inputs; j++) {
        const s = v128.load_splat<T>(p);
        const t = v128.load_splat<T>(q);
        const r0 = v128.load(row);
        const r1 = v128.load(row, 16);
        const r2 = v128.load(row, 32);
        const r3 = v128.load(row, 48);
        x0 = v128.add<T>(x0, v128.mul<T>(s, r0));
        x1 = v128.add<T>(x1, v128.mul<T>(s, r1));
        x2 = v128.add<T>(x2, v128.mul<T>(s, r2));
        x3 = v128.add<T>(x3, v128.mul<T>(s, r3));
        y0 = v128.add<T>(y0, v128.mul<T>(t, r0));
        y1 = v128.add<T>(y1, v128.mul<T>(t, r1));
        y2 = v128.add<T>(y2, v128.mul<T>(t, r2));
        y3 = v128.add<T>(y3, v128.mul<T>(t, r3));
        p += aStep;
        q += aStep;
        row += inStride;
      }
      const first = out + <usize>i * outStride + at;
      v128.store(first, x0);
      v128.store(first, x1, 16);
      v128.store(first, x2, 32);
      v128.store(first, x3, 48);
      const second = out + <usize>next * outStride + at;
      v128.store(second, y0);
      v128.store(second, y1, 16);
      v128.store(second, y2, 32);
      v128.store(second, y3, 48);
    }
  }
}

/**
 * out_ij = row_i · column_j (f64 [rows][columns]) of `bytes` each (a multiple of 64), at `row` + i·rowStride and
 * `column` + j·columnStride.
 */
export function rowProducts<T extends number>(
  row: usize,
  rowStride: usize,
  rows: i32,
  column: usize,
  columnStride: usize,
  columns: i32,
  bytes: usize,
  out: usize,
): void {
  const zero = v128.splat<T>(<T>0);
  for (let i = 0; i < rows; i += 4) {
    const p0 = row + <usize>i * rowStride;
    const p1 = row + <usize>min(i + 1, rows - 1) * rowStride;
    const p2 = row + <usize>min(i + 2, rows - 1) * rowStride;
    const p3 = row + <usize>min(i + 3, rows - 1) * rowStride;
    for (let j = 0; j < columns; j += 2) {
      const next = min(j + 1, columns - 1);
      const q0 = column + <usize>j * columnStride;
      const q1 = column + <usize>next * columnStride;
      let x0 = zero, x1 = zero, x2 = zero, x3 = zero;
      let y0 = zero, y1 = zero, y2 = zero, y3 = zero;
      for (let at: usize = 0; at < bytes; at += VECTOR) {
        const s = v128.load(q0 + at);
        const t = v128.load(q1 + at);
        const r0 = v128.load(p0 + at);
        const r1 = v128.load(p1 + at);
        const r2 = v128.load(p2 + at);
        const r3 = v128.load(p3 + at);
        x0 = v128.add<T>(x0, v128.mul<T>(s, r0));
        x1 = v128.add<T>(x1, v128.mul<T>(s, r1));
        x2 = v128.add<T>(x2, v128.mul<T>(s, r2));
        x3 = v128.add<T>(x3, v128.mul<T>(s, r3));
        y0 = v128.add<T>(y0, v128.mul<T>(t, r0));
        y1 = v128.add<T>(y1, v128.mul<T>(t, r1));
        y2 = v128.add<T>(y2, v128.mul<T>(t, r2));
        y3 = v128.add<T>(y3, v128.mul<T>(t, r3));
      }
      let o = out + ((<usize>(i * columns + j)) << 3);
      let o1 = out + ((<usize>(i * columns + next)) << 3);
      const step = <usize>columns << 3;
      store<f64>(o, laneSum<T>(x0));
      store<f64>(o1, laneSum<T>(y0));
      if (i + 1 < rows) {
        store<f64>(o + step, laneSum<T>(x1));
        store<f64>(o1 + step, laneSum<T>(y1));
      }
      if (i + 2 < rows) {
        store<f64>(o + 2 * step, laneSum<T>(x2));
        store<f64>(o1 + 2 * step, laneSum<T>(y2));
      }
      if (i + 3 < rows) {
        store<f64>(o + 3 * step, laneSum<T>(x3));
        store<f64>(o1 + 3 * step, laneSum<T>(y3));
      }
    }
  }
}

/** sum_i += x_i for `rows` rows of `bytes` that are `stride` apart. */
export function addRows<T extends number>(rows: i32, stride: usize, bytes: usize, sum: usize, x: usize): void {
  for (let i = 0; i < rows; i++) {
    for (let at: usize = 0; at < bytes; at += VECTOR) {
      v128.store(sum + at, v128.add<T>(v128.load(sum + at), v128.load(x + at)));
    }
    sum += stride;
    x += stride;
  }
}

/** Zeroes the first `bytes` of `rows` rows that are `stride` apart. */
export function clearRows(rows: i32, start: usize, stride: usize, bytes: usize): void {
  for (let i = 0; i < rows; i++) memory.fill(start + <usize>i * stride, 0, bytes);
}

/** The largest index of a group of 16 bytes that is not 0 in any of `rows` rows of `bytes`, or −1. */
export function lastUsed(rows: i32, start: usize, stride: usize, bytes: usize): i32 {
  let used: usize = 0;
  for (let i = 0; i < rows; i++) {
    const row = start + <usize>i * stride;
    let end = bytes;
    while (end > used && !v128.any_true(v128.load(row + end - VECTOR))) end -= VECTOR;
    used = end;
  }
  return <i32>(used >> 4) - 1;
}
