// Target energies and gradients as a sum of terms over blocks. A term is eight f64: kind, scale, constants, mask:
//   0 double well   scale·Σ_{i<j} a(d−d0)⁴ + b(d−d0)² + c        a, b, c, d0
//   1 Lennard-Jones scale·Σ_{i<j} ε[(rMin/d)¹² − 2(rMin/d)⁶]      ε, rMin
//   2 harmonic trap scale·½k Σ_i ‖x_i − x̄‖²                       k
//   3 tabulated     scale·Σ_{i<j} u(d)                            dMin, 1/h, intervals, address of the table of T
// The last number is the address of a mask [N][N] of bytes, 1 where the pair counts, or 0 where all pairs do.
//
// A table has intervals + 2 rows c0 … c3 of T: the linear core below dMin, the cubics, and the constant beyond dMax.

import { VECTOR, accumulate, lanes } from './lanes';
import {
  doubleWell2, doubleWell3, fourDoubleWells, lennardJones2, lennardJones3, tabulated2, tabulated3,
} from './energy-terms';
import { fourScratch } from './four-particle-energies';
import { CONSTANTS, DOUBLE_WELL, LENNARD_JONES } from './pair-energies';
import { tileCapacity } from './pair-tiles';

const TRAP: i32 = 2;
const TERM_BYTES: usize = 64;

/** Bytes of scratch that energies of `particles` need. */
export function energyScratch(particles: i32): i32 {
  return <i32>CONSTANTS + max(tileCapacity(particles) * <i32>VECTOR, particles == 4 ? fourScratch() : 0);
}

/** Whether the energy is one for four-particle-energies.ts: a double well of all pairs of four particles in two dimensions. */
// @ts-ignore: decorator
@inline
function isFourDoubleWell(terms: usize, count: i32, particles: i32, dimensions: i32): bool {
  return (
    particles == 4 && dimensions == 2 && count == 1 && <i32>load<f64>(terms) == DOUBLE_WELL && load<f64>(terms, 48) == 0
  );
}

/** One coordinate of the trap: r² where r is its distance from the centroid; adds stiffness·r to the gradient at `g`. */
// @ts-ignore: decorator
@inline
function pull<T extends number>(withGradient: bool, p: usize, mean: v128, stiffness: v128, g: usize): v128 {
  const r = v128.sub<T>(v128.load(p), mean);
  if (withGradient) v128.store(g, v128.add<T>(v128.load(g), v128.mul<T>(stiffness, r)));
  return v128.mul<T>(r, r);
}

// @ts-ignore: decorator
@inline
function trapTerm<T extends number>(
  D: i32,
  withEnergy: bool,
  withGradient: bool,
  term: usize,
  x: usize,
  energy: usize,
  gradient: usize,
  particles: i32,
  blocks: i32,
): void {
  const stiffness = v128.splat<T>(<T>(load<f64>(term, 8) * load<f64>(term, 16)));
  const halfStiffness = v128.splat<T>(<T>(0.5 * load<f64>(term, 8) * load<f64>(term, 16)));
  const invN = v128.splat<T>(<T>(1.0 / <f64>particles));
  const stride = <usize>D * VECTOR;
  for (let n = 0; n < blocks; n++) {
    const stop = x + <usize>particles * stride;
    let a = v128.splat<T>(<T>0);
    let b = a;
    let c = a;
    for (let p = x; p < stop; p += stride) {
      a = v128.add<T>(a, v128.load(p));
      b = v128.add<T>(b, v128.load(p, 16));
      if (D == 3) c = v128.add<T>(c, v128.load(p, 32));
    }
    a = v128.mul<T>(a, invN);
    b = v128.mul<T>(b, invN);
    c = v128.mul<T>(c, invN);
    let sum = v128.splat<T>(<T>0);
    for (; x < stop; x += stride) {
      let squared = v128.add<T>(
        pull<T>(withGradient, x, a, stiffness, gradient),
        pull<T>(withGradient, x + 16, b, stiffness, gradient + 16),
      );
      if (D == 3) squared = v128.add<T>(squared, pull<T>(withGradient, x + 32, c, stiffness, gradient + 32));
      sum = v128.add<T>(sum, squared);
      gradient += stride;
    }
    if (withEnergy) {
      accumulate<T>(energy, v128.mul<T>(halfStiffness, sum));
      energy += lanes<T>() * 8;
    }
  }
}

