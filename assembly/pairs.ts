// The kernel field: v_i = Σ_{j≠i} r_ij f(t, d_ij), div v = Σ_{i≠j} [d f' + D f], from a stage table, and its reverse pass.
//
// Three passes over a tile of pairs keep the pipelines full where one fused loop stalls on its longest chain:
//   1 geometry: distance → table row and fraction;  2 table: cubic, slope, divergence;  3 forces onto both particles.
// A tile is a group of blocks for few particles, or some rows of one block for many, so that scratch stays in L1.
//
// Parameters of the kernel field as the kernels see them: f64 1/h, f64 (intervals − ¼).

import { VECTOR, accumulate, lanes } from './lanes';

const MAGIC32: f32 = 12582912; // 1.5·2^23
const MAGIC64: f64 = 6755399441055744; // 1.5·2^52
/** Pairs that a pass should see at least; below ~50 its start-up shows. */
const TILE_PAIRS: i32 = 64;
/** Bytes of scratch per pair: three vectors forward, four in reverse. */
const FORWARD_ENTRY: usize = 3 * VECTOR;
const REVERSE_ENTRY: usize = 4 * VECTOR;

/** Bytes of scratch that a tile needs at most. */
export function pairScratch(particles: i32): i32 {
  return (TILE_PAIRS + particles) * <i32>REVERSE_ENTRY;
}

/** Blocks that share a tile: as many as fill it. */
// @ts-ignore: decorator
@inline
function blocksPerTile(particles: i32): i32 {
  return max(1, (TILE_PAIRS * 3) / (2 * particles * (particles - 1)));
}

/** The first row beyond a tile that starts at row `first`. */
// @ts-ignore: decorator
@inline
function tileEnd(first: i32, particles: i32): i32 {
  let pairs = 0;
  let row = first;
  while (row < particles - 1 && pairs < TILE_PAIRS) {
    pairs += particles - 1 - row;
    row++;
  }
  return row;
}

/**
 * Stores at `p` the byte offset of the table row (low 32 bits of a lane), the fraction u ∈ [−½, ½] and s = d/h.
 * Rounding by adding 1.5·2^23 (2^52) leaves the row number in the low bits: no conversion instruction.
 */
// @ts-ignore: decorator
@inline
function locate<T extends number>(squared: v128, invSpacing: v128, last: v128, p: usize): void {
  const magic = v128.splat<T>(sizeof<T>() == 4 ? <T>MAGIC32 : <T>MAGIC64);
  const s = v128.mul<T>(v128.sqrt<T>(squared), invSpacing);
  // pmin(last, ·) gives `last` for NaN, so that a table row is always in bounds; NaN survives in s.
  const z = v128.pmin<T>(last, v128.sub<T>(s, v128.splat<T>(<T>0.5)));
  const y = v128.add<T>(z, magic);
  if (sizeof<T>() == 4) v128.store(p, i32x4.shl(y, 4));
  else v128.store(p, i64x2.shl(y, 5));
  v128.store(p, v128.sub<T>(z, v128.sub<T>(y, magic)), 16);
  v128.store(p, s, 32);
}

/** What has to be added to a stored row offset to give its address: the magic number's own bits, shifted, taken off. */
// @ts-ignore: decorator
@inline
function tableBase<T extends number>(stage: usize): u32 {
  return sizeof<T>() == 4 ? <u32>stage - ((<u32>0x4b400000) << 4) : <u32>stage;
}

// @ts-ignore: decorator
@inline
function geometryPass<T extends number>(
  D: i32,
  x: usize,
  first: i32,
  end: i32,
  particles: i32,
  invSpacing: v128,
  last: v128,
  p: usize,
): usize {
  const stride = <usize>D * VECTOR;
  const stop = x + <usize>particles * stride;
  for (let i = first; i < end; i++) {
    const xi = x + <usize>i * stride;
    const a = v128.load(xi);
    const b = v128.load(xi, 16);
    let c = a;
    if (D == 3) c = v128.load(xi, 32);
    for (let xj = xi + stride; xj < stop; xj += stride) {
      const r0 = v128.sub<T>(a, v128.load(xj));
      const r1 = v128.sub<T>(b, v128.load(xj, 16));
      let squared = v128.add<T>(v128.mul<T>(r0, r0), v128.mul<T>(r1, r1));
      if (D == 3) {
        const r2 = v128.sub<T>(c, v128.load(xj, 32));
        squared = v128.add<T>(squared, v128.mul<T>(r2, r2));
      }
      locate<T>(squared, invSpacing, last, p);
      p += FORWARD_ENTRY;
    }
  }
  return p;
}

