// The reverse pass of the kernel field: the same three passes as in pairs.ts, with cotangents of the velocity and divergence
// in, cotangents of the positions and of the table out.

import { VECTOR } from './lanes';
import { reverseFour } from './four-particles-reverse';
import { REVERSE_ENTRY, blocksPerTile, locate, tableBase, tileEnd } from './pair-tiles';
import { pairBar, reverseTablePass } from './pair-tiles-reverse';

/** As the geometry pass of pairs.ts, and the projection (w_i − w_j)·r of the velocity's cotangents into the entry's fourth vector. */
// @ts-ignore: decorator
@inline
function reverseGeometryPass<T extends number>(
  D: i32,
  species: bool,
  shifts: usize,
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
  const stop = x + <usize>particles * stride;
  const shift = vBar - x;
  for (let i = first; i < end; i++) {
    const xi = x + <usize>i * stride;
    const wi = xi + shift;
    let entry = shifts + <usize>((i * particles + i) << 2);
    const a = v128.load(xi);
    const b = v128.load(xi, 16);
    const wa = v128.load(wi);
    const wb = v128.load(wi, 16);
    let c = a;
    let wc = wa;
    if (D == 3) {
      c = v128.load(xi, 32);
      wc = v128.load(wi, 32);
    }
    for (let xj = xi + stride; xj < stop; xj += stride) {
      const wj = xj + shift;
      const r0 = v128.sub<T>(a, v128.load(xj));
      const r1 = v128.sub<T>(b, v128.load(xj, 16));
      const w0 = v128.sub<T>(wa, v128.load(wj));
      const w1 = v128.sub<T>(wb, v128.load(wj, 16));
      let squared = v128.add<T>(v128.mul<T>(r0, r0), v128.mul<T>(r1, r1));
      let projection = v128.add<T>(v128.mul<T>(w0, r0), v128.mul<T>(w1, r1));
      if (D == 3) {
        const r2 = v128.sub<T>(c, v128.load(xj, 32));
        const w2 = v128.sub<T>(wc, v128.load(wj, 32));
        squared = v128.add<T>(squared, v128.mul<T>(r2, r2));
        projection = v128.add<T>(projection, v128.mul<T>(w2, r2));
      }
      if (species) {
        entry += 4;
        locate<T>(squared, invSpacing, last, entry, p);
      } else locate<T>(squared, invSpacing, last, 0, p);
      v128.store(p, projection, 48);
      p += REVERSE_ENTRY;
    }
  }
  return p;
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
  const stop = x + <usize>particles * stride;
  const shift = vBar - x;
  const out = xBar - x;
  for (let i = first; i < end; i++) {
    const xi = x + <usize>i * stride;
    const wi = xi + shift;
    const oi = xi + out;
    const a = v128.load(xi);
    const b = v128.load(xi, 16);
    const wa = v128.load(wi);
    const wb = v128.load(wi, 16);
    let c = a;
    let wc = wa;
    let sa = v128.load(oi);
    let sb = v128.load(oi, 16);
    let sc = sa;
    if (D == 3) {
      c = v128.load(xi, 32);
      wc = v128.load(wi, 32);
      sc = v128.load(oi, 32);
    }
    for (let xj = xi + stride; xj < stop; xj += stride) {
      const f = v128.load(p);
      const radial = v128.load(p, 16);
      const wj = xj + shift;
      const oj = xj + out;
      const bar0 = pairBar<T>(wa, v128.load(wj), f, a, v128.load(xj), radial);
      const bar1 = pairBar<T>(wb, v128.load(wj, 16), f, b, v128.load(xj, 16), radial);
      sa = v128.add<T>(sa, bar0);
      sb = v128.add<T>(sb, bar1);
      v128.store(oj, v128.sub<T>(v128.load(oj), bar0));
      v128.store(oj, v128.sub<T>(v128.load(oj, 16), bar1), 16);
      if (D == 3) {
        const bar2 = pairBar<T>(wc, v128.load(wj, 32), f, c, v128.load(xj, 32), radial);
        sc = v128.add<T>(sc, bar2);
        v128.store(oj, v128.sub<T>(v128.load(oj, 32), bar2), 32);
      }
      p += REVERSE_ENTRY;
    }
    v128.store(oi, sa);
    v128.store(oi, sb, 16);
    if (D == 3) v128.store(oi, sc, 32);
  }
  return p;
}

// @ts-ignore: decorator
@inline
function reverse<T extends number>(
  D: i32,
  species: bool,
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
  const shifts = <usize>load<u32>(parameters, 16);
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
        p = reverseGeometryPass<T>(
          D, species, shifts, x + at, vBar + at, first, end, particles, invSpacing, last, p,
        );
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
 * Reverse pass of the kernel field at one stage. `vBar` (blocks of T) and `divBar` (one vector of T a block) are the
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
  const species = load<u32>(parameters, 16) != 0;
  if (dimensions == 3) {
    if (species) reverse<T>(3, true, parameters, stage, stageBar, x, vBar, divBar, xBar, particles, blocks, scratch);
    else reverse<T>(3, false, parameters, stage, stageBar, x, vBar, divBar, xBar, particles, blocks, scratch);
  } else if (species) {
    reverse<T>(2, true, parameters, stage, stageBar, x, vBar, divBar, xBar, particles, blocks, scratch);
  } else if (particles == 4) reverseFour<T>(parameters, stage, stageBar, x, vBar, divBar, xBar, blocks, scratch);
  else reverse<T>(2, false, parameters, stage, stageBar, x, vBar, divBar, xBar, particles, blocks, scratch);
}
