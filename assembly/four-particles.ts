// The kernel field of four particles in two dimensions (DW4). Loops of three, two and one turns cost as much as their bodies,
// so geometry and forces are written out. With so few pairs a velocity costs little more than the way to memory and back, so
// what a Runge–Kutta substep does with it is done while it stands in registers: 1.12 times faster than in a pass of its own.

import { VECTOR, lanes, mulAdd } from './lanes';
import { FORWARD_ENTRY, blocksPerTile, locate, tableBase, tablePass } from './pair-tiles';

/** An entry of the tile ends with the pair's difference vector, so that the forces need not subtract again. */
const ENTRY: usize = FORWARD_ENTRY + 2 * VECTOR;
const ENTRIES: usize = 6 * ENTRY;
const BLOCK: usize = 8 * VECTOR;

/** What becomes of a velocity k: it is stored at `out`, or it ends a step (sum + weight·k), or it does that and goes on to a position. */
export const STORE: i32 = 0;
export const END: i32 = 1;
export const ADVANCE: i32 = 2;

/** Whether a kernel field is one for this file: four particles of one species in two dimensions. */
// @ts-ignore: decorator
@inline
export function isFour(parameters: usize, particles: i32, dimensions: i32): bool {
  return particles == 4 && dimensions == 2 && load<u32>(parameters, 16) == 0;
}

/** The second axis of a pair's difference, and with the first, stored before, its distance. */
// @ts-ignore: decorator
@inline
function locatePair<T extends number>(a: v128, b: v128, invSpacing: v128, last: v128, p: usize): void {
  const r0 = v128.load(p, 48);
  const r1 = v128.sub<T>(a, b);
  v128.store(p, r1, 64);
  locate<T>(mulAdd<T>(r1, r1, v128.mul<T>(r0, r0)), invSpacing, last, 0, p);
}

/** Pairs 01, 02, 30, 12, 13, 23: directed so that no sum of forces starts with a change of sign. */
// @ts-ignore: decorator
@inline
function geometryFour<T extends number>(x: usize, invSpacing: v128, last: v128, p: usize): void {
  // One axis after the other: eight coordinates at once do not fit the registers.
  const a0 = v128.load(x), a1 = v128.load(x, 32), a2 = v128.load(x, 64), a3 = v128.load(x, 96);
  v128.store(p, v128.sub<T>(a0, a1), 48);
  v128.store(p + ENTRY, v128.sub<T>(a0, a2), 48);
  v128.store(p + 2 * ENTRY, v128.sub<T>(a3, a0), 48);
  v128.store(p + 3 * ENTRY, v128.sub<T>(a1, a2), 48);
  v128.store(p + 4 * ENTRY, v128.sub<T>(a1, a3), 48);
  v128.store(p + 5 * ENTRY, v128.sub<T>(a2, a3), 48);
  const b0 = v128.load(x, 16), b1 = v128.load(x, 48), b2 = v128.load(x, 80), b3 = v128.load(x, 112);
  locatePair<T>(b0, b1, invSpacing, last, p);
  locatePair<T>(b0, b2, invSpacing, last, p + ENTRY);
  locatePair<T>(b3, b0, invSpacing, last, p + 2 * ENTRY);
  locatePair<T>(b1, b2, invSpacing, last, p + 3 * ENTRY);
  locatePair<T>(b1, b3, invSpacing, last, p + 4 * ENTRY);
  locatePair<T>(b2, b3, invSpacing, last, p + 5 * ENTRY);
}

// @ts-ignore: decorator
@inline
function use<T extends number>(
  k: v128, what: i32, out: usize, sum: usize, weight: v128, start: usize, offset: v128, position: usize,
): void {
  if (what == STORE) v128.store(out, k);
  else v128.store(out, mulAdd<T>(weight, k, v128.load(sum)));
  if (what == ADVANCE) v128.store(position, mulAdd<T>(offset, k, v128.load(start)));
}

/** One axis of the velocities from the values of f that head the six entries at `p` and the differences at `r`. */
// @ts-ignore: decorator
@inline
function forceAxis<T extends number>(
  p: usize, r: usize,
  what: i32, out: usize, sum: usize, weight: v128, start: usize, offset: v128, position: usize,
): void {
  const f01 = v128.mul<T>(v128.load(r), v128.load(p));
  const f02 = v128.mul<T>(v128.load(r + ENTRY), v128.load(p + ENTRY));
  const f30 = v128.mul<T>(v128.load(r + 2 * ENTRY), v128.load(p + 2 * ENTRY));
  const v0 = v128.sub<T>(v128.add<T>(f01, f02), f30);
  use<T>(v0, what, out, sum, weight, start, offset, position);
  const f12 = v128.mul<T>(v128.load(r + 3 * ENTRY), v128.load(p + 3 * ENTRY));
  const f13 = v128.mul<T>(v128.load(r + 4 * ENTRY), v128.load(p + 4 * ENTRY));
  const v1 = v128.add<T>(v128.sub<T>(f12, f01), f13);
  use<T>(v1, what, out + 32, sum + 32, weight, start + 32, offset, position + 32);
  const f23 = v128.mul<T>(v128.load(r + 5 * ENTRY), v128.load(p + 5 * ENTRY));
  const v2 = v128.sub<T>(f23, v128.add<T>(f02, f12));
  use<T>(v2, what, out + 64, sum + 64, weight, start + 64, offset, position + 64);
  const v3 = v128.sub<T>(f30, v128.add<T>(f13, f23));
  use<T>(v3, what, out + 96, sum + 96, weight, start + 96, offset, position + 96);
}

/**
 * Velocities k of `blocks` blocks at `x`, and to `div` is added, per sample, `weight` times the divergence. `what` becomes of k:
 *   STORE    out = k                   with `weight` 1
 *   END      out = sum + weight·k
 *   ADVANCE  out = sum + weight·k and position = start + offset·k
 * `out` may be `sum`, and `position` `x`: a block is read before it is written.
 */
// @ts-ignore: decorator
@inline
export function forwardFour<T extends number>(
  what: i32,
  parameters: usize,
  stage: usize,
  x: usize,
  div: usize,
  blocks: i32,
  out: usize,
  sum: usize,
  weight: f64,
  start: usize,
  offset: f64,
  position: usize,
  scratch: usize,
): void {
  const invSpacing = v128.splat<T>(<T>load<f64>(parameters));
  const last = v128.splat<T>(<T>load<f64>(parameters, 8));
  const base = tableBase<T>(stage);
  const a = v128.splat<T>(<T>weight);
  const b = v128.splat<T>(<T>offset);
  const sumBytes = <usize>(lanes<T>() * 8);
  const group = blocksPerTile(4);
  for (let left = blocks; left > 0; left -= group) {
    const end = scratch + <usize>min(group, left) * ENTRIES;
    for (let p = scratch; p < end; p += ENTRIES, x += BLOCK) geometryFour<T>(x, invSpacing, last, p);
    for (let p = scratch; p < end; p += ENTRIES, div += sumBytes) {
      tablePass<T>(2, ENTRY, base, p, p + ENTRIES, div, weight);
    }
    for (let p = scratch; p < end; p += ENTRIES) {
      forceAxis<T>(p, p + 48, what, out, sum, a, start, b, position);
      forceAxis<T>(p, p + 64, what, out + 16, sum + 16, a, start + 16, b, position + 16);
      out += BLOCK;
      sum += BLOCK;
      start += BLOCK;
      position += BLOCK;
    }
  }
}
