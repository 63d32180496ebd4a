// The kernel field: v_i = Σ_{j≠i} r_ij f(t, d_ij), div v = Σ_{i≠j} [d f' + D f], from a stage table.
//
// Three passes over a tile of pairs keep the pipelines full where one fused loop stalls on its longest chain:
//   1 geometry: distance → table row and fraction;  2 table: cubic, slope, divergence;  3 forces onto both particles.
// A tile is a group of blocks for few particles, or some rows of one block for many, so that scratch stays in L1.
//
// Parameters of the kernel field as the kernels see them: f64 1/h, f64 (intervals − ¼), u32 address of `shifts` or 0.
// With several species a stage holds one table per pair of species, and shifts [N][N] (u32) says by how many bytes the
// table of particles i and j is behind the first; with one species there is one table and shifts is 0.

import { VECTOR, lanes, mulAdd } from './lanes';
import { STORE, forwardFour, isFour } from './four-particles';
import { FORWARD_ENTRY, blocksPerTile, locate, tableBase, tablePass, tileEnd } from './pair-tiles';

// @ts-ignore: decorator
@inline
function geometryPass<T extends number>(
  D: i32,
  species: bool,
  shifts: usize,
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
    let shift: usize = shifts + <usize>((i * particles + i) << 2);
    const a = v128.load(xi);
    const b = v128.load(xi, 16);
    let c = a;
    if (D == 3) c = v128.load(xi, 32);
    for (let xj = xi + stride; xj < stop; xj += stride) {
      const r0 = v128.sub<T>(a, v128.load(xj));
      const r1 = v128.sub<T>(b, v128.load(xj, 16));
      let squared = mulAdd<T>(r1, r1, v128.mul<T>(r0, r0));
      if (D == 3) {
        const r2 = v128.sub<T>(c, v128.load(xj, 32));
        squared = mulAdd<T>(r2, r2, squared);
      }
      if (species) {
        shift += 4;
        locate<T>(squared, invSpacing, last, shift, p);
      } else locate<T>(squared, invSpacing, last, 0, p);
      p += FORWARD_ENTRY;
    }
  }
  return p;
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
  species: bool,
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
  const shifts = <usize>load<u32>(parameters, 16);
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
        const at = x + <usize>b * blockBytes;
        p = geometryPass<T>(D, species, shifts, at, first, end, particles, invSpacing, last, p);
      }
      const blockEntries = (p - scratch) / <usize>(b1 - b0);
      p = scratch;
      for (let b = b0; b < b1; b++, p += blockEntries) {
        tablePass<T>(D, FORWARD_ENTRY, base, p, p + blockEntries, div + <usize>b * sumBytes, 1);
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
  const species = load<u32>(parameters, 16) != 0;
  if (dimensions == 3) {
    if (species) forward<T>(3, true, parameters, stage, x, v, div, particles, blocks, scratch);
    else forward<T>(3, false, parameters, stage, x, v, div, particles, blocks, scratch);
  } else if (isFour(parameters, particles, dimensions)) {
    memory.fill(div, 0, <usize>(blocks * lanes<T>() * 8));
    forwardFour<T>(STORE, parameters, stage, x, div, blocks, v, 0, 1, 0, 0, 0, scratch);
  } else if (species) forward<T>(2, true, parameters, stage, x, v, div, particles, blocks, scratch);
  else forward<T>(2, false, parameters, stage, x, v, div, particles, blocks, scratch);
}
