// The double well of four particles in two dimensions (DW4), written out: loops of three, two and one turns cost as much as
// their bodies. Passes over a tile of blocks as in pair-energies.ts, whose sums of energies these are to the bit:
//   1 differences and distances, with the root;  2 energies and slopes, with the division;  3 gradients.

import { VECTOR, accumulate, lanes } from './lanes';
import { blocksPerTile } from './pair-tiles';

/** A pair's entry of a tile: distance, then slope; difference vector. */
const ENTRY: usize = 3 * VECTOR;
const ENTRIES: usize = 6 * ENTRY;
const BLOCK: usize = 8 * VECTOR;

/** Bytes of scratch for a tile. */
// @ts-ignore: decorator
@inline
export function fourScratch(): i32 {
  return blocksPerTile(4) * <i32>ENTRIES;
}

/** The second axis of a pair's difference, and with the first, stored before, its distance. */
// @ts-ignore: decorator
@inline
function distance<T extends number>(a: v128, b: v128, p: usize): void {
  const r0 = v128.load(p, 16);
  const r1 = v128.sub<T>(a, b);
  v128.store(p, r1, 32);
  v128.store(p, v128.sqrt<T>(v128.add<T>(v128.mul<T>(r0, r0), v128.mul<T>(r1, r1))));
}

/** Pairs 01, 02, 30, 12, 13, 23: directed so that no sum of forces starts with a change of sign. */
// @ts-ignore: decorator
@inline
function distances<T extends number>(x: usize, p: usize): void {
  const a0 = v128.load(x), a1 = v128.load(x, 32), a2 = v128.load(x, 64), a3 = v128.load(x, 96);
  v128.store(p, v128.sub<T>(a0, a1), 16);
  v128.store(p + ENTRY, v128.sub<T>(a0, a2), 16);
  v128.store(p + 2 * ENTRY, v128.sub<T>(a3, a0), 16);
  v128.store(p + 3 * ENTRY, v128.sub<T>(a1, a2), 16);
  v128.store(p + 4 * ENTRY, v128.sub<T>(a1, a3), 16);
  v128.store(p + 5 * ENTRY, v128.sub<T>(a2, a3), 16);
  const b0 = v128.load(x, 16), b1 = v128.load(x, 48), b2 = v128.load(x, 80), b3 = v128.load(x, 112);
  distance<T>(b0, b1, p);
  distance<T>(b0, b2, p + ENTRY);
  distance<T>(b3, b0, p + 2 * ENTRY);
  distance<T>(b1, b2, p + 3 * ENTRY);
  distance<T>(b1, b3, p + 4 * ENTRY);
  distance<T>(b2, b3, p + 5 * ENTRY);
}

/** a·s⁴ + b·s² + c of the pair at `p`, s = d − d0; its slope (du/dd)/d takes the place of the distance. */
// @ts-ignore: decorator
@inline
function well<T extends number>(withGradient: bool, k: usize, p: usize): v128 {
  const d = v128.load(p);
  const s = v128.sub<T>(d, v128.load(k, 48));
  const s2 = v128.mul<T>(s, s);
  const as2 = v128.mul<T>(v128.load(k), s2);
  const b = v128.load(k, 16);
  if (withGradient) {
    const slope = v128.mul<T>(v128.add<T>(v128.add<T>(as2, as2), b), v128.load(k, 64));
    v128.store(p, v128.mul<T>(slope, v128.div<T>(s, d)));
  }
  return v128.add<T>(v128.mul<T>(v128.add<T>(as2, b), s2), v128.load(k, 32));
}

/** One axis of the gradients from the slopes that head the six entries at `p` and the differences at `r`. */
// @ts-ignore: decorator
@inline
function gradientAxis<T extends number>(p: usize, r: usize, out: usize): void {
  const f01 = v128.mul<T>(v128.load(r), v128.load(p));
  const f02 = v128.mul<T>(v128.load(r + ENTRY), v128.load(p + ENTRY));
  const f30 = v128.mul<T>(v128.load(r + 2 * ENTRY), v128.load(p + 2 * ENTRY));
  v128.store(out, v128.sub<T>(v128.add<T>(f01, f02), f30));
  const f12 = v128.mul<T>(v128.load(r + 3 * ENTRY), v128.load(p + 3 * ENTRY));
  const f13 = v128.mul<T>(v128.load(r + 4 * ENTRY), v128.load(p + 4 * ENTRY));
  v128.store(out, v128.add<T>(v128.sub<T>(f12, f01), f13), 32);
  const f23 = v128.mul<T>(v128.load(r + 5 * ENTRY), v128.load(p + 5 * ENTRY));
  v128.store(out, v128.sub<T>(f23, v128.add<T>(f02, f12)), 64);
  v128.store(out, v128.sub<T>(f30, v128.add<T>(f13, f23)), 96);
}

/**
 * Writes energies (f64 a sample) and, with `withGradient`, gradients of `blocks` blocks at `x`. `k`: a, b, c, d0 and 2·unit as
 * vectors; `unit` is what energies are multiplied by. `scratch` holds `fourScratch` bytes.
 */
// @ts-ignore: decorator
@inline
export function fourDoubleWell<T extends number>(
  withEnergy: bool, withGradient: bool, k: usize, unit: f64, x: usize, energy: usize, gradient: usize, blocks: i32, scratch: usize,
): void {
  const scale = v128.splat<T>(<T>unit);
  const group = blocksPerTile(4);
  for (let left = blocks; left > 0; left -= group) {
    const end = scratch + <usize>min(group, left) * ENTRIES;
    for (let p = scratch; p < end; p += ENTRIES, x += BLOCK) distances<T>(x, p);
    if (withEnergy) {
      for (let p = scratch; p < end; p += ENTRIES, energy += <usize>(lanes<T>() * 8)) {
        let row = well<T>(withGradient, k, p);
        row = v128.add<T>(row, well<T>(withGradient, k, p + ENTRY));
        row = v128.add<T>(row, well<T>(withGradient, k, p + 2 * ENTRY));
        v128.store(energy, v128.splat<T>(<T>0));
        if (sizeof<T>() == 4) v128.store(energy, v128.splat<T>(<T>0), 16);
        accumulate<T>(energy, v128.mul<T>(scale, row));
        row = well<T>(withGradient, k, p + 3 * ENTRY);
        row = v128.add<T>(row, well<T>(withGradient, k, p + 4 * ENTRY));
        accumulate<T>(energy, v128.mul<T>(scale, row));
        accumulate<T>(energy, v128.mul<T>(scale, well<T>(withGradient, k, p + 5 * ENTRY)));
      }
    } else for (let p = scratch; p < end; p += ENTRY) well<T>(true, k, p);
    if (withGradient) {
      for (let p = scratch; p < end; p += ENTRIES, gradient += BLOCK) {
        gradientAxis<T>(p, p + 16, gradient);
        gradientAxis<T>(p, p + 32, gradient + 16);
      }
    }
  }
}
