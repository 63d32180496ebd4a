import { DataError } from '../errors.js';
import { CHAINS_TOO_SHORT, gravest, type JudgedEstimate } from './estimates.js';
import { type ChainLengths, influenceVariance } from './influence.js';
import { overlapStatus } from './overlap.js';

/** Newton steps that leave their bracket are bisected, so that this many always suffice for doubles. */
const MAXIMUM_ITERATIONS = 2000;

/** Relative to max(1, |ΔF|). */
const TOLERANCE = 1e-12;

/** How the samples of each direction are correlated. */
export interface BennettOptions {
  /** Lengths of the consecutive chains in `forwardWork`; absent if the values are independent. */
  readonly forwardChains?: ChainLengths;
  /** The same for `reverseWork`. */
  readonly reverseChains?: ChainLengths;
}

/**
 * Free-energy difference from work in both directions: the acceptance ratio of Bennett, J. Comput. Phys. 22 (1976) 245,
 * solved to 1e-12. It is the maximum-likelihood estimate for Crooks-consistent work (Shirts, Bair, Hooker, Pande, Phys. Rev.
 * Lett. 91 (2003) 140601), be it energy differences or the work of a driven process.
 *
 * With p_i the probability that value i came from a forward process, the error is 1/Σp(1−p) − 1/n_F − 1/n_R; each direction's
 * part of it grows with the autocorrelation time of p along its chains.
 *
 * @param forwardWork work A → B on samples of A, in units of kT, shape [n_F]; +Inf where B is forbidden
 * @param reverseWork work B → A on samples of B, in units of kT, shape [n_R]
 * @returns F_B − F_A in units of kT; NaN if one direction has infinite work only. Diagnostics: forwardEss and reverseEss (values
 *   of work that carry the overlap), forwardKhat and reverseKhat (how heavily the overlap hangs on the largest), forwardTau,
 *   reverseTau
 * @throws DataError if an array is empty or holds NaN or −Inf, or chains do not fit
 */
export function bennettAcceptanceRatio(
  forwardWork: Float64Array,
  reverseWork: Float64Array,
  options: BennettOptions = {},
): JudgedEstimate {
  requireWork(forwardWork, 'forwardWork');
  requireWork(reverseWork, 'reverseWork');
  const n = forwardWork.length + reverseWork.length;
  const shift = Math.log(forwardWork.length / reverseWork.length);
  const value = solve(forwardWork, reverseWork, shift);
  // Logarithms of the probability to belong to the other direction: 1 − p of forward, p of reverse values.
  const forward = forwardWork.map((w) => logLogistic(value - w - shift));
  const reverse = reverseWork.map((w) => logLogistic(shift - w - value));
  const { status, sides } = overlapStatus(forward, reverse, 'forward and reverse work');
  const common = {
    forwardEss: sides[0].ess,
    reverseEss: sides[1].ess,
    forwardKhat: sides[0].khat,
    reverseKhat: sides[1].khat,
  };
  if (Number.isNaN(value)) {
    const diagnostics = { ...common, forwardTau: Number.NaN, reverseTau: Number.NaN };
    return { value, standardError: Number.NaN, n, diagnostics, status };
  }
  const information = crossing(forward) + crossing(reverse);
  const asymptotic = 1 / information - 1 / forwardWork.length - 1 / reverseWork.length;
  const parts = [
    influenceVariance(forward.map(Math.exp), options.forwardChains),
    influenceVariance(reverse.map(Math.exp), options.reverseChains),
  ];
  const independent = parts[0].independent + parts[1].independent;
  const correlated = parts[0].independent * parts[0].tau + parts[1].independent * parts[1].tau;
  const inflation = independent > 0 ? correlated / independent : 1;
  const reliable = parts.every((part) => part.reliable);
  return {
    value,
    // Equal states have no variance up to rounding.
    standardError: reliable ? Math.sqrt(Math.max(0, asymptotic) * inflation) : Number.NaN,
    n,
    diagnostics: { ...common, forwardTau: parts[0].tau, reverseTau: parts[1].tau },
    status: reliable ? status : gravest(CHAINS_TOO_SHORT, status),
  };
}

/** Root of Σ_F σ(ΔF − w − M) − Σ_R σ(M − w − ΔF), which grows with ΔF: Newton within a shrinking bracket. */
function solve(forward: Float64Array, reverse: Float64Array, shift: number): number {
  if (!forward.some(Number.isFinite) || !reverse.some(Number.isFinite)) return Number.NaN;
  const evaluate = (difference: number): { excess: number; slope: number } => {
    let excess = 0;
    let slope = 0;
    for (const w of forward) {
      const p = logistic(difference - w - shift);
      excess += p;
      slope += p * (1 - p);
    }
    for (const w of reverse) {
      const p = logistic(shift - w - difference);
      excess -= p;
      slope += p * (1 - p);
    }
    return { excess, slope };
  };
  let { low, high } = bracket(forward, reverse, shift, (difference) => evaluate(difference).excess);
  let difference = (low + high) / 2;
  for (let iteration = 0; iteration < MAXIMUM_ITERATIONS; iteration++) {
    const { excess, slope } = evaluate(difference);
    if (excess < 0) low = difference;
    else high = difference;
    const newton = difference - excess / slope;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    const moved = Math.abs(next - difference);
    difference = next;
    if (excess === 0 || moved <= TOLERANCE * Math.max(1, Math.abs(difference))) break;
  }
  return difference;
}

/** Widens the range of the finite works until the excess changes sign. */
function bracket(
  forward: Float64Array,
  reverse: Float64Array,
  shift: number,
  excess: (difference: number) => number,
): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const centre of [...finite(forward).map((w) => w + shift), ...finite(reverse).map((w) => shift - w)]) {
    if (centre < low) low = centre;
    if (centre > high) high = centre;
  }
  for (let step = 1; excess(low) > 0; step *= 2) low -= step;
  for (let step = 1; excess(high) < 0; step *= 2) high += step;
  return { low, high };
}

const finite = (values: Float64Array) => values.filter(Number.isFinite);

function crossing(logOther: Float64Array): number {
  let sum = 0;
  for (const l of logOther) sum += Math.exp(l) * -Math.expm1(l);
  return sum;
}

function logistic(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** log(1/(1 + e^{−x})) without overflow; −Inf stays. */
function logLogistic(x: number): number {
  return x >= 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x));
}

function requireWork(work: Float64Array, name: string): void {
  if (work.length === 0) throw new DataError(`${name}: no entries, expected at least one value of work`);
  const bad = work.findIndex((w) => !(w > Number.NEGATIVE_INFINITY));
  if (bad >= 0) throw new DataError(`${name}: ${work[bad]} at index ${bad}, expected a number or +Inf`);
}
