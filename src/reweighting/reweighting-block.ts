import type { HistogramAxis } from '../analysis/histogram.js';
import { UsageError } from '../errors.js';
import { type AverageBlock, averageBlock, combineAverages } from './averages.js';
import { type BinBlock, binBlock, combineBins, memberBlock } from './bins.js';
import { foldBlocks, relativeWeight, type WeightBlock, weightBlock } from './blocks.js';
import { type Coordinate, type CoordinateData, coordinateValues, sampleValues } from './coordinate.js';
import { membersOf, type State } from './states.js';

/** What is asked of a reweighting besides the weights. */
export interface ReweightingPlan {
  readonly averages: readonly Coordinate[];
  readonly profiles: readonly { readonly coordinate: Coordinate; readonly axis: HistogramAxis }[];
  readonly states: readonly State[];
}

export const NOTHING_MORE: ReweightingPlan = { averages: [], profiles: [], states: [] };

/** All coordinates that a plan needs. */
export function coordinatesOf({
  averages,
  profiles,
  states,
}: Omit<ReweightingPlan, 'profiles'> & {
  readonly profiles: readonly { readonly coordinate: Coordinate }[];
}): Coordinate[] {
  return [
    ...averages,
    ...profiles.map(({ coordinate }) => coordinate),
    ...states.flatMap(({ bounds }) => bounds.map(({ coordinate }) => coordinate)),
  ];
}

/** Consecutive samples of a flow. */
export interface ReweightingData extends CoordinateData {
  /** Normalised log q(x), [n], nats. */
  readonly logQ: Float64Array;
}

/**
 * All that a reweighting takes from up to `WEIGHT_BLOCK_SIZE` consecutive samples. Folded in global order, blocks give the
 * same bits for any number of workers, shards or resumed runs.
 */
export interface ReweightingBlock {
  readonly weights: WeightBlock;
  readonly energy: AverageBlock;
  readonly logQ: AverageBlock;
  readonly logWeight: AverageBlock;
  readonly averages: readonly AverageBlock[];
  readonly profiles: readonly BinBlock[];
  readonly states: BinBlock;
}

/** @throws as `coordinateValues`; UsageError if two states share a sample */
export function reweightingBlock(data: ReweightingData, plan: ReweightingPlan): ReweightingBlock {
  const weights = weightBlock(data.logWeight);
  const relative = data.logWeight.map((l) => relativeWeight(l, weights));
  const average = (values: Float64Array) => averageBlock(values, relative, weights.sum);
  return {
    weights,
    energy: average(data.energy),
    logQ: average(data.logQ),
    logWeight: average(data.logWeight),
    averages: plan.averages.map((coordinate) => average(sampleValues(coordinate, data))),
    profiles: plan.profiles.map(({ coordinate, axis }) => binBlock(coordinateValues(coordinate, data), relative, axis)),
    states: memberBlock(exclusiveMembers(plan.states, data), relative),
  };
}

function exclusiveMembers(states: readonly State[], data: ReweightingData): Uint8Array[] {
  const members = states.map((state) => membersOf(state, data));
  for (const [b, second] of members.entries()) {
    for (const [a, first] of members.slice(0, b).entries()) {
      if (!second.some((member, i) => member && first[i])) continue;
      const names = `'${states[a].name}' and '${states[b].name}'`;
      throw new UsageError(`states ${names} share samples, expected states that exclude each other`);
    }
  }
  return members;
}

/** Everything so far and the block that follows. */
export function combineReweighting(a: ReweightingBlock, b: ReweightingBlock): ReweightingBlock {
  const weights = foldBlocks([a.weights, b.weights]);
  const averages = (x: AverageBlock, y: AverageBlock) => combineAverages(x, a.weights, y, b.weights, weights);
  const bins = (x: BinBlock, y: BinBlock) => combineBins(x, a.weights, y, b.weights, weights);
  return {
    weights,
    energy: averages(a.energy, b.energy),
    logQ: averages(a.logQ, b.logQ),
    logWeight: averages(a.logWeight, b.logWeight),
    averages: a.averages.map((block, k) => averages(block, b.averages[k])),
    profiles: a.profiles.map((block, k) => bins(block, b.profiles[k])),
    states: bins(a.states, b.states),
  };
}
