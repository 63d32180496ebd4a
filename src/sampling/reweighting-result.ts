import type { HistogramAxis } from '../analysis/histogram.js';
import { jeffreysError } from '../analysis/statistics.js';
import { UsageError } from '../errors.js';
import type { Estimate } from '../estimate.js';
import {
  type BinShare,
  binIndex,
  type EntropyAndKl,
  type JudgedEstimate,
  judgedDifference,
  logRatioVariance,
  type ProfileBands,
  plainEstimate,
  plainShares,
  type ReweightingBlock,
  type ReweightingPlan,
  type WeightReport,
  weightedEstimate,
  weightedShares,
} from '../reweighting/index.js';
import type { Question } from './reweight-question.js';
import type { TracePoint } from './weight-trace.js';

/** Effective samples in a state below which the delta method's error, which tends to zero with them, says too little. */
const FEW = 25;

/** What `reweight` finds. */
export interface Reweighting extends Omit<EntropyAndKl, 'logZ'> {
  readonly report: WeightReport;
  /** ⟨U⟩ in the target, in units of energy. */
  readonly meanEnergy: Estimate;
  /** In the order asked for. */
  readonly averages: readonly ReweightedAverage[];
  readonly profiles: readonly ReweightedProfile[];
  readonly states: readonly ReweightedState[];
  /** ESS and log Z of the first n samples. */
  readonly trace: readonly TracePoint[];
}

/** An average in the target, beside the plain one over samples as they were drawn. */
export interface ReweightedAverage extends Estimate {
  readonly coordinate: string;
  readonly plain: Estimate;
}

/** Histogram of samples as they were drawn; arrays have shape [bins]. */
export interface PlainHistogram {
  readonly density: Float64Array;
  readonly densityError: Float64Array;
  readonly outside: number;
}

/** A profile whose free energies are in units of kT. */
export interface ReweightedProfile extends ProfileBands {
  readonly coordinate: string;
  readonly plain: PlainHistogram;
}

/** Population and free energy of one state. */
export interface ReweightedState {
  readonly state: string;
  /** Share of the weight; where few effective samples are in the state, the error is at least the binomial one. */
  readonly population: Estimate;
  /** Share of the samples as they were drawn. */
  readonly plain: Estimate;
  /** F − F of the first state, in units of kT, with its verdict. */
  readonly difference: JudgedEstimate;
}

/** @throws UsageError if a reference lies in no bin or in an empty one, or if no sample is in the first state */
export function reweightingResult(
  total: ReweightingBlock,
  report: WeightReport,
  plan: ReweightingPlan,
  question: Question,
  trace: readonly TracePoint[],
  entropies: EntropyAndKl,
): Reweighting {
  const ensemble = { weights: total.weights, report };
  const { logZ: _, ...rest } = entropies;
  return {
    report,
    ...rest,
    meanEnergy: weightedEstimate(total.energy, ensemble),
    averages: total.averages.map((block, k) => ({
      coordinate: question.averages[k],
      ...weightedEstimate(block, ensemble),
      plain: plainEstimate(block, ensemble),
    })),
    profiles: plan.profiles.map((_, k) => profile(total, report, plan, question, k)),
    states: states(total, report, plan),
    trace,
  };
}

function profile(
  total: ReweightingBlock,
  report: WeightReport,
  plan: ReweightingPlan,
  question: Question,
  k: number,
): ReweightedProfile {
  const ensemble = { weights: total.weights, report };
  const block = total.profiles[k];
  const { axis } = plan.profiles[k];
  const { coordinate, reference } = question.profiles[k];
  const width = (axis.max - axis.min) / axis.bins;
  const shares = weightedShares(block, ensemble);
  const plain = plainShares(block, total.weights.n);
  const zero = reference === undefined ? -1 : referenceBin(coordinate, reference, axis, shares);
  const level = zero < 0 ? 0 : -Math.log(shares[zero].value / width);
  const error = ({ value, standardError, decided }: BinShare, bin: number): number => {
    if (value === 0 || decided) return Number.NaN;
    if (zero < 0) return standardError / value;
    if (bin === zero) return 0;
    return shares[zero].decided ? Number.NaN : Math.sqrt(logRatioVariance(block, bin, zero, ensemble));
  };
  const column = (of: (share: BinShare, bin: number) => number, from = shares) => Float64Array.from(from, of);
  return {
    coordinate,
    edges: Float64Array.from({ length: axis.bins + 1 }, (_, i) => (i === axis.bins ? axis.max : axis.min + i * width)),
    density: column(({ value }) => value / width),
    densityError: column(({ standardError }) => standardError / width),
    freeEnergy: column(({ value }) => -Math.log(value / width) - level),
    freeEnergyError: column(error),
    effectiveSamples: column(({ ess }) => ess),
    outside: outside(shares),
    plain: {
      density: column(({ value }) => value / width, plain),
      densityError: column(({ standardError }) => standardError / width, plain),
      outside: outside(plain),
    },
  };
}

/** What no bin holds; sums of shares miss one by rounding. */
function outside(shares: readonly BinShare[]): number {
  const rest = 1 - shares.reduce((sum, { value }) => sum + value, 0);
  return rest < 1e-12 ? 0 : rest;
}

/** The bin of a reference. @throws UsageError if it has none */
export function requireOnAxis(coordinate: string, reference: number, axis: HistogramAxis): number {
  const bin = binIndex(reference, axis);
  if (bin >= 0) return bin;
  throw new UsageError(
    `profile ${coordinate}: reference ${reference}, expected a coordinate from ${axis.min} to ${axis.max}`,
  );
}

function referenceBin(coordinate: string, reference: number, axis: HistogramAxis, shares: readonly BinShare[]): number {
  const bin = requireOnAxis(coordinate, reference, axis);
  if (shares[bin].value > 0) return bin;
  throw new UsageError(`profile ${coordinate}: reference ${reference} lies in an empty bin, expected one with samples`);
}

function states(total: ReweightingBlock, report: WeightReport, plan: ReweightingPlan): ReweightedState[] {
  const { weights } = total;
  const ensemble = { weights, report };
  const shares = weightedShares(total.states, ensemble);
  const plain = plainShares(total.states, weights.n);
  const { n, ess } = report;
  if (shares.length > 0 && shares[0].value === 0) {
    const text = 'the zero of free energy is the first state: put one first that samples visit';
    throw new UsageError(`state '${plan.states[0].name}': no sample with a weight is in it; ${text}`);
  }
  return shares.map(({ value, standardError, ess: size }, k) => {
    const variance = k === 0 ? 0 : logRatioVariance(total.states, 0, k, ensemble);
    const own = { sum: value, ess: size };
    const first = { sum: shares[0].value, ess: shares[0].ess };
    return {
      state: plan.states[k].name,
      population: {
        value,
        standardError: size < FEW ? Math.max(standardError, jeffreysError(value * ess, ess)) : standardError,
        n,
        diagnostics: { ess: size },
      },
      plain: {
        value: plain[k].value,
        standardError: jeffreysError(plain[k].value * n, n),
        n,
        diagnostics: { ess: plain[k].ess },
      },
      difference: judgedDifference(first, own, { variance, tau: 1, reliable: true }, report),
    };
  });
}
