import type { DormandPrince5, Integrator } from '../integrators/index.js';
import type { Precision } from '../kernels/index.js';

/** Of errors over samples. */
export interface ErrorSummary {
  readonly mean: number;
  readonly rms: number;
  /** The largest magnitude. */
  readonly max: number;
}

/** How far samples are from those of the exact flow, measured on some of them. */
export interface Verification {
  /** How many were measured. */
  readonly samples: number;
  /** log q as reported minus the density of the exact flow at the configuration as it is stored, nats: the error of a weight. */
  readonly logQ: ErrorSummary;
  /** Against the exact flow from the same prior sample: log q, nats, and x, root mean square over a sample's coordinates. */
  readonly forward: { readonly logQ: ErrorSummary; readonly x: ErrorSummary };
  /** Largest difference between the reference's own log q there and back, nats: what all of this is uncertain by. */
  readonly referenceError: number;
  /** log Z with exact log q minus log Z as reported, and the ratio of effective sample sizes, both from these samples. */
  readonly logZShift: number;
  readonly essRatio: number;
  readonly reference: { readonly integrator: DormandPrince5; readonly precision: 'f64' };
  readonly status: VerificationStatus;
}

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