/** Reads rows, evaluates f into the entry's first vector and adds d f' + D f of the entries to the samples at `div`. */
// @ts-ignore: decorator
@inline
function tablePass<T extends number>(D: i32, base: u32, p: usize, end: usize, div: usize): void {
  let values = v128.splat<T>(<T>0);
  let slopes = values;
  for (; p < end; p += FORWARD_ENTRY) {
    const u = v128.load(p, 16);
    let c0: v128, c1: v128, c2: v128, c3: v128;
    if (sizeof<T>() == 4) {
      const a0 = v128.load(<usize>(load<u32>(p) + base));
      const a1 = v128.load(<usize>(load<u32>(p, 4) + base));
      const a2 = v128.load(<usize>(load<u32>(p, 8) + base));
      const a3 = v128.load(<usize>(load<u32>(p, 12) + base));
      const t0 = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5);
      const t1 = v128.shuffle<i32>(a0, a1, 2, 6, 3, 7);
      const t2 = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
      const t3 = v128.shuffle<i32>(a2, a3, 2, 6, 3, 7);
      c0 = v128.shuffle<i64>(t0, t2, 0, 2);
      c1 = v128.shuffle<i64>(t0, t2, 1, 3);
      c2 = v128.shuffle<i64>(t1, t3, 0, 2);
      c3 = v128.shuffle<i64>(t1, t3, 1, 3);
    } else {
      const q0 = <usize>(load<u32>(p) + base);
      const q1 = <usize>(load<u32>(p, 8) + base);
      const a0 = v128.load(q0);
      const a1 = v128.load(q1);
      const b0 = v128.load(q0, 16);
      const b1 = v128.load(q1, 16);
      c0 = v128.shuffle<i64>(a0, a1, 0, 2);
      c1 = v128.shuffle<i64>(a0, a1, 1, 3);
      c2 = v128.shuffle<i64>(b0, b1, 0, 2);
      c3 = v128.shuffle<i64>(b0, b1, 1, 3);
    }
    const cubic = v128.mul<T>(c3, u);
    const a = v128.add<T>(cubic, c2);
    const b = v128.add<T>(v128.mul<T>(a, u), c1);
    const f = v128.add<T>(v128.mul<T>(b, u), c0);
    const slope = v128.add<T>(v128.mul<T>(v128.add<T>(a, cubic), u), b);
    v128.store(p, f);
    values = v128.add<T>(values, f);
    slopes = v128.add<T>(slopes, v128.mul<T>(slope, v128.load(p, 32)));
  }
  const sum = v128.add<T>(slopes, v128.mul<T>(values, v128.splat<T>(<T>D)));
  accumulate<T>(div, v128.add<T>(sum, sum));
}

// @ts-ignore: decorator
@inline
function forcePass<T extends number>(
  D: i32,
  x: usize,
  v: usize,
  first: i32,
  end: i32,
  particles: i32,
  p: usize,
): usize {
  const stride = <usize>D * VECTOR;
  const stop = x + <usize>particles * stride;
  const shift = v - x;
  for (let i = first; i < end; i++) {
    const xi = x + <usize>i * stride;
    const vi = xi + shift;
    const a = v128.load(xi);
    const b = v128.load(xi, 16);
    let c = a;
    let va = v128.load(vi);
    let vb = v128.load(vi, 16);
    let vc = va;
    if (D == 3) {
      c = v128.load(xi, 32);
      vc = v128.load(vi, 32);
    }
    for (let xj = xi + stride; xj < stop; xj += stride) {
      const vj = xj + shift;
      const f = v128.load(p);
      const f0 = v128.mul<T>(v128.sub<T>(a, v128.load(xj)), f);
      const f1 = v128.mul<T>(v128.sub<T>(b, v128.load(xj, 16)), f);
      va = v128.add<T>(va, f0);
      vb = v128.add<T>(vb, f1);
      v128.store(vj, v128.sub<T>(v128.load(vj), f0));
      v128.store(vj, v128.sub<T>(v128.load(vj, 16), f1), 16);
      if (D == 3) {
        const f2 = v128.mul<T>(v128.sub<T>(c, v128.load(xj, 32)), f);
        vc = v128.add<T>(vc, f2);
        v128.store(vj, v128.sub<T>(v128.load(vj, 32), f2), 32);
      }
      p += FORWARD_ENTRY;
    }
    v128.store(vi, va);
    v128.store(vi, vb, 16);
    if (D == 3) v128.store(vi, vc, 32);
  }
  return p;
}

