import { UsageError } from '../errors.js';

/**
 * Which particles are equal: permutations exchange particles of the same species only. Species are numbered from 0 without
 * gaps; pairs of species (a, b), a ≤ b, are numbered row by row of the upper triangle: (0,0), (0,1), …, (1,1), …
 */
export interface SpeciesPairs {
  readonly species: readonly number[];
  /** Number of species S. */
  readonly count: number;
  /** Number of pairs of species S(S+1)/2. */
  readonly pairs: number;
  /** Number of the pair of species that particles i and j make. */
  of(i: number, j: number): number;
}

/** @throws UsageError unless there is one species number a particle and they count up from 0 without gaps. */
export function speciesPairs(particles: number, species: readonly number[]): SpeciesPairs {
  const count = new Set(species).size;
  const complete = species.every((s) => Number.isInteger(s) && s >= 0 && s < count);
  if (species.length !== particles || !complete) {
    throw new UsageError(
      `species [${species}]: expected ${particles} numbers, one per particle, counting up from 0 without gaps`,
    );
  }
  const of = (i: number, j: number) => {
    const [a, b] = [Math.min(species[i], species[j]), Math.max(species[i], species[j])];
    return a * count - (a * (a - 1)) / 2 + (b - a);
  };
  return { species, count, pairs: (count * (count + 1)) / 2, of };
}
