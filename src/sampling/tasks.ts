/* What the workers run: one block of samples, or the log-densities of given configurations. */

import { EquiflowError, NumericalError } from '../errors.js';
import { decodeModel, type FlowRunner, type Positions, prepareFlow } from '../flows/index.js';
import type { IntegrationStatistics } from '../integrators/index.js';
import type { Arithmetic, Precision } from '../kernels/index.js';
import { logWeights } from '../reweighting/log-weights.js';
import { EnergyEvaluator } from '../systems/energy.js';
import { moved } from '../workers/task.js';
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
function warmUp({ runner, energies, kT }: Prepared): void {
  try {
    for (let block = 0; block < WARM_UP_BLOCKS; block++) {
      const { x, logQ } = runner.sample(0, 0, 4);
      const energy = energies.energy(x, 4);
      summarize({ x, logQ, energy, logWeight: logWeights(energy, logQ, kT) });
    }
  } catch (error) {
    // Samples that cannot be drawn or weighed say so in their own block, with their numbers.
    if (!(error instanceof EquiflowError)) throw error;
  }
  runner.takeStatistics();
}

/** The model ready for work; a worker keeps the last one. */
export function prepare({ key, bytes, precision, arithmetic }: ModelMessage): Prepared {
  if (prepared?.key !== key) {
    const { generator } = decodeModel(bytes, 'model');
    prepared = {
      key,
      runner: prepareFlow(generator.flow, precision, { arithmetic }),
      energies: new EnergyEvaluator(generator.target),
      kT: generator.prior.kT,
    };
    warmUp(prepared);
  }
  return prepared;
}

export interface SampleBlockInput {
  readonly model: ModelMessage;
  readonly seed: number;
  readonly first: number;
  readonly n: number;
}

export interface SampleBlock {
  readonly x: Positions;
  readonly logQ: Float64Array;
  /** U of the positions as they are stored, in f64. */
  readonly energy: Float64Array;
  /** −U/kT − log q. */
  readonly logWeight: Float64Array;
}

/** A block with the work that it took. */
export interface DrawnBlock extends SampleBlock {
  readonly integration: IntegrationStatistics;
}

/** @throws NumericalError naming the first sample without finite log q or with an energy that gives no weight */
export function sampleBlock(input: SampleBlockInput) {
  const block = draw(input);
  return moved(block, buffers(block));
}

/** A block for a stream, with what is to be known of it: workers have the time, their consumer has not. */
export interface SummarizedBlock extends DrawnBlock {
  readonly summary: BlockSummary;
}

/** @throws as `sampleBlock` */
export function summarizedSampleBlock(input: SampleBlockInput) {
  const block = draw(input);
  return moved<SummarizedBlock>({ ...block, summary: summarize(block) }, buffers(block));
}

export function draw({ model, seed, first, n }: SampleBlockInput): DrawnBlock {
  const { runner, energies, kT } = prepare(model);
  const { x, logQ } = runner.sample(seed, first, n);
  const integration = runner.takeStatistics();
  const energy = energies.energy(x, n);
  const bad = firstWithoutWeight(logQ, energy);
  if (bad < n) {
    const what = `log q is ${logQ[bad]} and the energy ${energy[bad]}`;
    const where = runner.whereNotFinite(runner.priorSample(seed, first + bad, 1), false);
    throw new NumericalError(`sample ${first + bad}: ${what}: ${where}`);
  }
  return { x, logQ, energy, logWeight: logWeights(energy, logQ, kT), integration };
}

/** The first sample whose log q is not finite or whose energy gives no weight; n where there is none. */
function firstWithoutWeight(logQ: Float64Array, energy: Float64Array): number {
  let s = 0;
  while (s < logQ.length && Number.isFinite(logQ[s]) && energy[s] > Number.NEGATIVE_INFINITY) s++;
  return s;
}

function buffers({ x, logQ, energy, logWeight }: SampleBlock): ArrayBufferLike[] {
  return [x.buffer, logQ.buffer, energy.buffer, logWeight.buffer];
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