// @ts-ignore: decorator
@inline
function forward<T extends number>(
  D: i32,
  parameters: usize,
  stage: usize,
  x: usize,
  v: usize,
  div: usize,
  particles: i32,
  blocks: i32,
  scratch: usize,
): void {
  const invSpacing = v128.splat<T>(<T>load<f64>(parameters));
  const last = v128.splat<T>(<T>load<f64>(parameters, 8));
  const base = tableBase<T>(stage);
  const blockBytes = <usize>(particles * D) * VECTOR;
  const sumBytes = <usize>(lanes<T>() * 8);
  const group = blocksPerTile(particles);
  memory.fill(v, 0, <usize>blocks * blockBytes);
  memory.fill(div, 0, <usize>blocks * sumBytes);
  for (let b0 = 0; b0 < blocks; b0 += group) {
    const b1 = min(b0 + group, blocks);
    for (let first = 0, end = 0; first < particles - 1; first = end) {
      end = tileEnd(first, particles);
      let p = scratch;
      for (let b = b0; b < b1; b++) {
        p = geometryPass<T>(D, x + <usize>b * blockBytes, first, end, particles, invSpacing, last, p);
      }
      const blockEntries = (p - scratch) / <usize>(b1 - b0);
      p = scratch;
      for (let b = b0; b < b1; b++, p += blockEntries) {
        tablePass<T>(D, base, p, p + blockEntries, div + <usize>b * sumBytes);
      }
      p = scratch;
      for (let b = b0; b < b1; b++) {
        p = forcePass<T>(D, x + <usize>b * blockBytes, v + <usize>b * blockBytes, first, end, particles, p);
      }
    }
  }
}

/**
 * Velocity (blocks of T) and divergence (f64 per sample) of the kernel field at one stage.
 * `x`, `v`: [blocks][particles][D] vectors; `scratch`: `pairScratch` bytes.
 */
export function kernelField<T extends number>(
  parameters: usize,
  stage: usize,
  x: usize,
  v: usize,
  div: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  if (dimensions == 3) forward<T>(3, parameters, stage, x, v, div, particles, blocks, scratch);
  else forward<T>(2, parameters, stage, x, v, div, particles, blocks, scratch);
}

/** As `geometryPass`, and the projection (w_i − w_j)·r of the velocity's cotangents into the entry's fourth vector. */
// @ts-ignore: decorator
@inline
function reverseGeometryPass<T extends number>(
  D: i32,
  x: usize,
  vBar: usize,
  first: i32,
  end: i32,
  particles: i32,
  invSpacing: v128,
  last: v128,
  p: usize,
): usize {
  const stride = <usize>D * VECTOR;
  for (let i = first; i < end; i++) {
    for (let j = i + 1; j < particles; j++) {
      let squared = v128.splat<T>(<T>0);
      let projection = squared;
      for (let a: usize = 0; a < stride; a += VECTOR) {
        const ia = <usize>i * stride + a;
        const ja = <usize>j * stride + a;
        const r = v128.sub<T>(v128.load(x + ia), v128.load(x + ja));
        const w = v128.sub<T>(v128.load(vBar + ia), v128.load(vBar + ja));
        squared = v128.add<T>(squared, v128.mul<T>(r, r));
        projection = v128.add<T>(projection, v128.mul<T>(w, r));
      }
      locate<T>(squared, invSpacing, last, p);
      v128.store(p, projection, 48);
      p += REVERSE_ENTRY;
    }
  }
  return p;
}

/**
 * Per pair, with L = a f + 2δ(s f_u + D f), a the projection and δ the divergence's cotangent: f into the entry's first
 * vector, (∂L/∂d)/d into its second, and ∂L/∂c_p added to the table's cotangents, one row a lane.
 */
