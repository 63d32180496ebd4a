import { DataError, UsageError } from '../errors.js';
import { CHAINS_TOO_SHORT, gravest, type JudgedEstimate } from './estimates.js';
import { type ChainLengths, influenceVariance } from './influence.js';
import { mbarErrors, responseOf, stateWeights } from './mbar-covariance.js';
import { type MbarData, type MbarSolution, sampledStates, solveMbar } from './mbar-equations.js';
import { judgeCuts, statusBetween } from './mbar-overlap.js';
import type { WeightStatus } from './status.js';
import { importanceWeights } from './weights.js';

/** Below this many effective samples the relative error of an average is itself a guess. */
const FEWEST_EFFECTIVE = 25;

/** How the samples of each state are correlated. */
export interface MbarOptions {
  /**
   * Per state, the lengths of the consecutive chains that its samples form, [K][…]; undefined for states without samples or with
   * independent ones. Absent if all samples are independent. Error bars then grow with the autocorrelation time of each estimate's influence.
   */
  readonly chains?: readonly (ChainLengths | undefined)[];
}

/** Free energies and averages of K ensembles from the samples of all of them. */
export interface Mbar {
  readonly states: number;
  /** Samples of all states together. */
  readonly n: number;
  /** f_k − f_0 in units of kT, shape [K]; f = −log Z of the reduced energies. */
  readonly freeEnergy: Float64Array;
  /** Asymptotic covariance of `freeEnergy` for independent samples, row-major [K, K]; row and column 0 are zero. */
  readonly covariance: Float64Array;
  /** O_kl, the probability that a sample of k is found in l, row-major [K, K] (Klimovich, Shirts, Mobley 2015). */
  readonly overlap: Float64Array;
  /** Verdict on all sampled states together. */
  readonly status: WeightStatus;
  /**
   * f_to − f_from in units of kT. Diagnostics: overlap O_from,to; inflation, the factor on the variance by autocorrelation.
   * @throws UsageError if a state does not exist
   */
  difference(from: number, to: number): JudgedEstimate;
  /**
   * Average of an observable in any of the ensembles. Diagnostics: ess (Kish's) and khat of the weights in that state, inflation.
   * @param values f(x_n) of all samples in the order of the energies, shape [n]
   * @throws UsageError if the state does not exist; DataError if the lengths differ or a value of positive weight is not finite
   */
  average(values: Float64Array, state: number): JudgedEstimate;
  /** Normalised weights of all samples in one state, shape [n]; for histograms and profiles. */
  weights(state: number): Float64Array;
}

/**
 * Multistate Bennett acceptance ratio (Shirts, Chodera, J. Chem. Phys. 129 (2008) 124105).
 *
 * Ensembles may differ in temperature (u = U/kT_k), in energy function, or be a flow (u = −log q, so that its free energy is 0 and
 * that of the target −log Z) beside chains of the target.
 *
 * @param reducedEnergies u_k(x_n), [K] arrays of shape [n]: every sample in every state, samples of state 0 first; +Inf where state
 *   k forbids the sample
 * @param counts samples drawn from each state, shape [K]; 0 for states to be predicted only
 * @throws UsageError if counts are not integers ≥ 0 with one sampled state; DataError if lengths differ, an energy is NaN or −Inf,
 *   a sample's energy in its own state is not finite, or chains do not fit
 */
