import type { Estimate } from '../estimate.js';
import { logWeights } from './log-weights.js';
import { importanceWeights, normalizedWeights } from './weights.js';

export interface EntropyAndKlOptions {
  /** Temperature in units of energy; default 1. */
  readonly kT?: number;
  /** Known log Z of the target in nats; estimated from the weights if absent. */
  readonly logZ?: { readonly value: number; readonly standardError: number };
}

/** Entropies and divergences between flow q and target p in nats, from samples of q. */
export interface EntropyAndKl {
  /** Entropy of the flow, −E_q[log q]. */
  readonly flowEntropy: Estimate;
  /** Entropy of the target, log Z + E_p[U]/kT: the floor of any negative log-likelihood. Reweighted. */
  readonly targetEntropy: Estimate;
  /** KL(q‖p) = E_q[U/kT + log q] + log Z; Infinity if a sample has infinite energy. */
  readonly reverseKl: Estimate;
  /** KL(p‖q) = E_p[log w] − log Z. Reweighted. */
  readonly forwardKl: Estimate;
  /** The log Z that was used. */
  readonly logZ: Estimate;
}

/**
 * Entropies and Kullback–Leibler divergences. Errors are the delta method's: each sample's influence on the estimate,
 * the estimated log Z included, is summed in squares; a given log Z adds its own error in quadrature. They assume
 * finite variances: read them together with `importanceWeights`. Reweighted figures carry NaN as error when one
 * weight holds more than half of the sum.
 *
 * @param energy U(x) of samples of q, shape [n], in units of energy (never U/kT)
 * @param logQ normalised log q(x), shape [n], nats
 * @throws UsageError if kT is not positive; DataError if the lengths differ, the array is empty, or weights are NaN,
 *   +Inf or all zero
 */
export function entropyAndKl(
  energy: Float64Array,
  logQ: Float64Array,
  options: EntropyAndKlOptions = {},
): EntropyAndKl {
  const kT = options.kT ?? 1;
  const logWeight = logWeights(energy, logQ, kT);
  const n = logWeight.length;
  const report = importanceWeights(logWeight);
  const given = options.logZ;
  const logZ: Estimate = given ? { ...given, n, diagnostics: {} } : report.logZ;
  const relative = normalizedWeights(logWeight).map((w) => w * n);
  // Influence of sample i on log mean w; a given log Z has none.
  const onLogZ = relative.map((r) => (given ? 0 : r - 1));
  const diagnostics = { ess: report.ess, khat: report.khat, largestShare: report.largestShare };
  const decided = report.largestShare > 0.5;

  const plain = (f: (i: number) => number, sign: number): Estimate => {
    const mean = meanOver(n, f);
    const error = influenceError(n, (i) => f(i) - mean + sign * onLogZ[i]);
    return { value: mean + sign * logZ.value, standardError: withGiven(error, sign), n, diagnostics };
  };
  const reweighted = (f: (i: number) => number, sign: number): Estimate => {
    const term = (i: number) => (relative[i] === 0 ? 0 : relative[i] * f(i));
    const mean = meanOver(n, term);
    const error = influenceError(n, (i) => term(i) - relative[i] * mean + sign * onLogZ[i]);
    const standardError = decided ? Number.NaN : withGiven(error, sign);
    return { value: mean + sign * logZ.value, standardError, n, diagnostics };
  };
  const withGiven = (error: number, sign: number) =>
    given && sign !== 0 ? Math.hypot(error, given.standardError) : error;

  return {
    flowEntropy: plain((i) => -logQ[i], 0),
    targetEntropy: reweighted((i) => energy[i] / kT, 1),
    reverseKl: plain((i) => -logWeight[i], 1),
    forwardKl: reweighted((i) => logWeight[i], -1),
    logZ,
  };
}

function meanOver(n: number, f: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += f(i);
  return sum / n;
}

/** Standard error of a mean whose influences are given; NaN for n < 2 or infinite influences. */
function influenceError(n: number, influence: (i: number) => number): number {
  if (n < 2) return Number.NaN;
  const square = meanOver(n, (i) => influence(i) ** 2);
  return Number.isFinite(square) ? Math.sqrt(square / (n - 1)) : Number.NaN;
}
