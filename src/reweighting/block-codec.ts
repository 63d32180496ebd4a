import type { AverageBlock } from './averages.js';
import type { BinBlock } from './bins.js';
import type { WeightBlock } from './blocks.js';
import type { ReweightingBlock, ReweightingPlan } from './reweighting-block.js';

/* A block as a row of numbers, for files: every number as it is, in the order of these names. */

const WEIGHTS = ['n', 'zeroWeights', 'maximum', 'sum', 'squaredDeviations'] as const satisfies (keyof WeightBlock)[];
const AVERAGE = [
  'mean',
  'cross',
  'squares',
  'plainMean',
  'plainCross',
  'plainSquares',
] as const satisfies (keyof AverageBlock)[];
const BINS = ['mass', 'cross', 'squares', 'largest', 'plainMass', 'plainSquares'] as const satisfies (keyof BinBlock)[];

/** Energy, log q and log-weight, which are averaged whatever is asked for. */
const OWN_AVERAGES = 3;

/** Numbers of an encoded block. */
export function blockWidth({ averages, profiles, states }: ReweightingPlan): number {
  const bins = profiles.reduce((sum, { axis }) => sum + axis.bins, states.length);
  return WEIGHTS.length + AVERAGE.length * (OWN_AVERAGES + averages.length) + BINS.length * bins;
}

/** A block as `blockWidth` numbers: weights, averages, profiles, states. */
export function encodeBlock(block: ReweightingBlock): Float64Array {
  const { weights, energy, logQ, logWeight, averages, profiles, states } = block;
  return Float64Array.from([
    ...WEIGHTS.map((name) => weights[name]),
    ...[energy, logQ, logWeight, ...averages].flatMap((average) => AVERAGE.map((name) => average[name])),
    ...[...profiles, states].flatMap((bins) => BINS.flatMap((name) => Array.from(bins[name]))),
  ]);
}

/** The block that `encodeBlock` has encoded, bit by bit, in memory of its own. */
export function decodeBlock(numbers: Float64Array, plan: ReweightingPlan): ReweightingBlock {
  const width = blockWidth(plan);
  if (numbers.length !== width) throw new Error(`block of ${numbers.length} numbers, expected ${width}`);
  let at = 0;
  const take = (count: number) => {
    at += count;
    return numbers.slice(at - count, at);
  };
  const record = <Name extends string>(names: readonly Name[]) =>
    Object.fromEntries(names.map((name) => [name, take(1)[0]])) as Record<Name, number>;
  const bins = (count: number) =>
    Object.fromEntries(BINS.map((name) => [name, take(count)])) as Record<(typeof BINS)[number], Float64Array>;
  return {
    weights: record(WEIGHTS),
    energy: record(AVERAGE),
    logQ: record(AVERAGE),
    logWeight: record(AVERAGE),
    averages: plan.averages.map(() => record(AVERAGE)),
    profiles: plan.profiles.map(({ axis }) => bins(axis.bins)),
    states: bins(plan.states.length),
  };
}