export function mbar(
  reducedEnergies: readonly Float64Array[],
  counts: readonly number[],
  options: MbarOptions = {},
): Mbar {
  const data = { energies: reducedEnergies, counts };
  requireMbarData(data);
  const solution = solveMbar(data);
  const { freeEnergy } = solution;
  const { gram, laplacian, covariance } = mbarErrors(data, solution);
  const cuts = judgeCuts(data, solution, laplacian);
  const states = counts.length;
  const n = reducedEnergies[0].length;
  const sampled = sampledStates(counts);
  const weights = (k: number) => {
    requireState(k, states);
    return stateWeights(reducedEnergies[k], freeEnergy[k], solution);
  };
  const inflationOf = (influence: Float64Array) => inflation(influence, counts, options.chains);
  /** Verdict on the weights of a state that has no samples of its own, or not enough. */
  const reach = (k: number): WeightStatus[] => (counts[k] > 0 ? [] : [predictedStatus(k, weights(k))]);

  return {
    states,
    n,
    freeEnergy,
    covariance: covariance.map((c, kl) => {
      const [k, l] = [Math.floor(kl / states), kl % states];
      return c - covariance[k * states] - covariance[l] + covariance[0];
    }),
    overlap: gram.map((g, kl) => g * counts[kl % states]),
    status: gravest(statusOf(solution), ...cuts.map(({ status }) => status)),
    weights,
    difference(from, to) {
      const [w, v] = [weights(to), weights(from)];
      const variance =
        covariance[from * states + from] + covariance[to * states + to] - 2 * covariance[from * states + to];
      const right = sampled.map((s) => counts[s] * (gram[to * states + s] - gram[from * states + s]));
      const response = responseOf(right, laplacian);
      const influence = throughStates(
        data,
        solution,
        w.map((x, i) => v[i] - x),
        response,
        -1,
      );
      const { factor, reliable } = inflationOf(influence);
      const status = [statusBetween(cuts, counts, from, to), ...reach(from), ...reach(to)];
      return {
        value: freeEnergy[to] - freeEnergy[from],
        standardError: reliable ? Math.sqrt(Math.max(0, variance) * factor) : Number.NaN,
        n,
        diagnostics: { overlap: gram[from * states + to] * counts[to], inflation: factor },
        status: gravest(statusOf(solution), ...status, ...(reliable ? [] : [CHAINS_TOO_SHORT])),
      };
    },
    average(values, state) {
      const w = weights(state);
      const { value, deviation } = weightedDeviation(values, w);
      const right = sampled.map((s) => {
        const energy = reducedEnergies[s];
        let sum = 0;
        for (let i = 0; i < n; i++) {
          if (deviation[i] === 0) continue;
          sum += deviation[i] * Math.exp(freeEnergy[s] - energy[i] - solution.logDenominator[i]);
        }
        return sum * counts[s];
      });
      const influence = throughStates(data, solution, deviation, responseOf(right, laplacian), 1);
      const { factor, reliable } = inflationOf(influence);
      const { ess, khat, status } = importanceWeights(w.map(Math.log));
      return {
        value,
        standardError: reliable
          ? Math.sqrt(Math.max(0, asymptoticVariance(influence, data, solution)) * factor)
          : Number.NaN,
        n,
        diagnostics: { ess, khat, inflation: factor },
        // Weights in a state with samples are bounded, 1/N_k at most: where the largest tie there, no tail is hidden.
        status: gravest(
          counts[state] > 0 ? sampledStatus(ess) : status,
          statusOf(solution),
          ...cuts.map((cut) => cut.status),
          ...(reliable ? [] : [CHAINS_TOO_SHORT]),
        ),
      };
    },
  };
}

/** What each sample contributes, directly and by moving the free energies of the sampled states: direct + sign·response·p_n. */
function throughStates(
  { energies, counts }: MbarData,
  { freeEnergy, logDenominator }: MbarSolution,
  direct: Float64Array,
  response: Float64Array | undefined,
  sign: number,
): Float64Array {
  if (response === undefined) return new Float64Array(direct.length).fill(Number.NaN);
  const influence = direct.slice();
  for (const [i, s] of sampledStates(counts).entries()) {
    const factor = sign * response[i] * counts[s];
    for (let n = 0; n < influence.length; n++) {
      influence[n] += factor * Math.exp(freeEnergy[s] - energies[s][n] - logDenominator[n]);
    }
  }
  return influence;
}

/** Σ_n η_n² − Σ_j N_j ⟨η⟩_j², about the overall mean so that nothing cancels that need not. */
function asymptoticVariance(influence: Float64Array, { energies, counts }: MbarData, solution: MbarSolution): number {
  const centre = influence.reduce((a, b) => a + b, 0) / influence.length;
  let variance = influence.reduce((sum, eta) => sum + (eta - centre) ** 2, 0);
  for (const s of sampledStates(counts)) {
    const weights = stateWeights(energies[s], solution.freeEnergy[s], solution);
    const mean = weights.reduce((sum, w, n) => sum + w * (influence[n] - centre), 0);
    variance -= counts[s] * mean ** 2;
  }
  return variance;
}

