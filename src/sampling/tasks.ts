/* What the workers run: one block of samples, or the log-densities of given configurations. */

import { EquiflowError, NumericalError } from '../errors.js';
import { decodeModel, type FlowRunner, prepareFlow } from '../flows/index.js';
import type { IntegrationStatistics } from '../integrators/index.js';
import type { Arithmetic, Precision } from '../kernels/index.js';
import { logWeights } from '../reweighting/log-weights.js';
import { EnergyEvaluator } from '../systems/energy.js';
import { moved } from '../workers/task.js';
import { blockIn, blockRoom, type SampleBlock } from './block-room.js';
import { type BlockSummary, summarize } from './block-summary.js';

/** A model as it travels to workers: its file, and a name under which a worker keeps it prepared. */
export interface ModelMessage {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly precision: Precision;
  readonly arithmetic: Arithmetic;
}

interface Prepared {
  readonly key: string;
  readonly runner: FlowRunner;
  readonly energies: EnergyEvaluator;
  readonly kT: number;
}

let prepared: Prepared | undefined;

/** Blocks of a few samples before the first one. */
const WARM_UP_BLOCKS = 20;

/**
 * V8 compiles a loop while it runs, knowing nothing of what comes behind it where that was never reached, throws the code away
 * there, and does so again in every block: a tenth of the time of DW4. After short blocks all has been reached.
 */
function warmUp(model: ModelMessage, runner: FlowRunner): void {
  try {
    for (let block = 0; block < WARM_UP_BLOCKS; block++) summarize(draw({ model, seed: 0, first: 0, n: 4 }));
  } catch (error) {
    // Samples that cannot be drawn or weighed say so in their own block, with their numbers.
    if (!(error instanceof EquiflowError)) throw error;
  }
  runner.takeStatistics();
}

/** The model ready for work; a worker keeps the last one. */
export function prepare(model: ModelMessage): Prepared {
  const { key, bytes, precision, arithmetic } = model;
  if (prepared?.key !== key) {
    const { generator } = decodeModel(bytes, 'model');
    prepared = {
      key,
      runner: prepareFlow(generator.flow, precision, { arithmetic }),
      energies: new EnergyEvaluator(generator.target),
      kT: generator.prior.kT,
    };
    warmUp(model, prepared.runner);
  }
  return prepared;
}

export interface SampleBlockInput {
  readonly model: ModelMessage;
  readonly seed: number;
  readonly first: number;
  readonly n: number;
}

/** A block that goes into memory at hand, see `blockIn`. */
export interface RoomedBlockInput extends SampleBlockInput {
  readonly room: SharedArrayBuffer;
}

/** What is to be known of a block beside its samples. */
export interface BlockFacts {
  readonly integration: IntegrationStatistics;
}

/** @throws NumericalError naming the first sample without finite log q or with an energy that gives no weight */
export function sampleBlock(input: RoomedBlockInput): BlockFacts {
  return { integration: draw(input, input.room).integration };
}

/** With a summary for streams: workers have the time, the consumer has not. */
export interface SummarizedFacts extends BlockFacts {
  readonly summary: BlockSummary;
}

/** @throws as `sampleBlock` */
export function summarizedSampleBlock(input: RoomedBlockInput): SummarizedFacts {
  const { integration, ...block } = draw(input, input.room);
  return { integration, summary: summarize(block) };
}

/** Draws a block into a room or into arrays of its own. */
export function draw({ model, seed, first, n }: SampleBlockInput, room?: SharedArrayBuffer): SampleBlock & BlockFacts {
  const { runner, energies, kT } = prepare(model);
  const { particles, dimensions } = runner.flow.prior;
  const shape = { n, coordinates: particles * dimensions, precision: model.precision };
  const block = blockIn(room ?? blockRoom(shape), shape);
  const { x, logQ, energy, logWeight } = block;
  runner.sample(seed, first, n, block);
  const integration = runner.takeStatistics();
  energies.energy(x, n, energy);
  const bad = firstWithoutWeight(logQ, energy);
  if (bad < n) {
    const what = `log q is ${logQ[bad]} and the energy ${energy[bad]}`;
    const where = runner.whereNotFinite(runner.priorSample(seed, first + bad, 1), false);
    throw new NumericalError(`sample ${first + bad}: ${what}: ${where}`);
  }
  logWeights(energy, logQ, kT, logWeight);
  return { ...block, integration };
}

/** The first sample whose log q is not finite or whose energy gives no weight; n where there is none. */
function firstWithoutWeight(logQ: Float64Array, energy: Float64Array): number {
  let s = 0;
  while (s < logQ.length && Number.isFinite(logQ[s]) && energy[s] > Number.NEGATIVE_INFINITY) s++;
  return s;
}

export interface LogProbBlockInput {
  readonly model: ModelMessage;
  readonly x: Float64Array;
  readonly n: number;
  /** Number of the first configuration, for errors. */
  readonly first: number;
}

export interface LogProbBlock {
  readonly logQ: Float64Array;
  readonly integration: IntegrationStatistics;
}

export function logProbBlock({ model, x, n, first }: LogProbBlockInput) {
  const { runner } = prepare(model);
  const logQ = runner.logProb(x, n, first);
  const bad = logQ.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const C = x.length / n;
    const where = runner.whereNotFinite(x.subarray(bad * C, (bad + 1) * C), true);
    throw new NumericalError(`sample ${first + bad}: log q is ${logQ[bad]}: backwards, ${where}`);
  }
  return moved<LogProbBlock>({ logQ, integration: runner.takeStatistics() }, [logQ.buffer]);
}
