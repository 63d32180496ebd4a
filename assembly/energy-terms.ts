// Pair terms by kind and dimension, each a function of its own: in one they are 70 kB of machine code, which takes the
// engine's optimising compiler 50 ms, and until then nothing of it runs fast. A system has one of them, or two.

import { fourDoubleWell } from './four-particle-energies';
import { CONSTANTS, DOUBLE_WELL, LENNARD_JONES, TABULATED, energyUnit, pairTerm, placeConstants } from './pair-energies';

// @ts-ignore: decorator
@inline
function masked<T extends number>(
  D: i32, kind: i32, withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, particles: i32,
  blocks: i32, scratch: usize,
): void {
  const mask = <usize>load<f64>(term, 48);
  if (mask == 0) pairTerm<T>(D, kind, withEnergy, withGradient, 0, term, x, energy, gradient, particles, blocks, scratch);
  else pairTerm<T>(D, kind, withEnergy, withGradient, mask, term, x, energy, gradient, particles, blocks, scratch);
}

/** What is added to, with or without a mask: constants from here on. */
// @ts-ignore: decorator
@inline
function pairs<T extends number>(
  D: i32, kind: i32, withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, particles: i32,
  blocks: i32, scratch: usize,
): void {
  if (!withEnergy) masked<T>(D, kind, false, true, term, x, energy, gradient, particles, blocks, scratch);
  else if (withGradient) masked<T>(D, kind, true, true, term, x, energy, gradient, particles, blocks, scratch);
  else masked<T>(D, kind, true, false, term, x, energy, gradient, particles, blocks, scratch);
}

export function doubleWell2<T extends number>(
  withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, particles: i32, blocks: i32,
  scratch: usize,
): void {
  pairs<T>(2, DOUBLE_WELL, withEnergy, withGradient, term, x, energy, gradient, particles, blocks, scratch);
}

export function doubleWell3<T extends number>(
  withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, particles: i32, blocks: i32,
  scratch: usize,
): void {
  pairs<T>(3, DOUBLE_WELL, withEnergy, withGradient, term, x, energy, gradient, particles, blocks, scratch);
}

export function lennardJones2<T extends number>(
  withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, particles: i32, blocks: i32,
  scratch: usize,
): void {
  pairs<T>(2, LENNARD_JONES, withEnergy, withGradient, term, x, energy, gradient, particles, blocks, scratch);
}

export function lennardJones3<T extends number>(
  withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, particles: i32, blocks: i32,
  scratch: usize,
): void {
  pairs<T>(3, LENNARD_JONES, withEnergy, withGradient, term, x, energy, gradient, particles, blocks, scratch);
}

export function tabulated2<T extends number>(
  withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, particles: i32, blocks: i32,
  scratch: usize,
): void {
  pairs<T>(2, TABULATED, withEnergy, withGradient, term, x, energy, gradient, particles, blocks, scratch);
}

export function tabulated3<T extends number>(
  withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, particles: i32, blocks: i32,
  scratch: usize,
): void {
  pairs<T>(3, TABULATED, withEnergy, withGradient, term, x, energy, gradient, particles, blocks, scratch);
}

/** The whole energy of DW4, written; see four-particle-energies.ts. */
export function fourDoubleWells<T extends number>(
  withEnergy: bool, withGradient: bool, term: usize, x: usize, energy: usize, gradient: usize, blocks: i32, scratch: usize,
): void {
  const unit = energyUnit(DOUBLE_WELL, term);
  const tile = scratch + CONSTANTS;
  placeConstants<T>(DOUBLE_WELL, term, scratch);
  if (!withEnergy) fourDoubleWell<T>(false, true, scratch, unit, x, energy, gradient, blocks, tile);
  else if (withGradient) fourDoubleWell<T>(true, true, scratch, unit, x, energy, gradient, blocks, tile);
  else fourDoubleWell<T>(true, false, scratch, unit, x, energy, gradient, blocks, tile);
}