/** Factor by which autocorrelation raises the variance of a sum of influences, state by state. */
function inflation(
  influence: Float64Array,
  counts: readonly number[],
  chains: readonly (ChainLengths | undefined)[] | undefined,
): { factor: number; reliable: boolean } {
  if (influence.some(Number.isNaN)) return { factor: Number.NaN, reliable: false };
  if (chains === undefined) return { factor: 1, reliable: true };
  if (chains.length !== counts.length) {
    throw new DataError(`chains: ${chains.length} lists, expected ${counts.length}, one per state`);
  }
  let independent = 0;
  let correlated = 0;
  let reliable = true;
  let first = 0;
  for (const [k, count] of counts.entries()) {
    if (count === 0) continue;
    const part = influenceVariance(influence.subarray(first, first + count), chains[k]);
    independent += part.independent;
    correlated += part.independent * part.tau;
    reliable &&= part.reliable;
    first += count;
  }
  return { factor: independent > 0 ? correlated / independent : 1, reliable };
}

function weightedDeviation(values: Float64Array, weights: Float64Array): { value: number; deviation: Float64Array } {
  if (values.length !== weights.length) {
    throw new DataError(`values has ${values.length} entries, expected ${weights.length}, one per sample`);
  }
  const bad = values.findIndex((v, n) => weights[n] > 0 && !Number.isFinite(v));
  if (bad >= 0) {
    throw new DataError(
      `values: ${values[bad]} at index ${bad}, expected a finite number where the weight is positive`,
    );
  }
  let total = 0;
  let sum = 0;
  for (const [n, w] of weights.entries()) {
    if (w === 0) continue;
    total += w;
    sum += w * values[n];
  }
  const value = sum / total;
  return { value, deviation: weights.map((w, n) => (w === 0 ? 0 : w * (values[n] - value))) };
}

function statusOf({ converged }: MbarSolution): WeightStatus {
  if (converged) return { level: 'trust', text: 'The equations are solved and every cut between the states overlaps.' };
  return {
    level: 'do-not-trust',
    text: 'The equations did not converge, as happens where states hardly overlap. Add states in between.',
  };
}

function sampledStatus(ess: number): WeightStatus {
  const figures = `${ess.toPrecision(3)} effective samples`;
  if (ess >= FEWEST_EFFECTIVE) return { level: 'trust', text: `The average stands on ${figures}.` };
  return {
    level: 'do-not-trust',
    text: `Only ${figures}, fewer than ${FEWEST_EFFECTIVE}: error bars are guesses. Draw more samples of this state.`,
  };
}

function predictedStatus(state: number, weights: Float64Array): WeightStatus {
  const { ess, khat, status } = importanceWeights(weights.map(Math.log));
  const figures = `${ess.toPrecision(3)} effective samples, Pareto k = ${khat.toFixed(2)}`;
  const text =
    status.level === 'do-not-trust'
      ? `State ${state} has no samples of its own and the others do not reach it (${figures}). Sample it, or states closer to it.`
      : `State ${state} is predicted from the samples of the others (${figures}).`;
  return { level: status.level, text };
}

function requireState(state: number, states: number): void {
  if (Number.isInteger(state) && state >= 0 && state < states) return;
  throw new UsageError(`state: ${state}, expected an integer from 0 to ${states - 1}`);
}

function requireMbarData({ energies, counts }: MbarData): void {
  for (const [k, count] of counts.entries()) {
    if (!Number.isInteger(count) || count < 0) {
      throw new UsageError(`counts: ${count} for state ${k}, expected an integer ≥ 0`);
    }
  }
  const n = counts.reduce((a, b) => a + b, 0);
  if (n === 0) throw new UsageError('counts: no samples of any state, expected a sampled state');
  if (energies.length !== counts.length) {
    throw new DataError(`reducedEnergies has ${energies.length} states, expected ${counts.length}, one per count`);
  }
  let first = 0;
  for (const [k, energy] of energies.entries()) {
    if (energy.length !== n) {
      throw new DataError(`reducedEnergies: state ${k} has ${energy.length} entries, expected ${n}, one per sample`);
    }
    const bad = energy.findIndex(
      (u, i) =>
        !(u > Number.NEGATIVE_INFINITY) || (u === Number.POSITIVE_INFINITY && i >= first && i < first + counts[k]),
    );
    if (bad >= 0) {
      throw new DataError(
        `reducedEnergies: ${energy[bad]} in state ${k} at sample ${bad}, expected a finite number in the sample's own state and no NaN or -Inf elsewhere`,
      );
    }
    first += counts[k];
  }
}
