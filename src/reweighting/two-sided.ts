import { type BennettOptions, bennettAcceptanceRatio } from './bar.js';
import { gravest, type JudgedEstimate } from './estimates.js';
import { exponentialAveraging } from './free-energy.js';

/** One free-energy difference three ways. */
export interface TwoSidedDifference {
  readonly bar: JudgedEstimate;
  /** Exponential average of the forward work. */
  readonly forward: JudgedEstimate;
  readonly reverse: JudgedEstimate;
}

/** Standard errors by which an exponential average may miss Bennett's ratio: false alarm below 1e-4. */
const AGREEMENT = 4;

/**
 * Bennett's acceptance ratio beside the exponential averages of either direction. An average over samples that never reach where
 * the other ensemble lives looks sound by itself, since nothing in its weights tells; where it contradicts Bennett's ratio, which
 * knows both sides, it is not to be trusted.
 *
 * @param forwardWork work A → B on samples of A, in units of kT, shape [n_F]
 * @param reverseWork work B → A on samples of B, in units of kT, shape [n_R]
 * @throws as `bennettAcceptanceRatio`
 */
export function twoSidedDifference(
  forwardWork: Float64Array,
  reverseWork: Float64Array,
  { forwardChains, reverseChains }: BennettOptions = {},
): TwoSidedDifference {
  const bar = bennettAcceptanceRatio(forwardWork, reverseWork, {
    ...(forwardChains ? { forwardChains } : {}),
    ...(reverseChains ? { reverseChains } : {}),
  });
  const forward = exponentialAveraging(forwardWork, forwardChains ? { chains: forwardChains } : {});
  const reverse = exponentialAveraging(reverseWork, {
    direction: 'reverse',
    ...(reverseChains ? { chains: reverseChains } : {}),
  });
  return { bar, forward: besideBar(forward, bar), reverse: besideBar(reverse, bar) };
}

function besideBar(average: JudgedEstimate, bar: JudgedEstimate): JudgedEstimate {
  const apart = Math.abs(average.value - bar.value) / Math.hypot(average.standardError, bar.standardError);
  if (bar.status.level === 'do-not-trust' || !(apart > AGREEMENT)) return average;
  const text = `The exponential average lies ${apart.toFixed(1)} standard errors from the Bennett acceptance ratio: its samples do not reach all of the other ensemble, which its own weights cannot tell.`;
  return { ...average, status: gravest({ level: 'do-not-trust', text }, average.status) };
}
