import { type Aligner, aligner, type Canonical } from './alignment.js';
import { type AssignmentSolver, assignmentSolver } from './assignment.js';

/**
 * How prior samples and configurations are paired: at random; by the assignment of least squared distance within groups of
 * a batch (Pooladian et al. 2023; Tong et al. 2023); or by the same with distances between orbits, each configuration
 * then being moved onto its prior sample by a rotation or reflection and a permutation (Klein, Krämer, Noé 2023).
 */
export type CouplingKind = 'independent' | 'minibatch-ot' | 'equivariant-ot';

/** Pairs row s of `x0` with row s of `x1`, both mean-free [n, N, D], by reordering rows of x0 and moving rows of x1 in place. */
export type Coupling = (x0: Float64Array, x1: Float64Array, n: number) => void;

/**
 * A coupling. Rows of x0 are only reordered, so it stays a sample of the prior, and rows of x1 keep their order and only
 * move within their orbits: x1 stays a sample of any density that is invariant under the group.
 *
 * @param group how many pairs are assigned among each other; the cost of a batch grows with its square. With 1,
 *   `equivariant-ot` is the alignment of each pair by itself.
 */
export function coupling(kind: CouplingKind, group: number, species: readonly number[], dimensions: number): Coupling {
  if (kind === 'independent') return () => {};
  const C = species.length * dimensions;
  const solve = assignmentSolver(group);
  if (kind === 'minibatch-ot') {
    return (x0, x1, n) =>
      forGroups(n, group, (first, size) => {
        const rows = (x: Float64Array) => x.subarray(first * C, (first + size) * C);
        const [a, b] = [rows(x0), rows(x1)];
        reorder(
          a,
          assignRows(solve, size, (s, t) => squaredDistance(a, t, b, s, C)),
          C,
        );
      });
  }
  const orbits = aligner(species, dimensions);
  return (x0, x1, n) =>
    forGroups(n, group, (first, size) => {
      coupleOrbits(orbits, solve, x0.subarray(first * C, (first + size) * C), x1.subarray(first * C), size, C);
    });
}

function coupleOrbits(
  orbits: Aligner,
  solve: AssignmentSolver,
  x0: Float64Array,
  x1: Float64Array,
  size: number,
  C: number,
): void {
  const canonical = (x: Float64Array): Canonical[] =>
    Array.from({ length: size }, (_, s) => orbits.canonical(x.subarray(s * C, (s + 1) * C)));
  const [a, b] = [canonical(x0), canonical(x1)];
  const sources =
    size === 1 ? Int32Array.of(0) : assignRows(solve, size, (s, t) => orbits.align(a[t], b[s]).squaredDistance);
  sources.forEach((source, s) => {
    x1.set(orbits.moved(a[source], b[s], orbits.align(a[source], b[s])), s * C);
  });
  reorder(x0, sources, C);
}

function forGroups(n: number, group: number, body: (first: number, size: number) => void): void {
  for (let first = 0; first < n; first += group) body(first, Math.min(group, n - first));
}

/** Which row of x0 each row of x1 gets, at least cost. */
function assignRows(
  solve: AssignmentSolver,
  size: number,
  cost: (rowOfX1: number, rowOfX0: number) => number,
): Int32Array {
  const costs = new Float64Array(size * size);
  for (let s = 0; s < size; s++) for (let t = 0; t < size; t++) costs[s * size + t] = cost(s, t);
  return solve(costs, size).columns.slice();
}

function squaredDistance(x0: Float64Array, t: number, x1: Float64Array, s: number, C: number): number {
  let sum = 0;
  for (let c = 0; c < C; c++) sum += (x0[t * C + c] - x1[s * C + c]) ** 2;
  return sum;
}

function reorder(x: Float64Array, sources: Int32Array, C: number): void {
  const rows = x.slice();
  sources.forEach((source, s) => {
    x.set(rows.subarray(source * C, (source + 1) * C), s * C);
  });
}
