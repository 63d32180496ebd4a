import type { Estimate } from '../estimate.js';
import type { WeightStatus } from './status.js';

/** A number with its standard error and whether to believe it. */
export interface JudgedEstimate extends Estimate {
  readonly status: WeightStatus;
}

const SEVERITY = { trust: 0, care: 1, 'do-not-trust': 2 } as const;

/** The gravest of several verdicts, the first among equals. */
export function gravest(first: WeightStatus, ...rest: readonly WeightStatus[]): WeightStatus {
  return rest.reduce((worst, status) => (SEVERITY[status.level] > SEVERITY[worst.level] ? status : worst), first);
}

/** Verdict on chains whose autocorrelation time is not known. */
export const CHAINS_TOO_SHORT: WeightStatus = {
  level: 'do-not-trust',
  text: 'The chains are too short for the autocorrelation time of this estimate, so it has no error bar. Run longer chains, fifty autocorrelation times in all at least.',
};
