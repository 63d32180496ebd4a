import { tailLength } from './psis.js';

/** Whether weights can be trusted. */
export interface WeightStatus {
  readonly level: 'trust' | 'care' | 'do-not-trust';
  /** What the numbers mean and what to do next, in one or two sentences. */
  readonly text: string;
}

/** Below this many effective samples the relative error of Z exceeds 10 %, and its error bar is itself a guess. */
const MINIMUM_EFFECTIVE = 100;

/** A small sample misses the tail that ruins a large one, so its ESS flatters. */
const COMFORTABLE_SAMPLES = 10_000;

/** Relative spread of the weights that is rounding of log-weights of order 10³, not physics. */
const ROUNDING_SPREAD = 1e-10;

export interface WeightFigures {
  readonly n: number;
  readonly ess: number;
  readonly khat: number;
  readonly largestShare: number;
  /** Standard deviation of the weights divided by their mean. */
  readonly relativeSpread: number;
}

/**
 * Judges a set of importance weights. The limit on k̂ is min(0.7, 1 − 1/log₁₀ n) of Vehtari et al. 2024: a small
 * sample needs a lighter tail for the same reliability.
 */
export function weightStatus({ n, ess, khat, largestShare, relativeSpread }: WeightFigures): WeightStatus {
  if (ess === 0) {
    return doNotTrust(
      `All ${n} weights are zero: no sample has a finite energy. Check that energy and kT belong to these samples, or train the flow until it overlaps with the target.`,
    );
  }
  if (tailLength(n) < 5) {
    return doNotTrust(
      `Only ${n} samples: the tail of the weights cannot be judged and no error bar means anything. Draw ${COMFORTABLE_SAMPLES} samples or more.`,
    );
  }
  const limit = Math.min(0.7, 1 - 1 / Math.log10(n));
  const equal = relativeSpread < ROUNDING_SPREAD;
  if (!equal && khat > limit && Number.isFinite(khat)) {
    return doNotTrust(
      `Pareto k = ${khat.toFixed(2)} exceeds ${limit.toFixed(2)}: a few weights decide everything (the largest holds ${percent(largestShare)}), so log Z, its error and reweighted averages cannot be trusted. More samples alone rarely help: train longer or on better data, or use a more expressive field.`,
    );
  }
  if (ess < MINIMUM_EFFECTIVE) {
    return doNotTrust(
      `Only ${ess.toPrecision(3)} effective samples of ${n}, fewer than ${MINIMUM_EFFECTIVE}: error bars are guesses. Draw at least ${roundUp((MINIMUM_EFFECTIVE * n) / ess)} samples or improve the flow.`,
    );
  }
  if (!equal && !Number.isFinite(khat)) {
    return doNotTrust(
      'Pareto k cannot be fitted because the largest weights tie. Use raw weights, not clipped ones, and distinct samples.',
    );
  }
  if (!equal && khat > 0.5) {
    return care(
      `Pareto k = ${khat.toFixed(2)} lies between 0.5 and ${limit.toFixed(2)}: averages converge slowly and error bars may be too small. Repeat with another seed and four times the samples, and expect agreement.`,
    );
  }
  if (n < COMFORTABLE_SAMPLES) {
    return care(
      `The weights look sound, but ESS and k from ${n} samples flatter. Draw ${COMFORTABLE_SAMPLES} or more before quoting them.`,
    );
  }
  return {
    level: 'trust',
    text: `The weights are sound (${percent(ess / n)} effective). They speak for the regions the flow reaches: a state it never visits leaves no trace here.`,
  };
}

function doNotTrust(text: string): WeightStatus {
  return { level: 'do-not-trust', text };
}

function care(text: string): WeightStatus {
  return { level: 'care', text };
}

/** To two significant digits, upwards. */
function roundUp(count: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return Math.ceil(count / unit) * unit;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toPrecision(2)} %`;
}
