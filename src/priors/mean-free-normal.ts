import { UsageError } from '../errors.js';

/**
 * Isotropic normal N(0, kT·scale²·P) on the mean-free subspace Σ_i x_i = 0, normalised there: it has (N−1)·D degrees of
 * freedom, log q(z) = −|z|²/(2 kT scale²) − ((N−1)D/2)·log(2π kT scale²). Invariant under O(D) and permutations.
 */
export interface MeanFreeNormal {
  readonly kind: 'mean-free-normal';
  readonly particles: number;
  readonly dimensions: number;
  /** Standard deviation of each free coordinate at kT = 1. */
  readonly scale: number;
  readonly kT: number;
}

/** @throws UsageError for fewer than two particles, dimensions other than 2 or 3, or a scale or kT that is not positive. */
export function meanFreeNormal(
  particles: number,
  dimensions: number,
  { scale = 1, kT = 1 }: { scale?: number; kT?: number } = {},
): MeanFreeNormal {
  if (!Number.isInteger(particles) || particles < 2) {
    throw new UsageError(`prior: particles is ${particles}, expected an integer of at least 2`);
  }
  if (dimensions !== 2 && dimensions !== 3) throw new UsageError(`prior: dimensions is ${dimensions}, expected 2 or 3`);
  if (!(scale > 0 && Number.isFinite(scale)))
    throw new UsageError(`prior: scale is ${scale}, expected a positive number`);
  if (!(kT > 0 && Number.isFinite(kT))) throw new UsageError(`prior: kT is ${kT}, expected a positive number`);
  return { kind: 'mean-free-normal', particles, dimensions, scale, kT };
}

/** Variance kT·scale² of each free coordinate. */
export function priorVariance(prior: MeanFreeNormal): number {
  return prior.kT * prior.scale ** 2;
}

/** Degrees of freedom (N−1)·D. */
export function degreesOfFreedom(prior: { particles: number; dimensions: number }): number {
  return (prior.particles - 1) * prior.dimensions;
}

/** −((N−1)D/2)·log(2π kT scale²) in nats: what many codes drop. Add it to an un-normalised log-density. */
export function logNormalization(prior: MeanFreeNormal): number {
  return -0.5 * degreesOfFreedom(prior) * Math.log(2 * Math.PI * priorVariance(prior));
}

/** log q as a function of the squared norm |z|² of a mean-free z. */
export function logDensityOfSquaredNorm(prior: MeanFreeNormal): (squaredNorm: number) => number {
  const twiceVariance = 2 * priorVariance(prior);
  const constant = logNormalization(prior);
  return (squaredNorm) => -squaredNorm / twiceVariance + constant;
}
