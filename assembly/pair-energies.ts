// Pair terms of an energy: Σ_{i<j} u(d_ij) and its gradient, in two passes over a tile of pairs (see pair-tiles.ts):
//   1 keys: distance, with the division or the root;  2 energies, slopes and forces.
// In one loop everything behind the division waits in the processor's schedulers, which hold four pairs and no more: a third
// of the time. Constants are made into vectors beforehand, and no slope travels through memory.

import { VECTOR, accumulate, lanes } from './lanes';
import { blocksPerTile, tileEnd } from './pair-tiles';

export const DOUBLE_WELL: i32 = 0;
export const LENNARD_JONES: i32 = 1;
export const TABULATED: i32 = 3;

/** Bytes before the keys: constants of a term, or what a table's look-up needs. */
export const CONSTANTS: usize = 5 * VECTOR;

/** u(d) from a table and (du/dd)/d at `slope` when asked for. Lanes look up their rows one by one. */
// @ts-ignore: decorator
@inline
function tabulated<T extends number>(term: usize, d: v128, withGradient: bool, slope: usize): v128 {
  const table = <usize>load<f64>(term, 40);
  const invSpacing = load<f64>(term, 24);
  const last = <T>load<f64>(term, 32);
  const half = v128.splat<T>(<T>0.5);
  const scaled = v128.mul<T>(v128.sub<T>(d, v128.splat<T>(<T>load<f64>(term, 16))), v128.splat<T>(<T>invSpacing));
  const z = v128.sub<T>(scaled, half);
  // NaN takes the first row; the fraction u stays NaN and makes the energy NaN
  const row = v128.nearest<T>(v128.pmin<T>(v128.splat<T>(last), v128.pmax<T>(v128.splat<T>(<T>-1), z)));
  const u = v128.sub<T>(z, row);
  v128.store(slope, row);
  for (let lane = 0; lane < lanes<T>(); lane++) {
    const p = table + <usize>(<i32>load<T>(slope + <usize>lane * sizeof<T>()) + 1) * (4 * sizeof<T>());
    store<T>(slope + VECTOR + <usize>lane * sizeof<T>(), load<T>(p));
    store<T>(slope + 2 * VECTOR + <usize>lane * sizeof<T>(), load<T>(p + sizeof<T>()));
    store<T>(slope + 3 * VECTOR + <usize>lane * sizeof<T>(), load<T>(p + 2 * sizeof<T>()));
    store<T>(slope + 4 * VECTOR + <usize>lane * sizeof<T>(), load<T>(p + 3 * sizeof<T>()));
  }
  const c0 = v128.load(slope, 16);
  const c1 = v128.load(slope, 32);
  const c2 = v128.load(slope, 48);
  const c3 = v128.load(slope, 64);
  const cubic = v128.mul<T>(c3, u);
  const a = v128.add<T>(cubic, c2);
  const b = v128.add<T>(v128.mul<T>(a, u), c1);
  if (withGradient) {
    const inner = v128.add<T>(v128.mul<T>(v128.add<T>(a, cubic), u), b);
    v128.store(slope, v128.div<T>(v128.mul<T>(inner, v128.splat<T>(<T>invSpacing)), d));
  }
  return v128.add<T>(v128.mul<T>(b, u), c0);
}

/**
 * Places the constants of a term as five vectors of T at `at`: once in memory they are read before the loop, whereas a
 * conversion would be done again for every pair.
 *   double well    a, b, c, d0, 2·scale
 *   Lennard-Jones  rMin², 12·scale·ε/rMin²
 */
// @ts-ignore: decorator
@inline
export function placeConstants<T extends number>(kind: i32, term: usize, at: usize): void {
  const scale = load<f64>(term, 8);
  if (kind == DOUBLE_WELL) {
    for (let c: usize = 0; c < 4; c++) v128.store(at + c * VECTOR, v128.splat<T>(<T>load<f64>(term + c * 8, 16)));
    v128.store(at, v128.splat<T>(<T>(2 * scale)), 64);
  } else {
    const squared = load<f64>(term, 24) * load<f64>(term, 24);
    v128.store(at, v128.splat<T>(<T>squared));
    v128.store(at, v128.splat<T>(<T>(12 * scale * load<f64>(term, 16) / squared)), 16);
  }
}

/** What an energy is multiplied by that `pairEnergy` gives. */
// @ts-ignore: decorator
@inline
export function energyUnit(kind: i32, term: usize): f64 {
  return kind == LENNARD_JONES ? load<f64>(term, 8) * load<f64>(term, 16) : load<f64>(term, 8);
}

/** What stands for a distance: (rMin/d)² for Lennard-Jones, which needs no root, d for the others. */
// @ts-ignore: decorator
@inline
function pairKey<T extends number>(kind: i32, squared: v128, k0: v128): v128 {
  return kind == LENNARD_JONES ? v128.div<T>(k0, squared) : v128.sqrt<T>(squared);
}

/** u(d) in units of `energyUnit`. */
// @ts-ignore: decorator
@inline
function pairEnergy<T extends number>(kind: i32, key: v128, k0: v128, k1: v128, k2: v128, k3: v128): v128 {
  if (kind == DOUBLE_WELL) {
    const s = v128.sub<T>(key, k3);
    const s2 = v128.mul<T>(s, s);
    return v128.add<T>(v128.mul<T>(v128.add<T>(v128.mul<T>(k0, s2), k1), s2), k2);
  }
  const q = v128.mul<T>(v128.mul<T>(key, key), key);
  return v128.mul<T>(q, v128.sub<T>(q, v128.splat<T>(<T>2)));
}

