/** A map of n numbers to n numbers. */
export type VectorMap = (x: Float64Array) => Float64Array;

/**
 * Jacobian [n, n], row = output, by central differences with steps h and h/2, extrapolated (Richardson), so that the
 * error is O(h⁴) plus rounding of about 1e-16/h. `h` has to be small against the map's length scales.
 */
export function jacobian(map: VectorMap, x: Float64Array, h = 2e-3): Float64Array {
  const n = x.length;
  const J = new Float64Array(n * n);
  for (let column = 0; column < n; column++) {
    const coarse = centralDifference(map, x, column, h);
    const fine = centralDifference(map, x, column, h / 2);
    for (let row = 0; row < n; row++) J[row * n + column] = (4 * fine[row] - coarse[row]) / 3;
  }
  return J;
}

function centralDifference(map: VectorMap, x: Float64Array, axis: number, h: number): Float64Array {
  const at = (shift: number) => map(x.map((value, c) => (c === axis ? value + shift : value)));
  const below = at(-h);
  return at(h).map((above, c) => (above - below[c]) / (2 * h));
}

/** Brute-force divergence of a vector field: the trace of its Jacobian. */
export function jacobianTrace(map: VectorMap, x: Float64Array, h?: number): number {
  const J = jacobian(map, x, h);
  let trace = 0;
  for (let i = 0; i < x.length; i++) trace += J[i * x.length + i];
  return trace;
}

/**
 * Brute-force log|det ∂map/∂x|. A map that moves the centroid by a translation only has the same determinant on the
 * mean-free subspace as on the whole space.
 */
export function logAbsDeterminant(map: VectorMap, x: Float64Array, h?: number): number {
  const n = x.length;
  const A = jacobian(map, x, h);
  let sum = 0;
  // Gaussian elimination with partial pivoting; |det| is the product of the pivots.
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let row = k + 1; row < n; row++) if (Math.abs(A[row * n + k]) > Math.abs(A[pivot * n + k])) pivot = row;
    for (let c = 0; c < n; c++) [A[k * n + c], A[pivot * n + c]] = [A[pivot * n + c], A[k * n + c]];
    for (let row = k + 1; row < n; row++) {
      const factor = A[row * n + k] / A[k * n + k];
      for (let c = k; c < n; c++) A[row * n + c] -= factor * A[k * n + c];
    }
    sum += Math.log(Math.abs(A[k * n + k]));
  }
  return sum;
}
