// The reverse pass of four particles in two dimensions (DW4), written out as in four-particles.ts. The same operations in
// the same order as in pairs-reverse.ts, hence the same bits.

import { VECTOR } from './lanes';
import { REVERSE_ENTRY, blocksPerTile, locate, tableBase } from './pair-tiles';
import { pairBar, reverseTablePass } from './pair-tiles-reverse';

const ENTRIES: usize = 6 * REVERSE_ENTRY;
const BLOCK_BYTES: usize = 8 * VECTOR;

// @ts-ignore: decorator
@inline
function entry<T extends number>(
  r0: v128,
  r1: v128,
  w0: v128,
  w1: v128,
  invSpacing: v128,
  last: v128,
  p: usize,
): void {
  locate<T>(v128.add<T>(v128.mul<T>(r0, r0), v128.mul<T>(r1, r1)), invSpacing, last, 0, p);
  v128.store(p, v128.add<T>(v128.mul<T>(w0, r0), v128.mul<T>(w1, r1)), 48);
}

// @ts-ignore: decorator
@inline
function geometry<T extends number>(x: usize, w: usize, invSpacing: v128, last: v128, p: usize): void {
  const a0 = v128.load(x), b0 = v128.load(x, 16), u0 = v128.load(w), v0 = v128.load(w, 16);
  const a1 = v128.load(x, 32), b1 = v128.load(x, 48), u1 = v128.load(w, 32), v1 = v128.load(w, 48);
  entry<T>(
    v128.sub<T>(a0, a1), v128.sub<T>(b0, b1), v128.sub<T>(u0, u1), v128.sub<T>(v0, v1), invSpacing, last, p,
  );
  const a2 = v128.load(x, 64), b2 = v128.load(x, 80), u2 = v128.load(w, 64), v2 = v128.load(w, 80);
  entry<T>(
    v128.sub<T>(a0, a2), v128.sub<T>(b0, b2), v128.sub<T>(u0, u2), v128.sub<T>(v0, v2), invSpacing, last,
    p + REVERSE_ENTRY,
  );
  const a3 = v128.load(x, 96), b3 = v128.load(x, 112), u3 = v128.load(w, 96), v3 = v128.load(w, 112);
  entry<T>(
    v128.sub<T>(a0, a3), v128.sub<T>(b0, b3), v128.sub<T>(u0, u3), v128.sub<T>(v0, v3), invSpacing, last,
    p + 2 * REVERSE_ENTRY,
  );
  entry<T>(
    v128.sub<T>(a1, a2), v128.sub<T>(b1, b2), v128.sub<T>(u1, u2), v128.sub<T>(v1, v2), invSpacing, last,
    p + 3 * REVERSE_ENTRY,
  );
  entry<T>(
    v128.sub<T>(a1, a3), v128.sub<T>(b1, b3), v128.sub<T>(u1, u3), v128.sub<T>(v1, v3), invSpacing, last,
    p + 4 * REVERSE_ENTRY,
  );
  entry<T>(
    v128.sub<T>(a2, a3), v128.sub<T>(b2, b3), v128.sub<T>(u2, u3), v128.sub<T>(v2, v3), invSpacing, last,
    p + 5 * REVERSE_ENTRY,
  );
}

// @ts-ignore: decorator
@inline
function pair<T extends number>(wi: v128, wj: v128, xi: v128, xj: v128, p: usize): v128 {
  return pairBar<T>(wi, wj, v128.load(p), xi, xj, v128.load(p, 16));
}

/** One axis of the cotangents of four particles; nothing has to be zero before. */
// @ts-ignore: decorator
@inline
function forceAxis<T extends number>(x: usize, w: usize, out: usize, p: usize): void {
  const x0 = v128.load(x), x1 = v128.load(x, 32), x2 = v128.load(x, 64), x3 = v128.load(x, 96);
  const w0 = v128.load(w), w1 = v128.load(w, 32), w2 = v128.load(w, 64), w3 = v128.load(w, 96);
  const b01 = pair<T>(w0, w1, x0, x1, p);
  const b02 = pair<T>(w0, w2, x0, x2, p + REVERSE_ENTRY);
  const b03 = pair<T>(w0, w3, x0, x3, p + 2 * REVERSE_ENTRY);
  v128.store(out, v128.add<T>(v128.add<T>(b01, b02), b03));
  const b12 = pair<T>(w1, w2, x1, x2, p + 3 * REVERSE_ENTRY);
  const b13 = pair<T>(w1, w3, x1, x3, p + 4 * REVERSE_ENTRY);
  v128.store(out, v128.add<T>(v128.sub<T>(b12, b01), b13), 32);
  const b23 = pair<T>(w2, w3, x2, x3, p + 5 * REVERSE_ENTRY);
  v128.store(out, v128.sub<T>(b23, v128.add<T>(b02, b12)), 64);
  v128.store(out, v128.neg<T>(v128.add<T>(v128.add<T>(b03, b13), b23)), 96);
}

// @ts-ignore: decorator
@inline
export function reverseFour<T extends number>(
  parameters: usize,
  stage: usize,
  stageBar: usize,
  x: usize,
  vBar: usize,
  divBar: usize,
  xBar: usize,
  blocks: i32,
  scratch: usize,
): void {
  const h = load<f64>(parameters);
  const invSpacing = v128.splat<T>(<T>h);
  const invSpacingSquared = v128.splat<T>(<T>(h * h));
  const last = v128.splat<T>(<T>load<f64>(parameters, 8));
  const base = tableBase<T>(stage);
  const barBase = tableBase<T>(stageBar);
  const group = blocksPerTile(4);
  for (let left = blocks; left > 0; left -= group) {
    const end = scratch + <usize>min(group, left) * ENTRIES;
    let at: usize = 0;
    for (let p = scratch; p < end; p += ENTRIES, at += BLOCK_BYTES) {
      geometry<T>(x + at, vBar + at, invSpacing, last, p);
    }
    for (let p = scratch; p < end; p += ENTRIES, divBar += VECTOR) {
      reverseTablePass<T>(2, base, barBase, invSpacingSquared, v128.load(divBar), p, p + ENTRIES);
    }
    for (let p = scratch; p < end; p += ENTRIES) {
      forceAxis<T>(x, vBar, xBar, p);
      forceAxis<T>(x + VECTOR, vBar + VECTOR, xBar + VECTOR, p);
      x += BLOCK_BYTES;
      vBar += BLOCK_BYTES;
      xBar += BLOCK_BYTES;
    }
  }
}
