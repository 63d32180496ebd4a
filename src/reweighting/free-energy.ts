import { DataError } from '../errors.js';
import { tailFactorOf } from './averages.js';
import { CHAINS_TOO_SHORT, gravest, type JudgedEstimate } from './estimates.js';
import { type ChainLengths, influenceVariance } from './influence.js';
import { requireSameLength } from './log-weights.js';
import type { WeightStatus } from './status.js';
import { importanceWeights, normalizedWeights, type WeightReport } from './weights.js';

/** Below this many effective samples the logarithm of a population is too skewed for a symmetric error bar. */
const MINIMUM_IN_STATE = 25;

/** From here on the skewness of a population is below its error by a factor of ten. */
const COMFORTABLE_IN_STATE = 100;

/** Which way the work was done, and how its values are correlated. */
export interface ExponentialAveragingOptions {
  /** Lengths of the consecutive chains in `work`; absent if the values are independent. */
  readonly chains?: ChainLengths;
  /**
   * `forward` (default): work from A to B on samples of A. `reverse`: work from B to A on samples of B. The result is
   * F_B − F_A in both cases.
   */
  readonly direction?: 'forward' | 'reverse';
}

/**
 * Free-energy difference from work in one direction, ΔF = ∓log⟨e^{−w}⟩ (Zwanzig, J. Chem. Phys. 22 (1954) 1420, for
 * w = U_B − U_A; Jarzynski, Phys. Rev. Lett. 78 (1997) 2690, for the work of a driven process).
 *
 * The error is that of `importanceWeights`' log Z, times √τ of e^{−w} along the chains. Where overlap is poor the average hangs on samples never seen: it is biased and its error bar too small. The verdict is that of the weights e^{−w}; use `bennettAcceptanceRatio`
 * if samples of both states exist.
 *
 * @param work in units of kT, shape [n]; +Inf (a forbidden state) has no share in the average
 * @returns F_B − F_A in units of kT. Diagnostics: ess, khat, largestShare of the weights e^{−w}; tau
 * @throws DataError if the array is empty, holds NaN or −Inf, or the chains do not fit it
 */
export function exponentialAveraging(work: Float64Array, options: ExponentialAveragingOptions = {}): JudgedEstimate {
  const logWeight = work.map((w) => -w);
  const report = importanceWeights(logWeight, { source: '−work' });
  const { n, ess, khat, largestShare, logZ } = report;
  const sign = options.direction === 'reverse' ? 1 : -1;
  const all = { value: sign * logZ.value, n };
  if (ess === 0) {
    return {
      ...all,
      standardError: Number.NaN,
      diagnostics: { ess, khat, largestShare, tau: Number.NaN },
      status: exponentialStatus(report),
    };
  }
  const { tau, reliable } = influenceVariance(normalizedWeights(logWeight), options.chains);
  const status = exponentialStatus(report);
  return {
    ...all,
    standardError: reliable ? logZ.standardError * Math.sqrt(tau) : Number.NaN,
    diagnostics: { ess, khat, largestShare, tau },
    status: reliable ? correlatedStatus(status, ess / tau) : gravest(CHAINS_TOO_SHORT, status),
  };
}

function exponentialStatus({ n, ess, khat, status }: WeightReport): WeightStatus {
  const figures = `${ess.toPrecision(3)} effective of ${n} values of work, Pareto k = ${khat.toFixed(2)}`;
  const text = {
    trust: `The exponential average is sound (${figures}).`,
    care: `The exponential average looks sound (${figures}), but ${n} values flatter it. Compare with the reverse direction, or with ten times the samples.`,
    'do-not-trust': `The states overlap too little for these samples: a few values of work decide the exponential average (${figures}). Sample the other state too and use the Bennett acceptance ratio, or add states in between.`,
  };
  return { level: status.level, text: text[status.level] };
}

/** The verdict on weights counts samples as independent; correlation may leave too few. */
function correlatedStatus(status: WeightStatus, effective: number): WeightStatus {
  if (effective >= MINIMUM_IN_STATE) return status;
  return gravest(
    {
      level: 'do-not-trust',
      text: `Only ${effective.toPrecision(3)} effective samples remain after autocorrelation, fewer than ${MINIMUM_IN_STATE}: run longer chains.`,
    },
    status,
  );
}

/** How the samples are correlated. */
export interface StateDifferenceOptions {
  /** Lengths of the consecutive chains in the arrays; absent if the samples are independent. */
  readonly chains?: ChainLengths;
}

