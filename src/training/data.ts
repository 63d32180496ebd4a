import { UsageError } from '../errors.js';
import type { Configurations } from '../formats/index.js';
import { permutation, STREAM } from '../kernels/index.js';
import type { TrainingOptions } from './options.js';

/** A batch and which configurations of the data it is made of. */
export interface Batch {
  readonly x: Float64Array;
  readonly indices: Uint32Array;
}

/** The batch of any step: epochs are permutations of the data, cut into batches; the remainder of an epoch is left out. */
export function batchSource(
  data: Configurations,
  coordinates: number,
  options: TrainingOptions,
): (step: number) => Batch {
  const size = Math.min(options.batchSize, data.n);
  const perEpoch = Math.floor(data.n / size);
  const x = new Float64Array(size * coordinates);
  let epoch = -1;
  let order: Uint32Array = new Uint32Array(0);
  return (step) => {
    const wanted = Math.floor(step / perEpoch);
    if (wanted !== epoch) {
      epoch = wanted;
      order = permutation(options.seed, STREAM.shuffle, data.n, epoch);
    }
    const from = (step % perEpoch) * size;
    const indices = order.subarray(from, from + size);
    indices.forEach((row, s) => {
      x.set(data.x.subarray(row * coordinates, (row + 1) * coordinates), s * coordinates);
    });
    return { x, indices };
  };
}

/**
 * Splits configurations into training and validation. `tail` keeps the last ones together, as data along a trajectory
 * or chain by chain need; `random` draws them with the seed.
 */
export function splitConfigurations(
  { x, n }: Configurations,
  fraction: number,
  kind: 'tail' | 'random',
  seed: number,
): { data: Configurations; validation: Configurations } {
  if (!(fraction > 0 && fraction < 1) || n < 2) {
    throw new UsageError(
      `training: cannot split ${n} configurations with validation fraction ${fraction}, expected at least 2 and a fraction between 0 and 1`,
    );
  }
  const C = x.length / n;
  const held = Math.min(n - 1, Math.max(1, Math.round(fraction * n)));
  const order = kind === 'tail' ? Uint32Array.from({ length: n }, (_, i) => i) : permutation(seed, STREAM.split, n);
  const pick = (indices: Uint32Array): Configurations => {
    const rows = new Float64Array(indices.length * C);
    indices.forEach((row, s) => {
      rows.set(x.subarray(row * C, (row + 1) * C), s * C);
    });
    return { x: rows, n: indices.length };
  };
  return { data: pick(order.subarray(0, n - held)), validation: pick(order.subarray(n - held)) };
}
