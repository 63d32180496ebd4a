// The dense field of the non-equivariant baseline: v = P[W₂ tanh(W₁x + o(t)) + b₂] with P the projection on the mean-free
// subspace, and div v = Σ_h (1 − y_h²) (W₁PW₂)_hh, y = tanh(·). P is folded into W₂ and b₂ by the host.
//
// Parameters as the kernels see them, at `parameters`: i32 hidden units H, then u32 addresses of arrays of T:
//   W₁ [H][C], PW₂ [C][H], trace (W₁PW₂)_hh [H], Pb₂ [C]   with C = particles·dimensions;
// in reverse also of arrays of vectors that collect cotangents lane by lane:
//   W₁ [H][C], PW₂ [C][H], trace [H], Pb₂ [C].
// A stage is o(t) [H] of T; its cotangent is [H] vectors.

import { VECTOR, accumulate, lanes } from './lanes';
import { tanh } from './math';

/** Blocks that share one load of a weight. */
export const TILE: i32 = 4;
export const TILE_ROW: usize = 4 * VECTOR;

/** Bytes of scratch: y and its pre-activation's cotangent for every hidden unit of a tile. */
export function denseScratch(hidden: i32): i32 {
  return 2 * hidden * <i32>TILE_ROW;
}

/** y [H][count] of a tile into `y`, and Σ_h (1 − y_h²)·trace_h onto `div` (skipped when 0). */
// @ts-ignore: decorator
@inline
export function hiddenPass<T extends number>(
  count: i32,
  parameters: usize,
  stage: usize,
  x: usize,
  coordinates: i32,
  y: usize,
  div: usize,
): void {
  const hidden = load<i32>(parameters);
  const trace = <usize>load<u32>(parameters, 12);
  let w = <usize>load<u32>(parameters, 4);
  const block = <usize>coordinates * VECTOR;
  const one = v128.splat<T>(<T>1);
  let d0 = v128.splat<T>(<T>0);
  let d1 = d0;
  let d2 = d0;
  let d3 = d0;
  for (let h: usize = 0; h < <usize>hidden; h++) {
    let a0 = v128.load_splat<T>(stage + h * sizeof<T>());
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    for (let c: usize = 0; c < block; c += VECTOR) {
      const weight = v128.load_splat<T>(w);
      w += sizeof<T>();
      const p = x + c;
      a0 = v128.add<T>(a0, v128.mul<T>(weight, v128.load(p)));
      if (count == 4) {
        a1 = v128.add<T>(a1, v128.mul<T>(weight, v128.load(p + block)));
        a2 = v128.add<T>(a2, v128.mul<T>(weight, v128.load(p + 2 * block)));
        a3 = v128.add<T>(a3, v128.mul<T>(weight, v128.load(p + 3 * block)));
      }
    }
    const g = v128.load_splat<T>(trace + h * sizeof<T>());
    const row = y + h * TILE_ROW;
    a0 = tanh<T>(a0);
    v128.store(row, a0);
    d0 = v128.add<T>(d0, v128.mul<T>(g, v128.sub<T>(one, v128.mul<T>(a0, a0))));
    if (count == 4) {
      a1 = tanh<T>(a1);
      a2 = tanh<T>(a2);
      a3 = tanh<T>(a3);
      v128.store(row, a1, 16);
      v128.store(row, a2, 32);
      v128.store(row, a3, 48);
      d1 = v128.add<T>(d1, v128.mul<T>(g, v128.sub<T>(one, v128.mul<T>(a1, a1))));
      d2 = v128.add<T>(d2, v128.mul<T>(g, v128.sub<T>(one, v128.mul<T>(a2, a2))));
      d3 = v128.add<T>(d3, v128.mul<T>(g, v128.sub<T>(one, v128.mul<T>(a3, a3))));
    }
  }
  if (div == 0) return;
  const sums = <usize>(lanes<T>() * 8);
  accumulate<T>(div, d0);
  if (count == 4) {
    accumulate<T>(div + sums, d1);
    accumulate<T>(div + 2 * sums, d2);
    accumulate<T>(div + 3 * sums, d3);
  }
}

/** out[b][c] = start[c] + Σ_h weights[h][c] (or [c][h]) · hidden[h][b]. `start` 0 means none. */
// @ts-ignore: decorator
@inline
export function outputPass<T extends number>(
  count: i32,
  weights: usize,
  unitStride: usize,
  coordinateStride: usize,
  start: usize,
  hidden: i32,
  units: usize,
  out: usize,
  coordinates: i32,
): void {
  const block = <usize>coordinates * VECTOR;
  for (let c: usize = 0; c < <usize>coordinates; c++) {
    let a0 = v128.splat<T>(<T>0);
    if (start != 0) a0 = v128.load_splat<T>(start + c * sizeof<T>());
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let w = weights + c * coordinateStride;
    let p = units;
    for (let h = 0; h < hidden; h++) {
      const weight = v128.load_splat<T>(w);
      w += unitStride;
      a0 = v128.add<T>(a0, v128.mul<T>(weight, v128.load(p)));
      if (count == 4) {
        a1 = v128.add<T>(a1, v128.mul<T>(weight, v128.load(p, 16)));
        a2 = v128.add<T>(a2, v128.mul<T>(weight, v128.load(p, 32)));
        a3 = v128.add<T>(a3, v128.mul<T>(weight, v128.load(p, 48)));
      }
      p += TILE_ROW;
    }
    const at = out + c * VECTOR;
    v128.store(at, a0);
    if (count == 4) {
      v128.store(at + block, a1);
      v128.store(at + 2 * block, a2);
      v128.store(at + 3 * block, a3);
    }
  }
}

// @ts-ignore: decorator
@inline
function forwardTile<T extends number>(
  count: i32,
  parameters: usize,
  stage: usize,
  x: usize,
  v: usize,
  div: usize,
  coordinates: i32,
  scratch: usize,
): void {
  const hidden = load<i32>(parameters);
  hiddenPass<T>(count, parameters, stage, x, coordinates, scratch, div);
  const weights = <usize>load<u32>(parameters, 8);
  const bias = <usize>load<u32>(parameters, 16);
  const size = sizeof<T>();
  outputPass<T>(count, weights, size, <usize>hidden * size, bias, hidden, scratch, v, coordinates);
}

/** Velocity (blocks of T) and divergence (f64 per sample) of the dense field at one stage. */
export function denseField<T extends number>(
  parameters: usize,
  stage: usize,
  x: usize,
  v: usize,
  div: usize,
  coordinates: i32,
  blocks: i32,
  scratch: usize,
): void {
  const block = <usize>coordinates * VECTOR;
  const sums = <usize>(lanes<T>() * 8);
  memory.fill(div, 0, <usize>blocks * sums);
  let b = 0;
  for (; b + TILE <= blocks; b += TILE) {
    const at = <usize>b * block;
    forwardTile<T>(4, parameters, stage, x + at, v + at, div + <usize>b * sums, coordinates, scratch);
  }
  for (; b < blocks; b++) {
    const at = <usize>b * block;
    forwardTile<T>(1, parameters, stage, x + at, v + at, div + <usize>b * sums, coordinates, scratch);
  }
}
