// The kernel field of four particles in two dimensions (DW4). Loops of three, two and one turns cost as much as their bodies,
// so geometry and forces are written out and stay in registers. The same operations in the same order as in pairs.ts, hence
// the same bits.

import { VECTOR, lanes } from './lanes';
import { FORWARD_ENTRY, blocksPerTile, locate, tableBase, tablePass } from './pair-tiles';

// @ts-ignore: decorator
@inline
function entry2<T extends number>(r0: v128, r1: v128, invSpacing: v128, last: v128, p: usize): void {
  locate<T>(v128.add<T>(v128.mul<T>(r0, r0), v128.mul<T>(r1, r1)), invSpacing, last, 0, p);
}

// @ts-ignore: decorator
@inline
function geometryFour<T extends number>(x: usize, invSpacing: v128, last: v128, p: usize): void {
  const a0 = v128.load(x), b0 = v128.load(x, 16);
  const a1 = v128.load(x, 32), b1 = v128.load(x, 48);
  const a2 = v128.load(x, 64), b2 = v128.load(x, 80);
  const a3 = v128.load(x, 96), b3 = v128.load(x, 112);
  entry2<T>(v128.sub<T>(a0, a1), v128.sub<T>(b0, b1), invSpacing, last, p);
  entry2<T>(v128.sub<T>(a0, a2), v128.sub<T>(b0, b2), invSpacing, last, p + FORWARD_ENTRY);
  entry2<T>(v128.sub<T>(a0, a3), v128.sub<T>(b0, b3), invSpacing, last, p + 2 * FORWARD_ENTRY);
  entry2<T>(v128.sub<T>(a1, a2), v128.sub<T>(b1, b2), invSpacing, last, p + 3 * FORWARD_ENTRY);
  entry2<T>(v128.sub<T>(a1, a3), v128.sub<T>(b1, b3), invSpacing, last, p + 4 * FORWARD_ENTRY);
  entry2<T>(v128.sub<T>(a2, a3), v128.sub<T>(b2, b3), invSpacing, last, p + 5 * FORWARD_ENTRY);
}

/** One axis of the velocities of four particles from the six values of f at `p`; nothing has to be zero before. */
// @ts-ignore: decorator
@inline
function forceAxis<T extends number>(x: usize, v: usize, p: usize): void {
  const x0 = v128.load(x), x1 = v128.load(x, 32), x2 = v128.load(x, 64), x3 = v128.load(x, 96);
  const f01 = v128.mul<T>(v128.sub<T>(x0, x1), v128.load(p));
  const f02 = v128.mul<T>(v128.sub<T>(x0, x2), v128.load(p + FORWARD_ENTRY));
  const f03 = v128.mul<T>(v128.sub<T>(x0, x3), v128.load(p + 2 * FORWARD_ENTRY));
  const f12 = v128.mul<T>(v128.sub<T>(x1, x2), v128.load(p + 3 * FORWARD_ENTRY));
  const f13 = v128.mul<T>(v128.sub<T>(x1, x3), v128.load(p + 4 * FORWARD_ENTRY));
  const f23 = v128.mul<T>(v128.sub<T>(x2, x3), v128.load(p + 5 * FORWARD_ENTRY));
  v128.store(v, v128.add<T>(v128.add<T>(f01, f02), f03));
  v128.store(v, v128.add<T>(v128.sub<T>(f12, f01), f13), 32);
  v128.store(v, v128.sub<T>(f23, v128.add<T>(f02, f12)), 64);
  v128.store(v, v128.neg<T>(v128.add<T>(v128.add<T>(f03, f13), f23)), 96);
}

// @ts-ignore: decorator
@inline
export function forwardFour<T extends number>(
  parameters: usize,
  stage: usize,
  x: usize,
  v: usize,
  div: usize,
  blocks: i32,
  scratch: usize,
): void {
  const invSpacing = v128.splat<T>(<T>load<f64>(parameters));
  const last = v128.splat<T>(<T>load<f64>(parameters, 8));
  const base = tableBase<T>(stage);
  const sumBytes = <usize>(lanes<T>() * 8);
  memory.fill(div, 0, <usize>blocks * sumBytes);
  const entries: usize = 6 * FORWARD_ENTRY;
  const blockBytes: usize = 8 * VECTOR;
  const group = blocksPerTile(4);
  for (let left = blocks; left > 0; left -= group) {
    const end = scratch + <usize>min(group, left) * entries;
    let from = x;
    for (let p = scratch; p < end; p += entries, from += blockBytes) geometryFour<T>(from, invSpacing, last, p);
    for (let p = scratch; p < end; p += entries, div += sumBytes) tablePass<T>(2, base, p, p + entries, div);
    for (let p = scratch; p < end; p += entries, x += blockBytes, v += blockBytes) {
      forceAxis<T>(x, v, p);
      forceAxis<T>(x + VECTOR, v + VECTOR, p);
    }
  }
}
