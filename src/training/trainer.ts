import { DataError, InterruptedError, NumericalError, UsageError } from '../errors.js';
import type { Field } from '../fields/index.js';
import { type ContinuousFlow, continuousFlow } from '../flows/index.js';
import type { Configurations } from '../formats/index.js';
import { requireRungeKutta4 } from '../integrators/index.js';
import { randomWords, STREAM } from '../kernels/index.js';
import type { System } from '../systems/index.js';
import { batchSource } from './data.js';
import { emaUpdate } from './ema.js';
import type { TrainingEngine } from './engines/engine.js';
import { KernelsEngine } from './engines/kernels-engine.js';
import { type StepOutcome, stepLoss } from './losses.js';
import { adamUpdate, clipGradient, gradientNorm } from './optimizer.js';
import { checkTrainingOptions, learningRateAt, TRAINING_DEFAULTS, type TrainingOptions } from './options.js';
import { copyState, initialState, type MutableState, type TrainingState } from './state.js';
import { Validator } from './validation.js';

export interface TrainingResult {
  /** The flow with the parameters of the lowest validation NLL. */
  readonly flow: ContinuousFlow;
  readonly state: TrainingState;
  readonly reason: 'all steps done' | 'validation NLL no longer improves' | 'integrator no longer resolves the flow';
}

/** One step as a training record has it; `ms` is the time it took. */
export interface StepRecord {
  readonly step: number;
  readonly loss: number;
  /** What the loss is made of: `nll` or `matching`, `kl`. */
  readonly terms: Readonly<Record<string, number>>;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly ms: number;
}

export interface TrainingHooks {
  /** The system to be sampled, where the reverse KL has a share in the loss. */
  readonly target?: System;
  /** What computes losses and gradients of this flow; the kernels of this thread by default. It is not disposed of. */
  readonly engine?: TrainingEngine;
  /** Called after every step that was not left out. */
  readonly onStep?: (step: StepRecord) => void;
  /** Called at every validation with a state that can be kept. */
  readonly onState?: (state: TrainingState) => void;
  /** Asked before every step; on true the run throws `InterruptedError` after handing its state to `onState`. */
  readonly shouldStop?: () => boolean;
}

/**
 * Trains a flow by maximum likelihood or flow matching, by the reverse KL, or by a mixture whose shares change over the
 * run, and keeps the parameters with the lowest loss on `validation`. Resuming from a state gives the same bytes as never having stopped.
 *
 * Maximum likelihood exploits a coarse integrator: it can reach an NLL below the entropy that no density has. So step
 * counts are jittered, the validation NLL is taken at twice the steps, and where the two counts disagree by more than
 * `integratorTolerance` the run goes back to its best state with half the learning rate, or in the end stops.
 *
 * @throws UsageError for an option out of range, or a share of the reverse KL without a target
 * @throws NumericalError naming step and sample where loss or gradient stop being finite, unless such steps are skipped.
 */
