import { decodeModel, encodeModel } from '../flows/index.js';
import type { Configurations } from '../formats/index.js';
import type { TaskContext } from '../workers/index.js';
import type { TrainingOptions } from './options.js';
import type { TrainingState } from './state.js';
import { type TrainingResult, trainFlow } from './trainer.js';

/** Milliseconds between two progress reports. */
const REPORT_INTERVAL = 100;

export interface TrainTaskInput {
  /** Model file with the initial parameters. */
  readonly model: Uint8Array;
  readonly data: Configurations;
  readonly validation: Configurations;
  readonly options: Partial<TrainingOptions> & { seed: number };
  readonly resume?: TrainingState;
  /** Shared with the main thread; nonzero asks the run to stop. */
  readonly stop: Int32Array;
  /** Whether states are wanted at every validation; when the run is stopped, one is always sent. */
  readonly sendStates: boolean;
}

export type TrainTaskMessage =
  | { readonly kind: 'step'; readonly step: number; readonly loss: number }
  | { readonly kind: 'state'; readonly state: TrainingState };

export interface TrainTaskOutput {
  readonly model: Uint8Array;
  readonly state: TrainingState;
  readonly reason: TrainingResult['reason'];
}

/** A training run on a worker, where it leaves the main thread free to draw and to hear signals. */
export function trainTask(input: TrainTaskInput, context: TaskContext): TrainTaskOutput {
  const { generator } = decodeModel(input.model, 'model');
  const report = (message: TrainTaskMessage) => context.report(message);
  const stopping = () => Atomics.load(input.stop, 0) !== 0;
  let reported = 0;
  const { flow, state, reason } = trainFlow(
    generator.flow,
    input.data,
    input.validation,
    input.options,
    {
      target: generator.target,
      onStep: (step, loss) => {
        const now = performance.now();
        if (now - reported < REPORT_INTERVAL) return;
        reported = now;
        report({ kind: 'step', step, loss });
      },
      onState: (state) => {
        if (input.sendStates || stopping()) report({ kind: 'state', state });
      },
      shouldStop: stopping,
    },
    input.resume,
  );
  return { model: encodeModel({ ...generator, flow }), state, reason };
}
