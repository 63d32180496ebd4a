import type { Integrator } from '../integrators/index.js';
import type { Precision } from '../kernels/index.js';
import type { Verification } from './verify.js';

/** The verdict on the integrator of a flow. */
export interface VerificationStatus {
  readonly verdict: 'negligible' | 'small' | 'too coarse';
  /** What that means, and what to do about it. */
  readonly text: string;
}

/** Root mean square and largest error of log q, nats, up to which it changes nothing that could be seen: weights by 1 %. */
const NEGLIGIBLE = { rms: 0.01, max: 0.1 };
/** Up to which weights are right to a factor that matters less than their spread: one nat at the very most. */
const SMALL = { rms: 0.1, max: 1 };

type Facts = Pick<Verification, 'samples' | 'logQ' | 'logZShift' | 'essRatio'>;

/** The verdict on a discretisation error, against the one nat by which a weight may be wrong before it misleads. */
export function verificationStatus(
  { samples, logQ, logZShift, essRatio }: Facts,
  integrator: Integrator,
  precision: Precision,
): VerificationStatus {
  const within = (bounds: { rms: number; max: number }) => logQ.rms <= bounds.rms && logQ.max <= bounds.max;
  const effect = `log Z by ${logZShift.toFixed(4)} and the effective sample size by ${(100 * (essRatio - 1)).toFixed(1)} %`;
  if (within(NEGLIGIBLE)) {
    return {
      verdict: 'negligible',
      text: 'The discretisation error is negligible beside the 1 nat that would matter.',
    };
  }
  const finer =
    integrator.kind === 'rk4'
      ? `more steps than ${integrator.steps} (--steps), or --integrator dopri5`
      : `a tolerance below ${integrator.rtol} (--rtol)${precision === 'f32' && integrator.rtol <= 1e-6 ? ' with --precision f64' : ''}`;
  if (within(SMALL)) {
    const text = `The discretisation error is small: exact log q would change ${effect}. For less, use ${finer}.`;
    return { verdict: 'small', text };
  }
  const text =
    `The integrator is too coarse: single weights are wrong by up to ${logQ.max.toPrecision(2)} nats, and exact log q would ` +
    `change ${effect} on these ${samples} samples. Use ${finer}.`;
  return { verdict: 'too coarse', text };
}