export async function trainFlow(
  flow: ContinuousFlow,
  data: Configurations,
  validation: Configurations,
  given: Partial<TrainingOptions> & { seed: number },
  hooks: TrainingHooks = {},
  resume?: TrainingState,
): Promise<TrainingResult> {
  const options: TrainingOptions = { ...TRAINING_DEFAULTS, ...given };
  checkTrainingOptions(options);
  if (options.klShare.some((share) => share > 0) && hooks.target === undefined) {
    throw new UsageError('training: the reverse KL has a share in the loss, but there is no target');
  }
  if (data.n < 1 || validation.n < 1) {
    throw new DataError(
      `training: ${data.n} training and ${validation.n} validation configurations, expected at least 1 of each`,
    );
  }
  const groups = trainedGroups(flow.field, options);
  const { steps: integratorSteps } = requireRungeKutta4(flow.integrator, 'training');
  const engine =
    hooks.engine ??
    new KernelsEngine({
      flow,
      precision: options.precision,
      ...(hooks.target ? { target: hooks.target } : {}),
    });
  const stepsOf = stepCounts(integratorSteps, options);
  const equal = new Array<number>(flow.prior.particles).fill(0);
  const species = flow.field.species?.species ?? hooks.target?.species ?? equal;
  const lossOf = stepLoss(flow, engine, stepsOf, options, species);
  const run = resume ? copyState(resume) : initialState(flow.field.parameters, groups, options.emaDecay > 0);
  const batches = batchSource(data, flow.prior.particles * flow.prior.dimensions, options);
  let reason: TrainingResult['reason'] = 'all steps done';

  if (run.tableResolution !== undefined) engine.tables?.refineTo(run.tableResolution);
  const validator = new Validator({ flow, engine, data, validation, options, groups, target: hooks.target });
  const validate = async () => {
    await validator.validate(run);
    hooks.onState?.(copyState(run));
  };

  /** Loss, gradient and its norm of the next step; undefined where they are not finite and the step is to be left out. */
  const attempt = async (): Promise<(StepOutcome & { norm: number }) | undefined> => {
    try {
      const outcome = await lossOf(run.parameters, batches(run.step), run.step);
      const { loss, gradient } = outcome;
      const norm = gradientNorm(gradient, groups);
      if (Number.isFinite(norm)) return { ...outcome, norm };
      const group = groups.find((name) => !gradient[name].every(Number.isFinite));
      throw new NumericalError(
        `training: the gradient of '${group ?? groups[0]}' is not finite at step ${run.step} (loss ${loss})`,
      );
    } catch (error) {
      if (options.onNonFinite === 'stop' || !(error instanceof NumericalError)) throw error;
      return undefined;
    }
  };

  if (run.curve.length === 0) await validate();
  while (run.step < options.steps) {
    if (hooks.shouldStop?.()) {
      hooks.onState?.(copyState(run));
      throw new InterruptedError(`training stopped after step ${run.step} of ${options.steps}; resume to go on`);
    }
    const started = performance.now();
    const learningRate = run.learningRateScale * learningRateAt(run.step, options);
    const outcome = await attempt();
    if (outcome === undefined) run.skipped += 1;
    else {
      const { gradient, norm } = outcome;
      clipGradient(gradient, groups, norm, options.clipNorm);
      adamUpdate(run.parameters, gradient, run.adam, learningRate, options.adam);
      if (run.average) emaUpdate(run.average, run.parameters, options.emaDecay, run.adam.updates);
      run.pending = { sum: run.pending.sum + outcome.loss, count: run.pending.count + 1 };
    }
    run.step += 1;
    if (outcome !== undefined) {
      const { loss, terms, norm: gradientNorm } = outcome;
      hooks.onStep?.({ step: run.step, loss, terms, gradientNorm, learningRate, ms: performance.now() - started });
    }
    if (run.step % options.validationInterval === 0 || run.step === options.steps) {
      await validate();
      reason = stopReason(run, options);
      if (reason !== 'all steps done') break;
    }
  }
  const trained = continuousFlow(flow.prior, flow.field.withParameters(run.best.parameters), flow.integrator);
  return { flow: trained, state: run, reason };
}

/** The parameter groups to train, in the field's order or the one asked for. */
function trainedGroups({ shapes, frozen }: Field, options: TrainingOptions): readonly string[] {
  const groups = options.groups ?? Object.keys(shapes).filter((name) => !frozen.includes(name));
  const unknown = groups.find((name) => !(name in shapes));
  if (groups.length === 0) throw new UsageError('training: no parameter groups to train, expected at least one');
  if (unknown !== undefined) {
    throw new UsageError(
      `training: unknown parameter group '${unknown}', expected some of ${Object.keys(shapes).join(', ')}`,
    );
  }
  return groups;
}

/**
 * How many integrator steps training step `step` takes. Likelihood that exists at one step count only is an error of the
 * integrator, which maximum likelihood finds and exploits; a count that varies leaves it nothing to fit.
 */
function stepCounts(steps: number, { seed, stepJitter }: TrainingOptions): (step: number) => number {
  const spread = Math.round(stepJitter * steps);
  const counts = spread === 0 ? [steps] : [steps - spread, steps, steps + spread];
  return (step) => counts[randomWords(seed, STREAM.jitter, 1, step)[0] % counts.length];
}

function stopReason({ curve, best, step }: MutableState, options: TrainingOptions): TrainingResult['reason'] {
  if (step >= options.steps) return 'all steps done';
  const sinceBest = curve.filter((point) => point.step > best.step);
  if (sinceBest.length < options.patience) return 'all steps done';
  return sinceBest.some((point) => point.rolledBack)
    ? 'integrator no longer resolves the flow'
    : 'validation NLL no longer improves';
}
