import { DataError } from '../errors.js';
import type { Elements, Storage } from './element-writer.js';

/** Positions in the plane as programs take them that know only space: with a third coordinate, which is zero. */
export const IN_SPACE: Storage = {
  ratio: 3 / 2,
  encode: (plane) => {
    const space = elementsLike(plane, (3 * plane.length) / 2);
    for (let i = 0, j = 0; i < plane.length; i += 2, j += 3) {
      space[j] = plane[i];
      space[j + 1] = plane[i + 1];
    }
    return space;
  },
  decode: (space) => {
    const plane = elementsLike(space, (2 * space.length) / 3);
    for (let i = 0, j = 0; i < plane.length; i += 2, j += 3) {
      plane[i] = space[j];
      plane[i + 1] = space[j + 1];
      if (space[j + 2] !== 0) return undefined;
    }
    return plane;
  },
};

function elementsLike(data: Elements, length: number): Elements {
  return data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}

/**
 * The first two of every three coordinates of positions [·, N, 3].
 * @param first index of the first sample, for messages
 * @throws DataError unless every third coordinate is zero
 */
export function withoutThird<T extends Elements>(x: T, N: number, path: string, first = 0): T {
  const points = x.length / 3;
  const plane = (x instanceof Float32Array ? new Float32Array(2 * points) : new Float64Array(2 * points)) as T;
  for (let i = 0; i < points; i++) {
    plane[2 * i] = x[3 * i];
    plane[2 * i + 1] = x[3 * i + 1];
    if (x[3 * i + 2] !== 0) {
      const place = `sample ${first + Math.floor(i / N)}, particle ${i % N}`;
      throw new DataError(
        `${path}: the third coordinate is ${x[3 * i + 2]} at ${place}, expected zero in two dimensions`,
      );
    }
  }
  return plane;
}
