import type { WeightStatus } from './status.js';
import { importanceWeights, type WeightReport } from './weights.js';

/** A probability this large cannot be exceeded by much: whatever ties or lies there is no unseen tail. */
const LOG_SATURATED = Math.log(0.1);

/** Error bars are calibrated down to here (tested); the weights of importance sampling need four times as many. */
const MINIMUM_EFFECTIVE = 25;

/** Below this Pareto k the variance of even an unbounded quantity would be finite. */
const LIGHT_TAIL = 0.5;

/** What the samples of one side contribute to the overlap. */
export interface OverlapSide {
  /** Kish's size of the probabilities to belong to the other side. */
  readonly ess: number;
  /** Pareto shape of their largest. */
  readonly khat: number;
}

export interface OverlapJudgement {
  readonly sides: readonly [OverlapSide, OverlapSide];
  readonly status: WeightStatus;
}

/**
 * Judges the overlap of two sets of samples by the probabilities that a sample belongs to the other set. They are bounded by one,
 * so the estimate has no infinite variance; what goes wrong is that too few samples reach across, or that those which do sit in
 * the tail of a distribution not yet seen to its end. The effective number and Pareto k of the probabilities say both.
 *
 * @param first logarithms of these probabilities for the samples of one side, at most 0
 * @param second the same for the other side
 * @param between what the message calls the two sides
 */
export function overlapStatus(first: Float64Array, second: Float64Array, between: string): OverlapJudgement {
  // Never overlapping samples have probabilities 0, which NaN (no solution at all) is read as.
  const reports = [first, second].map((side) =>
    importanceWeights(side.map((l) => (Number.isNaN(l) ? Number.NEGATIVE_INFINITY : l))),
  );
  const [a, b] = reports;
  const sides = [side(a), side(b)] as const;
  const figures = `${a.ess.toPrecision(3)} and ${b.ess.toPrecision(3)} effective samples reach across between ${between}`;
  const levels = [levelOf(a, first), levelOf(b, second)];
  if (levels.includes('do-not-trust')) {
    return {
      sides,
      status: {
        level: 'do-not-trust',
        text: `Too little overlap: ${figures}, Pareto k ${a.khat.toFixed(2)} and ${b.khat.toFixed(2)}. Add states in between, or draw more samples.`,
      },
    };
  }
  if (levels.includes('care')) {
    return {
      sides,
      status: { level: 'care', text: `The overlap looks sound (${figures}), but few samples flatter it.` },
    };
  }
  return { sides, status: { level: 'trust', text: `The overlap is sound: ${figures}.` } };
}

const side = ({ ess, khat }: WeightReport): OverlapSide => ({ ess, khat });

/**
 * The verdict on weights, but for what is bounded here: fewer effective samples do, and probabilities that tie near one hide nothing.
 */
function levelOf(report: WeightReport, logOther: Float64Array): WeightStatus['level'] {
  const { ess, khat, status } = report;
  if (status.level !== 'do-not-trust' || ess < MINIMUM_EFFECTIVE) return status.level;
  if (khat < LIGHT_TAIL) return 'care';
  const saturated = logOther.reduce((a, b) => Math.max(a, b)) > LOG_SATURATED;
  return saturated && !Number.isFinite(khat) ? 'care' : status.level;
}