/** What a term adds to, each a constant from here on. */
// @ts-ignore: decorator
@inline
function trap<T extends number>(
  D: i32, withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, particles: i32, blocks: i32,
): void {
  if (!withEnergy) trapTerm<T>(D, false, true, term, x, energy, gradient, particles, blocks);
  else if (withGradient) trapTerm<T>(D, true, true, term, x, energy, gradient, particles, blocks);
  else trapTerm<T>(D, true, false, term, x, energy, gradient, particles, blocks);
}

/** Adds all terms to energies, to gradients or to both. */
function addTerms<T extends number>(
  withEnergy: bool, withGradient: bool, terms: usize, count: i32, x: usize, energy: usize, gradient: usize, particles: i32,
  dimensions: i32, blocks: i32, scratch: usize,
): void {
  const inSpace = dimensions == 3;
  for (let t = 0; t < count; t++, terms += TERM_BYTES) {
    const kind = <i32>load<f64>(terms);
    if (kind == TRAP) {
      if (inSpace) trap<T>(3, withEnergy, withGradient, terms, x, energy, gradient, particles, blocks);
      else trap<T>(2, withEnergy, withGradient, terms, x, energy, gradient, particles, blocks);
    } else if (kind == DOUBLE_WELL) {
      if (inSpace) doubleWell3<T>(withEnergy, withGradient, terms, x, energy, gradient, particles, blocks, scratch);
      else doubleWell2<T>(withEnergy, withGradient, terms, x, energy, gradient, particles, blocks, scratch);
    } else if (kind == LENNARD_JONES) {
      if (inSpace) lennardJones3<T>(withEnergy, withGradient, terms, x, energy, gradient, particles, blocks, scratch);
      else lennardJones2<T>(withEnergy, withGradient, terms, x, energy, gradient, particles, blocks, scratch);
    } else if (inSpace) tabulated3<T>(withEnergy, withGradient, terms, x, energy, gradient, particles, blocks, scratch);
    else tabulated2<T>(withEnergy, withGradient, terms, x, energy, gradient, particles, blocks, scratch);
  }
}

/**
 * Energies (f64 per sample, written) and, unless `gradient` is 0, gradients (blocks of T, written) of blocks at `x`.
 * `scratch` holds `energyScratch` bytes.
 */
export function potential<T extends number>(
  terms: usize, count: i32, x: usize, energy: usize, gradient: usize, particles: i32, dimensions: i32, blocks: i32, scratch: usize,
): void {
  const withGradient = gradient != 0;
  if (isFourDoubleWell(terms, count, particles, dimensions)) {
    fourDoubleWells<T>(true, withGradient, terms, x, energy, gradient, blocks, scratch);
    return;
  }
  memory.fill(energy, 0, <usize>(blocks * lanes<T>() * 8));
  if (withGradient) memory.fill(gradient, 0, <usize>(blocks * particles * dimensions) * VECTOR);
  addTerms<T>(true, withGradient, terms, count, x, energy, gradient, particles, dimensions, blocks, scratch);
}

/** Gradients alone, written, of blocks at `x`. `scratch` holds `energyScratch` bytes. */
export function forces<T extends number>(
  terms: usize, count: i32, x: usize, gradient: usize, particles: i32, dimensions: i32, blocks: i32, scratch: usize,
): void {
  if (isFourDoubleWell(terms, count, particles, dimensions)) {
    fourDoubleWells<T>(false, true, terms, x, 0, gradient, blocks, scratch);
    return;
  }
  memory.fill(gradient, 0, <usize>(blocks * particles * dimensions) * VECTOR);
  addTerms<T>(false, true, terms, count, x, 0, gradient, particles, dimensions, blocks, scratch);
}
