import { type BoltzmannGenerator, decodeModel, encodeModel } from '../flows/index.js';
import type { Configurations } from '../formats/index.js';
import type { Progress } from '../progress.js';
import type { WorkerPool } from '../workers/index.js';
import type { EngineChoice } from './engines/engine.js';
import { type ChosenEngine, chooseEngine } from './engines/registry.js';
import { TRAINING_DEFAULTS, type TrainingOptions } from './options.js';
import type { TrainingState } from './state.js';
import type { TrainTaskInput, TrainTaskMessage, TrainTaskOutput } from './tasks.js';
import type { TrainingResult } from './trainer.js';

const TASKS = new URL('./tasks.js', import.meta.url);

export interface TrainHooks {
  /** What computes losses and gradients; by default the best engine of this machine. */
  readonly engine?: EngineChoice;
  readonly onProgress?: Progress;
  /** Called with a resumable state at every validation and when the run is stopped. */
  readonly onState?: (state: TrainingState) => void;
  /** Stops the run after its current step with `InterruptedError`. */
  readonly signal?: AbortSignal;
  readonly resume?: TrainingState;
}

export interface TrainedGenerator {
  readonly generator: BoltzmannGenerator;
  readonly state: TrainingState;
  readonly reason: TrainingResult['reason'];
  readonly engine: ChosenEngine;
}

/** Trains a generator's flow on one worker of the pool. See `trainFlow`; @throws UnavailableError for an engine that is absent. */
export async function train(
  generator: BoltzmannGenerator,
  data: Configurations,
  validation: Configurations,
  options: Partial<TrainingOptions> & { seed: number },
  pool: WorkerPool,
  { engine: choice = 'auto', onProgress, onState, signal, resume }: TrainHooks = {},
): Promise<TrainedGenerator> {
  const { particles } = generator.flow.prior;
  const batchSize = Math.min(options.batchSize ?? TRAINING_DEFAULTS.batchSize, data.n);
  const engine = await chooseEngine(choice, (batchSize * particles * (particles - 1)) / 2);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const requestStop = () => void Atomics.store(stop, 0, 1);
  signal?.addEventListener('abort', requestStop, { once: true });
  if (signal?.aborted) requestStop();
  const total = options.steps ?? TRAINING_DEFAULTS.steps;
  const lossName = options.loss === 'flow-matching' ? 'flow matching' : 'NLL';
  let latest = '';
  const onMessage = (message: unknown) => {
    const update = message as TrainTaskMessage;
    if (update.kind === 'state') {
      const point = update.state.curve.at(-1);
      if (point) latest = `, validation ${point.validationNll.toFixed(3)}`;
      onState?.(update.state);
    } else {
      const detail = `${lossName} ${update.loss.toFixed(3)}${latest}`;
      onProgress?.({ stage: 'training', done: update.step, total, detail });
    }
  };
  try {
    const input: TrainTaskInput = {
      model: encodeModel(generator),
      data,
      validation,
      options,
      engine: engine.name,
      stop,
      sendStates: onState !== undefined || onProgress !== undefined,
      ...(resume ? { resume } : {}),
    };
    const task = { module: TASKS, name: 'trainTask' };
    const { model, state, reason } = await pool.run<TrainTaskInput, TrainTaskOutput>(task, input, { onMessage });
    return { generator: decodeModel(model, 'trained model').generator, state, reason, engine };
  } finally {
    signal?.removeEventListener('abort', requestStop);
  }
}
