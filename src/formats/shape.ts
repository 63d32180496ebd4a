/** NumPy's own limit on the number of axes; also keeps messages and headers short. */
export const MAXIMUM_RANK = 64;

/**
 * Number of elements of an array of the given shape (1 for rank 0), or NaN where the shape is not a list of
 * non-negative integers or the product leaves the integers that f64 holds exactly. Zero extents do not hide an
 * overflow in the others.
 */
export function elementCount(shape: readonly unknown[]): number {
  let count = 1;
  let nonZero = 1;
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || (extent as number) < 0) return Number.NaN;
    count *= extent as number;
    nonZero *= Math.max(extent as number, 1);
    if (nonZero > Number.MAX_SAFE_INTEGER) return Number.NaN;
  }
  return count;
}

/** `[1000, 13, 3]`, as messages write it. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
