import type { Estimate } from '../estimate.js';
import { type AverageBlock, type Ensemble, type LogZShare, plainEstimate, weightedEstimate } from './averages.js';
import { WEIGHT_BLOCK_SIZE } from './blocks.js';
import { logWeights, requirePositiveWeight } from './log-weights.js';
import { combineReweighting, NOTHING_MORE, type ReweightingBlock, reweightingBlock } from './reweighting-block.js';
import { importanceWeights, type WeightReport } from './weights.js';

/** What is known of the target. */
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
  const logWeight = logWeights(energy, logQ, options.kT ?? 1);
  let total: ReweightingBlock | undefined;
  for (let start = 0; start < logWeight.length; start += WEIGHT_BLOCK_SIZE) {
    const [u, q, l] = [energy, logQ, logWeight].map((array) => array.subarray(start, start + WEIGHT_BLOCK_SIZE));
    const block = reweightingBlock({ n: l.length, energy: u, logQ: q, logWeight: l }, NOTHING_MORE);
    total = total === undefined ? block : combineReweighting(total, block);
  }
  return entropiesOf(total!, importanceWeights(logWeight), options);
}

/**
 * The same from the fold of all blocks, for sets that never are in memory as a whole.
 *
 * @throws DataError if all weights are zero
 */
export function entropiesOf(
  total: ReweightingBlock,
  report: WeightReport,
  { kT = 1, logZ: given }: EntropyAndKlOptions = {},
): EntropyAndKl {
  const { weights } = total;
  requirePositiveWeight(weights.n, weights.maximum);
  const ensemble: Ensemble = { weights, report };
  const logZ: Estimate = given ? { ...given, n: weights.n, diagnostics: {} } : report.logZ;
  const plus = (sign: LogZShare['sign']): LogZShare => ({ sign, logZ, given: given !== undefined });
  return {
    flowEntropy: plainEstimate(times(-1, total.logQ), ensemble),
    targetEntropy: weightedEstimate(times(1 / kT, total.energy), ensemble, plus(1)),
    reverseKl: plainEstimate(times(-1, total.logWeight), ensemble, plus(1)),
    forwardKl: weightedEstimate(total.logWeight, ensemble, plus(-1)),
    logZ,
  };
}

/** The block of factor·f. */
export function times(factor: number, block: AverageBlock): AverageBlock {
  return {
    mean: factor * block.mean,
    cross: factor * block.cross,
    squares: factor ** 2 * block.squares,
    plainMean: factor * block.plainMean,
    plainCross: factor * block.plainCross,
    plainSquares: factor ** 2 * block.plainSquares,
  };
}
