import { UsageError } from '../errors.js';
import { gigabytes } from '../formats/space.js';
import type { System } from '../systems/index.js';

/** What a zip archive without its 64-bit extension holds, less the room for headers. */
const MAXIMUM_BYTES = 2 ** 32 - 2 ** 16;

/**
 * Tells before any work whether n configurations may go into one `.npz`.
 * @throws UsageError if their arrays are too large for that
 */
export function checkSimulationSize({ particles, dimensions, name }: System, n: number): void {
  const bytes = 8 * n * (particles * dimensions + 1);
  if (bytes <= MAXIMUM_BYTES) return;
  throw new UsageError(
    `${n} configurations of ${name} are arrays of ${gigabytes(bytes)}, expected at most ${gigabytes(MAXIMUM_BYTES)} in a .npz`,
  );
}