// @ts-ignore: decorator
@inline
function reverseTablePass<T extends number>(
  D: i32,
  base: u32,
  barBase: u32,
  invSpacingSquared: v128,
  delta: v128,
  p: usize,
  end: usize,
): void {
  const twoDelta = v128.add<T>(delta, delta);
  for (; p < end; p += REVERSE_ENTRY) {
    const u = v128.load(p, 16);
    const s = v128.load(p, 32);
    const projection = v128.load(p, 48);
    let c0: v128, c1: v128, c2: v128, c3: v128;
    let q0: u32, q1: u32, q2: u32, q3: u32;
    if (sizeof<T>() == 4) {
      q0 = load<u32>(p);
      q1 = load<u32>(p, 4);
      q2 = load<u32>(p, 8);
      q3 = load<u32>(p, 12);
      const a0 = v128.load(<usize>(q0 + base));
      const a1 = v128.load(<usize>(q1 + base));
      const a2 = v128.load(<usize>(q2 + base));
      const a3 = v128.load(<usize>(q3 + base));
      const t0 = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5);
      const t1 = v128.shuffle<i32>(a0, a1, 2, 6, 3, 7);
      const t2 = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
      const t3 = v128.shuffle<i32>(a2, a3, 2, 6, 3, 7);
      c0 = v128.shuffle<i64>(t0, t2, 0, 2);
      c1 = v128.shuffle<i64>(t0, t2, 1, 3);
      c2 = v128.shuffle<i64>(t1, t3, 0, 2);
      c3 = v128.shuffle<i64>(t1, t3, 1, 3);
    } else {
      q0 = load<u32>(p);
      q1 = load<u32>(p, 8);
      q2 = 0;
      q3 = 0;
      const a0 = v128.load(<usize>(q0 + base));
      const a1 = v128.load(<usize>(q1 + base));
      const b0 = v128.load(<usize>(q0 + base), 16);
      const b1 = v128.load(<usize>(q1 + base), 16);
      c0 = v128.shuffle<i64>(a0, a1, 0, 2);
      c1 = v128.shuffle<i64>(a0, a1, 1, 3);
      c2 = v128.shuffle<i64>(b0, b1, 0, 2);
      c3 = v128.shuffle<i64>(b0, b1, 1, 3);
    }
    const cubic = v128.mul<T>(c3, u);
    const a = v128.add<T>(cubic, c2);
    const b = v128.add<T>(v128.mul<T>(a, u), c1);
    const f = v128.add<T>(v128.mul<T>(b, u), c0);
    const slope = v128.add<T>(v128.mul<T>(v128.add<T>(a, cubic), u), b);
    const halfCurvature = v128.add<T>(v128.add<T>(cubic, cubic), a);
    const curvature = v128.add<T>(halfCurvature, halfCurvature);

    const inner = v128.add<T>(v128.mul<T>(slope, v128.splat<T>(<T>(D + 1))), v128.mul<T>(s, curvature));
    const along = v128.add<T>(v128.mul<T>(projection, slope), v128.mul<T>(twoDelta, inner));
    // Coincident particles have no direction; the bound keeps 0/0 out of samples that are thrown away anyway.
    const radial = v128.div<T>(v128.mul<T>(along, invSpacingSquared), v128.pmax<T>(s, v128.splat<T>(<T>1e-12)));
    v128.store(p, f);
    v128.store(p, radial, 16);

    const valueBar = v128.add<T>(projection, v128.mul<T>(twoDelta, v128.splat<T>(<T>D)));
    const slopeBar = v128.mul<T>(twoDelta, s);
    // ∂f/∂c_p = u^p, ∂f_u/∂c_p = p u^{p−1}
    const w = v128.mul<T>(valueBar, u);
    const w1 = v128.add<T>(w, slopeBar);
    const w2 = v128.mul<T>(v128.add<T>(w1, slopeBar), u);
    const w3 = v128.mul<T>(v128.add<T>(w2, v128.mul<T>(slopeBar, u)), u);
    if (sizeof<T>() == 4) {
      const t0 = v128.shuffle<i32>(valueBar, w1, 0, 4, 1, 5);
      const t1 = v128.shuffle<i32>(w2, w3, 0, 4, 1, 5);
      const t2 = v128.shuffle<i32>(valueBar, w1, 2, 6, 3, 7);
      const t3 = v128.shuffle<i32>(w2, w3, 2, 6, 3, 7);
      addRow<T>(<usize>(q0 + barBase), v128.shuffle<i64>(t0, t1, 0, 2));
      addRow<T>(<usize>(q1 + barBase), v128.shuffle<i64>(t0, t1, 1, 3));
      addRow<T>(<usize>(q2 + barBase), v128.shuffle<i64>(t2, t3, 0, 2));
      addRow<T>(<usize>(q3 + barBase), v128.shuffle<i64>(t2, t3, 1, 3));
    } else {
      addRow<T>(<usize>(q0 + barBase), v128.shuffle<i64>(valueBar, w1, 0, 2));
      addRow<T>(<usize>(q0 + barBase) + 16, v128.shuffle<i64>(w2, w3, 0, 2));
      addRow<T>(<usize>(q1 + barBase), v128.shuffle<i64>(valueBar, w1, 1, 3));
      addRow<T>(<usize>(q1 + barBase) + 16, v128.shuffle<i64>(w2, w3, 1, 3));
    }
  }
}