/** (du/dd)/d, the scale included. */
// @ts-ignore: decorator
@inline
function pairSlope<T extends number>(kind: i32, key: v128, k0: v128, k1: v128, k3: v128, k4: v128): v128 {
  if (kind == DOUBLE_WELL) {
    const s = v128.sub<T>(key, k3);
    const as2 = v128.mul<T>(k0, v128.mul<T>(s, s));
    return v128.mul<T>(v128.mul<T>(v128.add<T>(v128.add<T>(as2, as2), k1), k4), v128.div<T>(s, key));
  }
  const q = v128.mul<T>(v128.mul<T>(key, key), key);
  return v128.mul<T>(v128.mul<T>(v128.mul<T>(k1, key), q), v128.sub<T>(v128.splat<T>(<T>1), q));
}

/** Distances, as keys, of rows `first` … `end` − 1 of a block's pairs. Returns the end of the keys. */
// @ts-ignore: decorator
@inline
function keyPass<T extends number>(
  D: i32, kind: i32, k0: v128, x: usize, first: i32, end: i32, particles: i32, p: usize,
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
      v128.store(p, pairKey<T>(kind, squared, k0));
      p += VECTOR;
    }
  }
  return p;
}

/** Adds energies and gradients of the pairs whose keys stand at `p`. */
// @ts-ignore: decorator
@inline
function energyPass<T extends number>(
  D: i32,
  kind: i32,
  withEnergy: bool,
  withGradient: bool,
  mask: usize,
  term: usize,
  constants: usize,
  x: usize,
  energy: usize,
  gradient: usize,
  first: i32,
  end: i32,
  particles: i32,
  p: usize,
): usize {
  const stride = <usize>D * VECTOR;
  const stop = x + <usize>particles * stride;
  const unit = v128.splat<T>(<T>energyUnit(kind, term));
  const k0 = v128.load(constants);
  const k1 = v128.load(constants, 16);
  const k2 = v128.load(constants, 32);
  const k3 = v128.load(constants, 48);
  const k4 = v128.load(constants, 64);
  const work = constants;
  for (let i = first; i < end; i++) {
    const xi = x + <usize>i * stride;
    const gi = gradient + (xi - x);
    const a = v128.load(xi);
    const b = v128.load(xi, 16);
    let c = a;
    if (D == 3) c = v128.load(xi, 32);
    let row = v128.splat<T>(<T>0);
    let ga = row;
    let gb = row;
    let gc = row;
    let counts = mask + <usize>(i * (particles + 1));
    let gj = gi;
    for (let xj = xi + stride; xj < stop; xj += stride) {
      const key = v128.load(p);
      p += VECTOR;
      gj += stride;
      if (mask != 0) {
        counts++;
        if (load<u8>(counts) == 0) continue;
      }
      if (kind == TABULATED) row = v128.add<T>(row, tabulated<T>(term, key, withGradient, work));
      else if (withEnergy) row = v128.add<T>(row, pairEnergy<T>(kind, key, k0, k1, k2, k3));
      if (withGradient) {
        const slope =
          kind == TABULATED ? v128.mul<T>(unit, v128.load(work)) : pairSlope<T>(kind, key, k0, k1, k3, k4);
        const g0 = v128.mul<T>(v128.sub<T>(a, v128.load(xj)), slope);
        const g1 = v128.mul<T>(v128.sub<T>(b, v128.load(xj, 16)), slope);
        ga = v128.add<T>(ga, g0);
        gb = v128.add<T>(gb, g1);
        v128.store(gj, v128.sub<T>(v128.load(gj), g0));
        v128.store(gj, v128.sub<T>(v128.load(gj, 16), g1), 16);
        if (D == 3) {
          const g2 = v128.mul<T>(v128.sub<T>(c, v128.load(xj, 32)), slope);
          gc = v128.add<T>(gc, g2);
          v128.store(gj, v128.sub<T>(v128.load(gj, 32), g2), 32);
        }
      }
    }
    if (withEnergy) accumulate<T>(energy, v128.mul<T>(unit, row));
    if (withGradient) {
      v128.store(gi, v128.add<T>(v128.load(gi), ga));
      v128.store(gi, v128.add<T>(v128.load(gi, 16), gb), 16);
      if (D == 3) v128.store(gi, v128.add<T>(v128.load(gi, 32), gc), 32);
    }
  }
  return p;
}

/** Adds one term of a compile-time kind to energies and, with `withGradient`, gradients. `scratch` as in energy.ts. */
// @ts-ignore: decorator
@inline
export function pairTerm<T extends number>(
  D: i32,
  kind: i32,
  withEnergy: bool,
  withGradient: bool,
  mask: usize,
  term: usize,
  x: usize,
  energy: usize,
  gradient: usize,
  particles: i32,
  blocks: i32,
  scratch: usize,
): void {
  const block = <usize>(particles * D) * VECTOR;
  const sums = <usize>(lanes<T>() * 8);
  const keys = scratch + CONSTANTS;
  if (kind != TABULATED) placeConstants<T>(kind, term, scratch);
  const k0 = v128.load(scratch);
  const group = blocksPerTile(particles);
  for (let b0 = 0; b0 < blocks; b0 += group) {
    const b1 = min(b0 + group, blocks);
    for (let first = 0, end = 0; first < particles - 1; first = end) {
      end = tileEnd(first, particles);
      let p = keys;
      for (let b = b0; b < b1; b++) {
        p = keyPass<T>(D, kind, k0, x + <usize>b * block, first, end, particles, p);
      }
      p = keys;
      for (let b = b0; b < b1; b++) {
        const at = <usize>b * block;
        p = energyPass<T>(
          D, kind, withEnergy, withGradient, mask, term, scratch, x + at, energy + <usize>b * sums, gradient + at,
          first, end, particles, p,
        );
      }
    }
  }
}
