import { DataError, UsageError } from '../errors.js';

/** Shape of configurations x, [n, N, D] in row-major order. */
export interface ConfigurationShape {
  readonly particles: number;
  readonly dimensions: number;
}

/**
 * Distance of one pair of particles in every configuration.
 *
 * @param x shape [n, N, D]
 * @param pair two different particles, counted from 0
 * @returns shape [n]
 * @throws UsageError if the pair does not exist; DataError if x does not divide into configurations
 */
export function pairDistance(
  x: Float32Array | Float64Array,
  shape: ConfigurationShape,
  pair: readonly [number, number],
): Float64Array {
  const { particles, dimensions } = shape;
  for (const particle of pair) {
    if (!Number.isInteger(particle) || particle < 0 || particle >= particles) {
      throw new UsageError(`pair: particle ${particle}, expected an integer from 0 to ${particles - 1}`);
    }
  }
  if (pair[0] === pair[1]) throw new UsageError(`pair: ${pair.join(', ')}, expected two different particles`);
  return Float64Array.from({ length: configurations(x, shape) }, (_, s) => {
    let square = 0;
    for (let axis = 0; axis < dimensions; axis++) {
      const row = s * particles;
      square += (x[(row + pair[0]) * dimensions + axis] - x[(row + pair[1]) * dimensions + axis]) ** 2;
    }
    return Math.sqrt(square);
  });
}

/**
 * Radius of gyration √(Σ_i |x_i − x̄|²/N) of every configuration, particles of equal mass.
 *
 * @param x shape [n, N, D]
 * @returns shape [n]
 * @throws DataError if x does not divide into configurations
 */
export function radiusOfGyration(x: Float32Array | Float64Array, shape: ConfigurationShape): Float64Array {
  const { particles, dimensions } = shape;
  return Float64Array.from({ length: configurations(x, shape) }, (_, s) => {
    let square = 0;
    for (let axis = 0; axis < dimensions; axis++) {
      let centre = 0;
      for (let i = 0; i < particles; i++) centre += x[(s * particles + i) * dimensions + axis];
      centre /= particles;
      for (let i = 0; i < particles; i++) square += (x[(s * particles + i) * dimensions + axis] - centre) ** 2;
    }
    return Math.sqrt(square / particles);
  });
}

function configurations(x: ArrayLike<number>, { particles, dimensions }: ConfigurationShape): number {
  const n = x.length / (particles * dimensions);
  if (Number.isInteger(n)) return n;
  throw new DataError(`x has ${x.length} entries, expected a multiple of ${particles}·${dimensions}`);
}
