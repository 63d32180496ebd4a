import type { ExecutionContext } from 'ava';
import type { WeightStatus } from '../../src/reweighting/index.js';
import { normals } from './random.js';

/** Shares of ±1 and ±1.96 standard errors under the normal distribution. */
const INTERVALS = [
  { width: 1, share: 0.6826895 },
  { width: 1.959964, share: 0.95 },
];

/**
 * Counts how often the intervals hold the truth. The bounds are three binomial errors: of a calibrated estimator each of the two
 * checks raises a false alarm with probability 0.003, were the seeds not fixed.
 */
export function assertCoverage(
  t: ExecutionContext,
  truth: number,
  replicates: number,
  estimate: (replicate: number) => { value: number; standardError: number },
): void {
  const scores = Array.from({ length: replicates }, (_, r) => {
    const { value, standardError } = estimate(r);
    return Math.abs(value - truth) / standardError;
  });
  for (const { width, share } of INTERVALS) {
    const covered = scores.filter((z) => z <= width).length / replicates;
    const bound = 3 * Math.sqrt((share * (1 - share)) / replicates);
    t.true(Math.abs(covered - share) <= bound, `${(100 * share).toFixed(0)} %: ${covered} of ${replicates} replicates`);
  }
}

/** Share of replicates whose verdict is `do-not-trust`. */
export function refusals(replicates: number, estimate: (replicate: number) => { status: WeightStatus }): number {
  let count = 0;
  for (let r = 0; r < replicates; r++) if (estimate(r).status.level === 'do-not-trust') count++;
  return count / replicates;
}

/** An AR(1) chain of standard normals, ρ(t) = a^t: its mean has τ = (1 + a)/(1 − a). */
export function autoregressive(n: number, a: number, seed: number): Float64Array {
  const normal = normals(seed);
  const series = new Float64Array(n);
  let x = normal();
  for (let i = 0; i < n; i++) {
    series[i] = x;
    x = a * x + Math.sqrt(1 - a * a) * normal();
  }
  return series;
}
