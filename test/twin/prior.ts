import { removeCentroid } from './dense-field.js';

/**
 * The oracle for the prior: log-density in nats of N(0, kT·scale²·P) at z [N·D], normalised on the mean-free subspace of
 * (N−1)·D dimensions; the centroid of z is removed first.
 */
export function priorLogDensity(z: Float64Array, N: number, D: number, scale = 1, kT = 1): number {
  const variance = kT * scale ** 2;
  const squared = removeCentroid(z, N, D).reduce((sum, value) => sum + value * value, 0);
  return -squared / (2 * variance) - (((N - 1) * D) / 2) * Math.log(2 * Math.PI * variance);
}
