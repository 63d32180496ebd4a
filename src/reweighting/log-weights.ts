import { DataError, UsageError } from '../errors.js';

/**
 * Importance log-weights log w = −U/kT − log q of samples drawn from q.
 *
 * @param energy U(x), shape [n], in units of energy (never U/kT); +Inf gives a zero weight
 * @param logQ normalised log q(x), shape [n], nats
 * @param kT temperature in units of energy
 * @param result where they go, shape [n]; by default an array of their own
 * @returns shape [n], nats
 * @throws UsageError if kT is not positive; DataError if the lengths differ or a weight is NaN or +Inf
 */
export function logWeights(
  energy: Float64Array,
  logQ: Float64Array,
  kT = 1,
  result: Float64Array = new Float64Array(energy.length),
): Float64Array {
  if (!(kT > 0 && kT < Number.POSITIVE_INFINITY)) throw new UsageError(`kT: ${kT}, expected a positive number`);
  requireSameLength('energy', energy, 'logQ', logQ);
  for (let i = 0; i < result.length; i++) result[i] = -energy[i] / kT - logQ[i];
  requireLogWeights(result, 'logWeight = −energy/kT − logQ');
  return result;
}

/**
 * Refuses log-weights that no estimator may see. −Inf is a weight of zero and is allowed.
 *
 * @param source what the message calls the array, for example `samples.npz: logWeight`
 * @throws DataError if the array is empty or holds NaN or +Inf, with their count and the first index
 */
export function requireLogWeights(logWeight: Float64Array, source: string): void {
  if (logWeight.length === 0) throw new DataError(`${source}: no entries, expected at least one sample`);
  let count = 0;
  let first = -1;
  for (let i = 0; i < logWeight.length; i++) {
    if (logWeight[i] < Number.POSITIVE_INFINITY) continue;
    if (count++ === 0) first = i;
  }
  if (count === 0) return;
  throw new DataError(
    `${source}: ${count} of ${logWeight.length} entries are NaN or +Inf, the first is ${logWeight[first]} at index ${first}; expected finite log-weights, or -Inf for a weight of zero`,
  );
}

/** @throws DataError if the largest of n log-weights tells that all weights are zero */
export function requirePositiveWeight(n: number, largest: number): void {
  if (largest > Number.NEGATIVE_INFINITY) return;
  throw new DataError(`logWeight: all ${n} weights are zero, expected one finite log-weight`);
}

export function requireSameLength(nameA: string, a: Float64Array, nameB: string, b: Float64Array): void {
  if (a.length === b.length) return;
  throw new DataError(`${nameA} has ${a.length} entries and ${nameB} has ${b.length}, expected one of each per sample`);
}
