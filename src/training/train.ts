import { type BoltzmannGenerator, decodeModel, encodeModel } from '../flows/index.js';
import type { Configurations } from '../formats/index.js';
import { dismiss, MAX_MEMBERS, reportLoss, type TeamMemory, teamMemory } from '../kernels/index.js';
import type { Progress } from '../progress.js';
import type { WorkerPool } from '../workers/index.js';
import type { EngineChoice } from './engines/engine.js';
import { type ChosenEngine, chooseEngine, stepWork } from './engines/registry.js';
import { TRAINING_DEFAULTS, type TrainingOptions } from './options.js';
import type { TrainingState } from './state.js';
import type { HelpTaskInput, TrainTaskInput, TrainTaskMessage, TrainTaskOutput } from './tasks.js';
import type { StepRecord, TrainingResult } from './trainer.js';

const TASKS = new URL('./tasks.js', import.meta.url);
const HELP = { module: TASKS, name: 'helpTask' };

/** Who computes, who helps, and who hears of what happens underway. */
export interface TrainHooks {
  /** What computes losses and gradients; by default the best engine of this machine. */
  readonly engine?: EngineChoice;
  /**
   * Workers beside the first that share the work of a step; by default all that the pool has. They block their threads
   * while the run lasts, so give 0 where runs compete for the pool. The result is the same bytes with any number.
   */
  readonly helpers?: number;
  readonly onProgress?: Progress;
  /** Called a few times a second with the steps done meanwhile, of runs beyond 20 000 steps only with every second, third, … */
  readonly onSteps?: (steps: readonly StepRecord[]) => void;
  /** Called with a resumable state at every validation and when the run is stopped. */
  readonly onState?: (state: TrainingState) => void;
  /** Stops the run after its current step with `InterruptedError`. */
  readonly signal?: AbortSignal;
  readonly resume?: TrainingState;
}

/** A generator with the best parameters that its training found. */
export interface TrainedGenerator {
  readonly generator: BoltzmannGenerator;
  readonly state: TrainingState;
  readonly reason: TrainingResult['reason'];
  readonly engine: ChosenEngine;
}

/** Trains a generator's flow on the pool. See `trainFlow`; @throws UnavailableError for an engine that is absent. */
export async function train(
  generator: BoltzmannGenerator,
  data: Configurations,
  validation: Configurations,
  options: Partial<TrainingOptions> & { seed: number },
  pool: WorkerPool,
  {
    engine: choice = 'auto',
    helpers = pool.workers - 1,
    onProgress,
    onSteps,
    onState,
    signal,
    resume,
  }: TrainHooks = {},
): Promise<TrainedGenerator> {
  const { batchSize, precision } = { ...TRAINING_DEFAULTS, ...options };
  const work = stepWork(generator.flow.field, Math.min(batchSize, data.n));
  const engine = await chooseEngine(choice, { work, precision });
  const team = engine.name === 'kernels' && helpers > 0 ? teamMemory() : undefined;
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
      if (update.records.length > 0) onSteps?.(update.records);
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
      ...(team ? { team } : {}),
      stop,
      sendStates: onState !== undefined || onProgress !== undefined,
      ...(resume ? { resume } : {}),
    };
    const task = { module: TASKS, name: 'trainTask' };
    const running = pool.run<TrainTaskInput, TrainTaskOutput>(task, input, { onMessage });
    if (team) callHelpers(pool, team, Math.min(helpers, MAX_MEMBERS - 1));
    const { model, state, reason } = await running;
    return { generator: decodeModel(model, 'trained model').generator, state, reason, engine };
  } finally {
    if (team) dismiss(team);
    signal?.removeEventListener('abort', requestStop);
  }
}

/** Starts helpers, which end by themselves when the team is dismissed. What a dead one leaves behind the run does itself. */
function callHelpers(pool: WorkerPool, team: TeamMemory, count: number): void {
  for (let member = 1; member <= count; member++) {
    const input: HelpTaskInput = { team, member };
    pool.run(HELP, input).catch(() => reportLoss(team, member));
  }
}