/**
 * Free-energy difference between two states of one ensemble from their populations, F_B − F_A = −log(P_B/P_A). A state is
 * whatever the indicator says: a basin, a bin, a number of short pairs.
 *
 * The error is the delta method's: sample i contributes w̃_i(1_A/P_A − 1_B/P_B); times √τ of that along chains, and times what the unseen
 * tail of the weights adds to the error of log Z.
 *
 * @param inA truthy for samples of state A, shape [n]
 * @param inB truthy for samples of state B, shape [n]; a sample may belong to none
 * @param logWeight log-weights in nats, shape [n]; all 0 for samples of the ensemble itself
 * @returns F_B − F_A in units of kT; ±Infinity without error bar if a state was never seen. Diagnostics: populationA,
 *   populationB, essA, essB (Kish's within each state), khat, tau
 * @throws DataError if lengths differ, weights are bad or all zero, or neither state was seen
 */
export function stateFreeEnergyDifference(
  inA: ArrayLike<number | boolean>,
  inB: ArrayLike<number | boolean>,
  logWeight: Float64Array,
  options: StateDifferenceOptions = {},
): JudgedEstimate {
  const n = logWeight.length;
  for (const [name, indicator] of Object.entries({ inA, inB })) {
    if (indicator.length !== n) {
      throw new DataError(`${name} has ${indicator.length} entries, expected ${n}, one per log-weight`);
    }
  }
  const report = importanceWeights(logWeight);
  const weights = normalizedWeights(logWeight);
  const a = population(inA, weights);
  const b = population(inB, weights);
  if (a.sum === 0 && b.sum === 0) throw new DataError('inA, inB: no sample of either state, expected some of each');
  const unseen = Math.max(1, tailFactorOf({ report }));
  const influence = weights.map((w, i) => (inA[i] ? w / a.sum : 0) - (inB[i] ? w / b.sum : 0));
  const seen = a.sum > 0 && b.sum > 0;
  const { independent, tau, reliable } = seen
    ? influenceVariance(influence, options.chains)
    : { independent: Number.NaN, tau: Number.NaN, reliable: true };
  return judgedDifference(
    a,
    b,
    { variance: reliable ? independent * tau * unseen ** 2 : Number.NaN, tau, reliable },
    report,
  );
}

/** Weight of a state and Kish's size of its samples. */
export interface Population {
  readonly sum: number;
  readonly ess: number;
}

/**
 * F_B − F_A = −log(P_B/P_A) with its verdict.
 *
 * @param spread variance of the difference, and by how much autocorrelation has raised it
 */
export function judgedDifference(
  a: Population,
  b: Population,
  { variance, tau, reliable }: { variance: number; tau: number; reliable: boolean },
  { n, khat, status }: WeightReport,
): JudgedEstimate {
  const value = Math.log(a.sum) - Math.log(b.sum);
  const diagnostics = { populationA: a.sum, populationB: b.sum, essA: a.ess, essB: b.ess, khat, tau };
  if (a.sum === 0 || b.sum === 0) {
    const text = `State ${a.sum === 0 ? 'A' : 'B'} was never seen in ${n} samples: the difference has no bound. Draw samples that visit both states.`;
    return { value, standardError: Number.NaN, n, diagnostics, status: { level: 'do-not-trust', text } };
  }
  const correlated = reliable ? [] : [CHAINS_TOO_SHORT];
  return {
    value,
    standardError: Math.sqrt(variance),
    n,
    diagnostics,
    status: gravest(status, ...correlated, populationStatus(Math.min(a.ess, b.ess) / tau)),
  };
}

function population(member: ArrayLike<number | boolean>, weights: Float64Array): Population {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < weights.length; i++) {
    if (!member[i]) continue;
    sum += weights[i];
    squares += weights[i] ** 2;
  }
  return { sum, ess: squares === 0 ? 0 : sum ** 2 / squares };
}

function populationStatus(effective: number): WeightStatus {
  const count = effective.toPrecision(3);
  if (effective < MINIMUM_IN_STATE) {
    return {
      level: 'do-not-trust',
      text: `The rarer state holds only ${count} effective samples, fewer than ${MINIMUM_IN_STATE}. Draw more, or sample where the states are equally likely and reweight.`,
    };
  }
  if (effective < COMFORTABLE_IN_STATE) {
    return { level: 'care', text: `The rarer state holds ${count} effective samples: the error bar is rough.` };
  }
  return { level: 'trust', text: `Both states hold ${count} effective samples or more.` };
}

/** Reduced work u_B(x) − u_A(x) in units of kT, for ensembles that differ in energy, temperature or density: shape [n]. */
export function reducedWork(reducedA: Float64Array, reducedB: Float64Array): Float64Array {
  requireSameLength('reducedA', reducedA, 'reducedB', reducedB);
  return reducedB.map((u, i) => u - reducedA[i]);
}
