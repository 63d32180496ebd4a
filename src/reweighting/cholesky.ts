/** A pivot below this share of its diagonal element is rounding. */
const SMALLEST_PIVOT = 1e-13;

/**
 * Solves the symmetric positive definite system A·x = b.
 *
 * @param matrix A, row-major [n, n]; the lower triangle is read
 * @param right b, shape [n]
 * @returns x, shape [n], or undefined if the matrix is singular up to rounding
 */
export function solvePositiveDefinite(matrix: Float64Array, right: Float64Array): Float64Array | undefined {
  const n = right.length;
  const lower = matrix.slice();
  for (let j = 0; j < n; j++) {
    let pivot = lower[j * n + j];
    for (let k = 0; k < j; k++) pivot -= lower[j * n + k] ** 2;
    if (!(pivot > SMALLEST_PIVOT * matrix[j * n + j])) return undefined;
    lower[j * n + j] = Math.sqrt(pivot);
    for (let i = j + 1; i < n; i++) {
      let sum = lower[i * n + j];
      for (let k = 0; k < j; k++) sum -= lower[i * n + k] * lower[j * n + k];
      lower[i * n + j] = sum / lower[j * n + j];
    }
  }
  const x = right.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= lower[i * n + k] * x[k];
    x[i] /= lower[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= lower[k * n + i] * x[k];
    x[i] /= lower[i * n + i];
  }
  return x;
}
