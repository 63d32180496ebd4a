// What the passes over pairs share: how a tile is cut, how a distance finds its row in a table, and the table's own pass.

import { VECTOR, accumulateScaled, mulAdd } from './lanes';
import { MAGIC32, MAGIC64 } from './math';

/** Pairs that a pass should see at least; below ~50 its start-up shows. */
const TILE_PAIRS: i32 = 64;
/** Bytes of scratch per pair: three vectors forward, four in reverse. */
export const FORWARD_ENTRY: usize = 3 * VECTOR;
export const REVERSE_ENTRY: usize = 4 * VECTOR;

/** Pairs that a tile has at most. */
// @ts-ignore: decorator
@inline
export function tileCapacity(particles: i32): i32 {
  return TILE_PAIRS + particles + TILE_PAIRS / 2;
}

/** Bytes of scratch that a tile needs at most. */
export function pairScratch(particles: i32): i32 {
  return tileCapacity(particles) * <i32>REVERSE_ENTRY;
}

/** Blocks that share a tile: as many as fill it. */
// @ts-ignore: decorator
@inline
export function blocksPerTile(particles: i32): i32 {
  return max(1, (TILE_PAIRS * 3) / (2 * particles * (particles - 1)));
}

/** The first row beyond a tile that starts at row `first`. What is left of a block joins the last tile if it is short. */
// @ts-ignore: decorator
@inline
export function tileEnd(first: i32, particles: i32): i32 {
  let pairs = 0;
  let row = first;
  while (row < particles - 1 && pairs < TILE_PAIRS) {
    pairs += particles - 1 - row;
    row++;
  }
  const rows = particles - 1 - row;
  return rows * (rows + 1) <= TILE_PAIRS ? particles - 1 : row;
}

/**
 * Stores at `p` the byte offset of the table row (low 32 bits of a lane), the fraction u ∈ [−½, ½] and s = d/h.
 * `shift` is where the pair's entry of `shifts` stands, or the constant 0. Rounding by adding 1.5·2^23 (2^52) leaves the row
 * number in the low bits: no conversion instruction.
 */
// @ts-ignore: decorator
@inline
export function locate<T extends number>(squared: v128, invSpacing: v128, last: v128, shift: usize, p: usize): void {
  const magic = v128.splat<T>(sizeof<T>() == 4 ? <T>MAGIC32 : <T>MAGIC64);
  const s = v128.mul<T>(v128.sqrt<T>(squared), invSpacing);
  // pmin(last, ·) gives `last` for NaN, so that a table row is always in bounds; NaN survives in s.
  const z = v128.pmin<T>(last, v128.sub<T>(s, v128.splat<T>(<T>0.5)));
  const y = v128.add<T>(z, magic);
  let row = sizeof<T>() == 4 ? i32x4.shl(y, 4) : i64x2.shl(y, 5);
  // Only the low 32 bits of an f64 lane's row are ever looked at.
  if (shift != 0) row = i32x4.add(row, v128.load32_splat(shift));
  v128.store(p, row);
  v128.store(p, v128.sub<T>(z, v128.sub<T>(y, magic)), 16);
  v128.store(p, s, 32);
}

/** What has to be added to a stored row offset to give its address: the magic number's own bits, shifted, taken off. */
// @ts-ignore: decorator
@inline
export function tableBase<T extends number>(stage: usize): u32 {
  return sizeof<T>() == 4 ? <u32>stage - ((<u32>0x4b400000) << 4) : <u32>stage;
}

/**
 * Reads rows, evaluates f into the entry's first vector and adds `weight` times the sum of 2(d f' + D f) to the samples at `div`.
 * Entries are `entry` bytes apart.
 */
// @ts-ignore: decorator
@inline
export function tablePass<T extends number>(
  D: i32, entry: usize, base: u32, p: usize, end: usize, div: usize, weight: f64,
): void {
  let values = v128.splat<T>(<T>0);
  let slopes = values;
  for (; p < end; p += entry) {
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
    const b = mulAdd<T>(a, u, c1);
    const f = mulAdd<T>(b, u, c0);
    const slope = mulAdd<T>(v128.add<T>(a, cubic), u, b);
    v128.store(p, f);
    values = v128.add<T>(values, f);
    slopes = mulAdd<T>(slope, v128.load(p, 32), slopes);
  }
  const sum = v128.add<T>(slopes, v128.mul<T>(values, v128.splat<T>(<T>D)));
  accumulateScaled<T>(div, v128.add<T>(sum, sum), weight);
}
