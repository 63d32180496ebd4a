import { DataError } from '../../errors.js';

/**
 * Refuses what no estimator may see.
 * @param first index of the first sample
 * @throws DataError naming shard and sample
 */
export function requireWeights(logWeight: Float64Array, first: number, shard: number): void {
  const bad = logWeight.findIndex((value) => !(value < Number.POSITIVE_INFINITY));
  if (bad < 0) return;
  throw new DataError(
    `shard ${shard}: sample ${first + bad} has log-weight ${logWeight[bad]}, expected a finite one or -Infinity`,
  );
}
