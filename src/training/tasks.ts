import { decodeModel, encodeModel } from '../flows/index.js';
import type { Configurations } from '../formats/index.js';
import { serve, type TeamMemory } from '../kernels/index.js';
import type { TaskContext } from '../workers/index.js';
import type { EngineName } from './engines/engine.js';
import { createEngine } from './engines/registry.js';
import { TRAINING_DEFAULTS, type TrainingOptions } from './options.js';
import type { TrainingState } from './state.js';
import { type StepRecord, type TrainingResult, trainFlow } from './trainer.js';

/** Milliseconds between two progress reports. */
const REPORT_INTERVAL = 100;

/** Steps that a training record has at most; of longer runs it has every second, third, … */
const MOST_RECORDS = 20_000;

export interface TrainTaskInput {
  /** Model file with the initial parameters. */
  readonly model: Uint8Array;
  readonly data: Configurations;
  readonly validation: Configurations;
  readonly options: Partial<TrainingOptions> & { seed: number };
  /** One that this machine has. */
  readonly engine: EngineName;
  /** Where there are helpers. */
  readonly team?: TeamMemory;
  readonly resume?: TrainingState;
  /** Shared with the main thread; nonzero asks the run to stop. */
  readonly stop: Int32Array;
  /** Whether states are wanted at every validation; when the run is stopped, one is always sent. */
  readonly sendStates: boolean;
}

export type TrainTaskMessage =
  | { readonly kind: 'steps'; readonly records: readonly StepRecord[]; readonly loss: number; readonly step: number }
  | { readonly kind: 'state'; readonly state: TrainingState };

export interface TrainTaskOutput {
  readonly model: Uint8Array;
  readonly state: TrainingState;
  readonly reason: TrainingResult['reason'];
}

/** A training run on a worker, where it leaves the main thread free to draw and to hear signals. */
export async function trainTask(input: TrainTaskInput, context: TaskContext): Promise<TrainTaskOutput> {
  const { generator } = decodeModel(input.model, 'model');
  const { flow, target } = generator;
  const report = (message: TrainTaskMessage) => context.report(message);
  const stopping = () => Atomics.load(input.stop, 0) !== 0;
  const { precision } = { ...TRAINING_DEFAULTS, ...input.options };
  const team = input.team ? { team: input.team } : {};
  const engine = await createEngine(input.engine, { flow, target, precision, ...team });
  const every = Math.ceil((input.options.steps ?? TRAINING_DEFAULTS.steps) / MOST_RECORDS);
  let reported = 0;
  let latest: StepRecord | undefined;
  let records: StepRecord[] = [];
  const flush = () => {
    reported = performance.now();
    if (latest !== undefined) report({ kind: 'steps', records, step: latest.step, loss: latest.loss });
    records = [];
  };
  try {
    const trained = await trainFlow(
      flow,
      input.data,
      input.validation,
      input.options,
      {
        target,
        engine,
        onStep: (record) => {
          latest = record;
          if ((record.step - 1) % every === 0) records.push(record);
          if (performance.now() - reported >= REPORT_INTERVAL) flush();
        },
        onState: (state) => {
          flush();
          if (input.sendStates || stopping()) report({ kind: 'state', state });
        },
        shouldStop: stopping,
      },
      input.resume,
    );
    const { state, reason } = trained;
    return { model: encodeModel({ ...generator, flow: trained.flow }), state, reason };
  } finally {
    await engine.dispose();
  }
}

export interface HelpTaskInput {
  readonly team: TeamMemory;
  /** From 1. */
  readonly member: number;
}

/** Helps a training run on another worker until the team is dismissed. */
export function helpTask({ team, member }: HelpTaskInput): void {
  serve(team, member);
}
