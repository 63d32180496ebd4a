import { DataError, UsageError } from '../errors.js';
import type { Estimate } from '../estimate.js';
import { type EntropyAndKl, type WeightBlock, type WeightReport, weightBlocks } from '../reweighting/index.js';
import type { VectorSource } from './vectors.js';
import { WeightStream } from './weight-stream.js';

/** What `reweight` finds: the worth of the weights, entropies and divergences. */
export interface Reweighting extends Omit<EntropyAndKl, 'logZ'> {
  readonly report: WeightReport;
}

export interface ReweightOptions {
  /** Temperature in units of energy. */
  readonly kT: number;
  /** What messages call the weights. */
  readonly source: string;
}

/** Energies, log-densities and log-weights of consecutive samples. */
interface Piece {
  readonly energy: Float64Array;
  readonly logQ: Float64Array;
  readonly logWeight: Float64Array;
}

/**
 * Weights, entropies and divergences of a set of any size in a fixed amount of memory: one pass for the weights, one for
 * the means and one for their errors. To the last bit what `importanceWeights` and `entropyAndKl` say of vectors in
 * memory, whose formulas and order of additions these are.
 *
 * @param energy U(x) of samples of q, [n], in units of energy (never U/kT)
 * @param logQ normalised log q(x), [n], nats
 * @throws UsageError if kT is not positive; DataError if the lengths differ, there are no samples, or weights are NaN, +Inf or all zero
 */
export async function reweight(
  energy: VectorSource,
  logQ: VectorSource,
  { kT, source }: ReweightOptions,
): Promise<Reweighting> {
  if (!(kT > 0 && kT < Number.POSITIVE_INFINITY)) throw new UsageError(`kT: ${kT}, expected a positive number`);
  const { n } = energy;
  if (n !== logQ.n) {
    throw new DataError(`${source}: ${n} energies and ${logQ.n} log-densities, expected as many of each`);
  }
  if (n === 0) throw new DataError(`${source}: no entries, expected at least one sample`);
  const weights = new WeightStream(n);
  const bad = { count: 0, first: -1, value: 0 };
  let done = 0;
  for await (const { logWeight } of pieces(energy, logQ, kT)) {
    for (let i = 0; i < logWeight.length; i++) {
      if (logWeight[i] < Number.POSITIVE_INFINITY) continue;
      if (bad.count++ === 0) Object.assign(bad, { first: done + i, value: logWeight[i] });
    }
    if (bad.count === 0) weights.add(logWeight, weightBlocks(logWeight));
    done += logWeight.length;
  }
  if (bad.count > 0) {
    const found = `${bad.count} of ${n} log-weights are NaN or +Inf, the first is ${bad.value} at index ${bad.first}`;
    throw new DataError(`${source}: ${found}; expected finite ones, or -Inf for a weight of zero`);
  }
  const report = weights.report();
  return { report, ...(await entropies(() => pieces(energy, logQ, kT), kT, weights.total, report)) };
}

async function* pieces(energy: VectorSource, logQ: VectorSource, kT: number): AsyncGenerator<Piece> {
  const densities = logQ.chunks()[Symbol.asyncIterator]();
  try {
    for await (const u of energy.chunks()) {
      const q: Float64Array = (await densities.next()).value;
      yield { energy: u, logQ: q, logWeight: u.map((value, i) => -value / kT - q[i]) };
    }
  } finally {
    await densities.return?.();
  }
}

/** A mean over samples, with its share ±log Z or none: the mean of a function f of the sample, reweighted or not. */
interface Quantity {
  readonly reweighted: boolean;
  /** How log Z enters, whose error is correlated with the mean's. */
  readonly sign: -1 | 0 | 1;
  readonly f: (piece: Piece, i: number) => number;
}

async function entropies(
  pass: () => AsyncIterable<Piece>,
  kT: number,
  { n, maximum, sum }: WeightBlock,
  { logZ, ess, khat, largestShare }: WeightReport,
): Promise<Omit<EntropyAndKl, 'logZ'>> {
  if (sum === 0) throw new DataError(`logWeight: all ${n} weights are zero, expected one finite log-weight`);
  const quantities: readonly Quantity[] = [
    { reweighted: false, sign: 0, f: ({ logQ }, i) => -logQ[i] },
    { reweighted: true, sign: 1, f: ({ energy }, i) => energy[i] / kT },
    { reweighted: false, sign: 1, f: ({ logWeight }, i) => -logWeight[i] },
    { reweighted: true, sign: -1, f: ({ logWeight }, i) => logWeight[i] },
  ];
  const term = ({ reweighted, f }: Quantity, piece: Piece, i: number, relative: number) => {
    if (!reweighted) return f(piece, i);
    return relative === 0 ? 0 : relative * f(piece, i);
  };
  /** Means of one function per quantity; `relative` is the weight over the mean weight. */
  const means = async (f: (quantity: Quantity, k: number, piece: Piece, i: number, relative: number) => number) => {
    const sums = quantities.map(() => 0);
    for await (const piece of pass()) {
      const relative = piece.logWeight.map((l) => (Math.exp(l - maximum) / sum) * n);
      for (const [k, quantity] of quantities.entries()) {
        let total = sums[k];
        for (let i = 0; i < relative.length; i++) total += f(quantity, k, piece, i, relative[i]);
        sums[k] = total;
      }
    }
    return sums.map((total) => total / n);
  };
  const centre = await means((quantity, _, piece, i, relative) => term(quantity, piece, i, relative));
  // Each sample's influence on the estimate, the estimated log Z included.
  const squares = await means((quantity, k, piece, i, relative) => {
    const share = quantity.reweighted ? relative * centre[k] : centre[k];
    return (term(quantity, piece, i, relative) - share + quantity.sign * (relative - 1)) ** 2;
  });
  const diagnostics = { ess, khat, largestShare };
  const [flowEntropy, targetEntropy, reverseKl, forwardKl] = quantities.map(({ reweighted, sign }, k): Estimate => {
    const known = n >= 2 && Number.isFinite(squares[k]) && !(reweighted && largestShare > 0.5);
    const standardError = known ? Math.sqrt(squares[k] / (n - 1)) : Number.NaN;
    return { value: centre[k] + sign * logZ.value, standardError, n, diagnostics };
  });
  return { flowEntropy, targetEntropy, reverseKl, forwardKl };
}