// @ts-ignore: decorator
@inline
function addRow<T extends number>(p: usize, row: v128): void {
  v128.store(p, v128.add<T>(v128.load(p), row));
}

// @ts-ignore: decorator
@inline
function reverseForcePass<T extends number>(
  D: i32,
  x: usize,
  vBar: usize,
  xBar: usize,
  first: i32,
  end: i32,
  particles: i32,
  p: usize,
): usize {
  const stride = <usize>D * VECTOR;
  for (let i = first; i < end; i++) {
    for (let j = i + 1; j < particles; j++) {
      const f = v128.load(p);
      const radial = v128.load(p, 16);
      for (let a: usize = 0; a < stride; a += VECTOR) {
        const ia = <usize>i * stride + a;
        const ja = <usize>j * stride + a;
        const r = v128.sub<T>(v128.load(x + ia), v128.load(x + ja));
        const w = v128.sub<T>(v128.load(vBar + ia), v128.load(vBar + ja));
        const bar = v128.add<T>(v128.mul<T>(w, f), v128.mul<T>(r, radial));
        v128.store(xBar + ia, v128.add<T>(v128.load(xBar + ia), bar));
        v128.store(xBar + ja, v128.sub<T>(v128.load(xBar + ja), bar));
      }
      p += REVERSE_ENTRY;
    }
  }
  return p;
}

// @ts-ignore: decorator
@inline
function reverse<T extends number>(
  D: i32,
  parameters: usize,
  stage: usize,
  stageBar: usize,
  x: usize,
  vBar: usize,
  divBar: usize,
  xBar: usize,
  particles: i32,
  blocks: i32,
  scratch: usize,
): void {
  const h = load<f64>(parameters);
  const invSpacing = v128.splat<T>(<T>h);
  const invSpacingSquared = v128.splat<T>(<T>(h * h));
  const last = v128.splat<T>(<T>load<f64>(parameters, 8));
  const base = tableBase<T>(stage);
  const barBase = tableBase<T>(stageBar);
  const blockBytes = <usize>(particles * D) * VECTOR;
  const group = blocksPerTile(particles);
  memory.fill(xBar, 0, <usize>blocks * blockBytes);
  for (let b0 = 0; b0 < blocks; b0 += group) {
    const b1 = min(b0 + group, blocks);
    for (let first = 0, end = 0; first < particles - 1; first = end) {
      end = tileEnd(first, particles);
      let p = scratch;
      for (let b = b0; b < b1; b++) {
        const at = <usize>b * blockBytes;
        p = reverseGeometryPass<T>(D, x + at, vBar + at, first, end, particles, invSpacing, last, p);
      }
      const blockEntries = (p - scratch) / <usize>(b1 - b0);
      p = scratch;
      for (let b = b0; b < b1; b++, p += blockEntries) {
        const delta = v128.load(divBar + <usize>b * VECTOR);
        reverseTablePass<T>(D, base, barBase, invSpacingSquared, delta, p, p + blockEntries);
      }
      p = scratch;
      for (let b = b0; b < b1; b++) {
        const at = <usize>b * blockBytes;
        p = reverseForcePass<T>(D, x + at, vBar + at, xBar + at, first, end, particles, p);
      }
    }
  }
}

/**
 * Reverse pass of `kernelField` at one stage. `vBar` (blocks of T) and `divBar` (one vector of T a block) are the
 * cotangents of velocity and divergence; `xBar` is written; `stageBar`, laid out as the table, is added to.
 */
export function kernelFieldReverse<T extends number>(
  parameters: usize,
  stage: usize,
  stageBar: usize,
  x: usize,
  vBar: usize,
  divBar: usize,
  xBar: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  if (dimensions == 3) {
    reverse<T>(3, parameters, stage, stageBar, x, vBar, divBar, xBar, particles, blocks, scratch);
  } else reverse<T>(2, parameters, stage, stageBar, x, vBar, divBar, xBar, particles, blocks, scratch);
}
