import { NumericalError } from '../../errors.js';

/** A cheapest one-to-one assignment of rows to columns, with the dual solution that proves it. */
export interface Assignment {
  /** Column of every row [n]. */
  readonly columns: Int32Array;
  /** Dual variables: rowPotentials[i] + columnPotentials[j] ≤ cost[i, j], with equality where i is assigned j. */
  readonly rowPotentials: Float64Array;
  readonly columnPotentials: Float64Array;
}

/** Solves assignment problems of up to `capacity` rows; what it returns is overwritten by the next call. */
export type AssignmentSolver = (cost: Float64Array, n: number) => Assignment;

/**
 * A solver of linear assignment problems in O(n³): column reduction, then shortest augmenting paths row by row (Jonker &
 * Volgenant 1987). It owns its working memory, since a coupling solves thousands of small problems a step.
 */
export function assignmentSolver(capacity: number): AssignmentSolver {
  const rowPotentials = new Float64Array(capacity);
  // One more column: where the path of the row that is being assigned begins.
  const columnPotentials = new Float64Array(capacity + 1);
  const distances = new Float64Array(capacity);
  const rowOf = new Int32Array(capacity + 1);
  const columns = new Int32Array(capacity);
  const before = new Int32Array(capacity);
  const visited = new Uint8Array(capacity + 1);

  /** Potentials that are feasible, and the rows whose cheapest reduced column is still free. */
  function reduce(cost: Float64Array, n: number): void {
    columnPotentials.fill(0);
    rowOf.fill(-1);
    columns.fill(-1);
    for (let j = 0; j < n; j++) {
      let least = cost[j];
      for (let i = 1; i < n; i++) least = Math.min(least, cost[i * n + j]);
      columnPotentials[j] = least;
    }
    for (let i = 0; i < n; i++) {
      let cheapest = 0;
      for (let j = 1; j < n; j++) {
        if (cost[i * n + j] - columnPotentials[j] < cost[i * n + cheapest] - columnPotentials[cheapest]) cheapest = j;
      }
      rowPotentials[i] = cost[i * n + cheapest] - columnPotentials[cheapest];
      if (rowOf[cheapest] < 0) {
        rowOf[cheapest] = i;
        columns[i] = cheapest;
      }
    }
  }

  function augment(cost: Float64Array, n: number, row: number): void {
    distances.fill(Number.POSITIVE_INFINITY);
    visited.fill(0);
    let column = n;
    rowOf[n] = row;
    do {
      visited[column] = 1;
      const i = rowOf[column];
      let nearest = -1;
      let least = Number.POSITIVE_INFINITY;
      for (let j = 0; j < n; j++) {
        if (visited[j]) continue;
        const reduced = cost[i * n + j] - rowPotentials[i] - columnPotentials[j];
        if (reduced < distances[j]) {
          distances[j] = reduced;
          before[j] = column;
        }
        if (distances[j] < least) {
          least = distances[j];
          nearest = j;
        }
      }
      for (let j = 0; j <= n; j++) {
        if (visited[j]) {
          rowPotentials[rowOf[j]] += least;
          columnPotentials[j] -= least;
        } else if (j < n) distances[j] -= least;
      }
      column = nearest;
    } while (rowOf[column] >= 0);
    while (column !== n) {
      const from = before[column];
      rowOf[column] = rowOf[from];
      columns[rowOf[column]] = column;
      column = from;
    }
  }

  return (cost, n) => {
    reduce(cost, n);
    for (let i = 0; i < n; i++) if (columns[i] < 0) augment(cost, n, i);
    return {
      columns: columns.subarray(0, n),
      rowPotentials: rowPotentials.subarray(0, n),
      columnPotentials: columnPotentials.subarray(0, n),
    };
  };
}

/**
 * The cheapest assignment of the rows of `cost` [n, n] to its columns.
 * @throws NumericalError naming the first cost that is not finite.
 */
export function assign(cost: Float64Array, n: number): Assignment {
  const bad = cost.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new NumericalError(
      `assignment: cost [${Math.floor(bad / n)}, ${bad % n}] is ${cost[bad]}, expected a number`,
    );
  }
  return assignmentSolver(n)(cost, n);
}
