/* What the workers run: one block of samples, or the log-densities of given configurations. */

import { decodeModel, type FlowRunner, type Positions, prepareFlow } from '../flows/index.js';
import type { Precision } from '../kernels/index.js';
import { EnergyEvaluator } from '../systems/energy.js';
import { moved } from '../workers/index.js';

/** A model as it travels to workers: its file, and a name under which a worker keeps it prepared. */
export interface ModelMessage {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly precision: Precision;
}

interface Prepared {
  readonly key: string;
  readonly runner: FlowRunner;
  readonly energies: EnergyEvaluator;
}

let prepared: Prepared | undefined;

/** The model ready for work; a worker keeps the last one. */
function prepare({ key, bytes, precision }: ModelMessage): Prepared {
  if (prepared?.key !== key) {
    const { generator } = decodeModel(bytes, 'model');
    prepared = {
      key,
      runner: prepareFlow(generator.flow, precision),
      energies: new EnergyEvaluator(generator.target),
    };
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
}

export function sampleBlock({ model, seed, first, n }: SampleBlockInput) {
  const { runner, energies } = prepare(model);
  const { x, logQ } = runner.sample(seed, first, n);
  const energy = energies.energy(x, n);
  return moved<SampleBlock>({ x, logQ, energy }, [x.buffer, logQ.buffer, energy.buffer]);
}

export interface LogProbBlockInput {
  readonly model: ModelMessage;
  readonly x: Float64Array;
  readonly n: number;
}

export function logProbBlock({ model, x, n }: LogProbBlockInput) {
  const logQ = prepare(model).runner.logProb(x, n);
  return moved(logQ, [logQ.buffer]);
}
