/** Rounding of f64 below which two columns count as orthogonal. */
const TOLERANCE = 1e-15;
/** One-sided Jacobi converges quadratically; matrices of three columns take three to five sweeps. */
const MAX_SWEEPS = 30;

/** A = U diag(S) Vᵀ for A [D, D], row-major; singular values in no particular order. */
export interface Svd {
  readonly U: Float64Array;
  readonly S: Float64Array;
  readonly V: Float64Array;
}

/** Singular value decomposition of a small square matrix by one-sided Jacobi rotations (Hestenes 1958). */
export function svd(A: Float64Array, D: number): Svd {
  const U = A.slice();
  const V = identity(D);
  for (let sweep = 0; sweep < MAX_SWEEPS && orthogonalise(U, V, D); sweep++);
  const S = new Float64Array(D);
  for (let c = 0; c < D; c++) S[c] = Math.hypot(...column(U, c, D));
  const largest = Math.max(...S);
  const missing: number[] = [];
  for (let c = 0; c < D; c++) {
    if (S[c] > TOLERANCE * largest) for (let a = 0; a < D; a++) U[a * D + c] /= S[c];
    else missing.push(c);
  }
  complete(U, missing, D);
  return { U, S, V };
}

/**
 * The matrix R of O(D), rotation or reflection, that maximises tr(R H): the R that brings points b_i closest to a_i,
 * Σ|a_i − R b_i|² least, for H = Σ b_i a_iᵀ (Kabsch 1976; Schönemann 1966 for O(D)).
 */
export function nearestOrthogonal(H: Float64Array, D: number): Float64Array {
  const { U, V } = svd(H, D);
  const R = new Float64Array(D * D);
  for (let a = 0; a < D; a++) {
    for (let b = 0; b < D; b++) for (let c = 0; c < D; c++) R[a * D + b] += V[a * D + c] * U[b * D + c];
  }
  return R;
}

export function identity(D: number): Float64Array {
  return Float64Array.from({ length: D * D }, (_, c) => (c % (D + 1) === 0 ? 1 : 0));
}

function column(A: Float64Array, c: number, D: number): Float64Array {
  return Float64Array.from({ length: D }, (_, a) => A[a * D + c]);
}

/** One sweep of rotations of pairs of columns, of U and V alike; whether any was needed. */
function orthogonalise(U: Float64Array, V: Float64Array, D: number): boolean {
  let rotated = false;
  for (let p = 0; p < D - 1; p++) {
    for (let q = p + 1; q < D; q++) {
      let [pp, qq, pq] = [0, 0, 0];
      for (let a = 0; a < D; a++) {
        const [x, y] = [U[a * D + p], U[a * D + q]];
        pp += x * x;
        qq += y * y;
        pq += x * y;
      }
      if (!(Math.abs(pq) > TOLERANCE * Math.sqrt(pp * qq))) continue;
      rotated = true;
      const zeta = (qq - pp) / (2 * pq);
      const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
      const c = 1 / Math.hypot(1, t);
      for (const M of [U, V]) {
        for (let a = 0; a < D; a++) {
          const [x, y] = [M[a * D + p], M[a * D + q]];
          M[a * D + p] = c * (x - t * y);
          M[a * D + q] = c * (t * x + y);
        }
      }
    }
  }
  return rotated;
}

/** Fills the named columns of U so that all are orthonormal: Gram–Schmidt from the axis that is least covered so far. */
function complete(U: Float64Array, missing: readonly number[], D: number): void {
  const known = new Set(Array.from({ length: D }, (_, c) => c).filter((c) => !missing.includes(c)));
  for (const target of missing) {
    let best = new Float64Array(D);
    for (let axis = 0; axis < D; axis++) {
      const rest = new Float64Array(D);
      rest[axis] = 1;
      for (const c of known) for (let a = 0; a < D; a++) rest[a] -= U[axis * D + c] * U[a * D + c];
      if (Math.hypot(...rest) > Math.hypot(...best)) best = rest;
    }
    const length = Math.hypot(...best);
    for (let a = 0; a < D; a++) U[a * D + target] = best[a] / length;
    known.add(target);
  }
}
