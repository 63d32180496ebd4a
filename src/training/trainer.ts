import { DataError, InterruptedError, NumericalError, UsageError } from '../errors.js';
import type { ParameterSet } from '../fields/index.js';
import { type ContinuousFlow, continuousFlow } from '../flows/index.js';
import type { Configurations } from '../formats/index.js';
import { rk4 } from '../integrators/index.js';
import { permutation, randomWords, STREAM } from '../kernels/index.js';
import type { System } from '../systems/index.js';
import { KernelEngine } from './engines/kernels.js';
import { type Batch, located, lossOfStep, validationLoss } from './losses.js';
import { type AdamState, adamState, adamUpdate, gradientNorm } from './optimizer.js';
import { checkTrainingOptions, learningRateAt, TRAINING_DEFAULTS, type TrainingOptions } from './options.js';

/** One validation in the course of a run. */
export interface LearningCurvePoint {
  readonly step: number;
  /** Mean loss over the steps since the validation before: the NLL unless the reverse KL has a share. */
  readonly trainingNll: number;
  /** At twice the integrator steps that the flow has. */
  readonly validationNll: number;
  /** Reverse KL up to log Z, of fixed prior samples at twice the steps, where the loss has a share of it. */
  readonly validationKl?: number;
  /** What the validation loss gains in going from the flow's own steps to twice as many: the integrator's error. */
  readonly integratorError: number;
  /** True where that error was beyond the tolerance and training went back to its best state. */
  readonly rolledBack: boolean;
}

/** Everything a run needs to go on exactly where it was; data order follows from the seed and the step. */
export interface TrainingState {
  readonly step: number;
  readonly parameters: ParameterSet;
  readonly adam: AdamState;
  readonly best: {
    readonly step: number;
    /** What it is the best in: the NLL, or the loss with the final share of the reverse KL. */
    readonly validationLoss: number;
    readonly validationNll: number;
    readonly parameters: ParameterSet;
    readonly adam: AdamState;
  };
  /** Halved with every roll-back. */
  readonly learningRateScale: number;
  readonly curve: readonly LearningCurvePoint[];
  /** Sum and count of losses since the last validation. */
  readonly pending: { readonly sum: number; readonly count: number };
}

export interface TrainingResult {
  /** The flow with the parameters of the lowest validation NLL. */
  readonly flow: ContinuousFlow;
  readonly state: TrainingState;
  readonly reason: 'all steps done' | 'validation NLL no longer improves' | 'integrator no longer resolves the flow';
}

export interface TrainingHooks {
  /** The system to be sampled, where the reverse KL has a share in the loss. */
  readonly target?: System;
  /** Called after every step. */
  readonly onStep?: (step: number, loss: number, gradientNorm: number) => void;
  /** Called at every validation with a state that can be kept. */
  readonly onState?: (state: TrainingState) => void;
  /** Asked before every step; on true the run throws `InterruptedError` after handing its state to `onState`. */
  readonly shouldStop?: () => boolean;
}

/**
 * Trains a flow by maximum likelihood, by the reverse KL, or by a mixture of both whose shares change over the run, and
 * keeps the parameters with the lowest loss on `validation`. Resuming from a state gives the same bytes as never having stopped.
 *
 * Maximum likelihood exploits a coarse integrator: it can reach an NLL below the entropy that no density has. So step
 * counts are jittered, the validation NLL is taken at twice the steps, and where the two counts disagree by more than
 * `integratorTolerance` the run goes back to its best state with half the learning rate, or in the end stops.
 *
 * @throws UsageError for an option out of range, or a share of the reverse KL without a target
 * @throws NumericalError naming step and sample where loss or gradient stop being finite.
 */
export function trainFlow(
  flow: ContinuousFlow,
  data: Configurations,
  validation: Configurations,
  given: Partial<TrainingOptions> & { seed: number },
  hooks: TrainingHooks = {},
  resume?: TrainingState,
): TrainingResult {
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
  const groups = options.groups ?? Object.keys(flow.field.shapes).filter((name) => !flow.field.frozen.includes(name));
  const unknown = groups.find((name) => !(name in flow.field.shapes));
  if (groups.length === 0) throw new UsageError('training: no parameter groups to train, expected at least one');
  if (unknown !== undefined) {
    throw new UsageError(
      `training: unknown parameter group '${unknown}', expected some of ${Object.keys(flow.field.shapes).join(', ')}`,
    );
  }

  const engineOf = enginesBySteps(flow, options, hooks.target);
  const stepsOf = stepCounts(flow.integrator.steps, options);
  const run = resume ? copyState(resume) : initialState(flow.field.parameters, groups);
  const batches = batchSource(data, flow.prior.particles * flow.prior.dimensions, options);
  let reason: TrainingResult['reason'] = 'all steps done';

  const validate = () => {
    const { parameters, step, pending } = run;
    const where = `of the validation data at step ${step}`;
    const lossAt = (steps: number) =>
      located(where, undefined, () => validationLoss(engineOf(steps), parameters, validation, options));
    const { nll, kl, loss } = lossAt(2 * flow.integrator.steps);
    const integratorError = loss - lossAt(flow.integrator.steps).loss;
    const trainingNll =
      pending.count > 0
        ? pending.sum / pending.count
        : located(`of the training data at step ${step}`, undefined, () =>
            engineOf(flow.integrator.steps).nll(data.x, data.n),
          );
    const resolved = Math.abs(integratorError) <= options.integratorTolerance;
    run.curve.push({
      step,
      trainingNll,
      validationNll: nll,
      ...(kl === undefined ? {} : { validationKl: kl }),
      integratorError,
      rolledBack: !resolved && step > 0,
    });
    run.pending = { sum: 0, count: 0 };
    if (!resolved && step > 0) {
      run.parameters = copyParameters(run.best.parameters);
      run.adam = copyAdam(run.best.adam);
      run.learningRateScale /= 2;
    } else if (loss < run.best.validationLoss) {
      run.best = {
        step,
        validationLoss: loss,
        validationNll: nll,
        parameters: copyParameters(parameters),
        adam: copyAdam(run.adam),
      };
    }
    hooks.onState?.(copyState(run));
  };

  if (run.curve.length === 0) validate();
  while (run.step < options.steps) {
    if (hooks.shouldStop?.()) {
      hooks.onState?.(copyState(run));
      throw new InterruptedError(`training stopped after step ${run.step} of ${options.steps}; resume to go on`);
    }
    const batch = batches(run.step);
    const engine = engineOf(stepsOf(run.step));
    const { loss, gradient } = lossOfStep(engine, run.parameters, batch, run.step, options);
    const norm = gradientNorm(gradient, groups);
    if (!Number.isFinite(norm)) {
      const group = groups.find((name) => !gradient[name].every(Number.isFinite));
      throw new NumericalError(`training: the gradient of '${group}' is not finite at step ${run.step} (loss ${loss})`);
    }
    if (norm > options.clipNorm) {
      for (const name of groups)
        for (let i = 0; i < gradient[name].length; i++) gradient[name][i] *= options.clipNorm / norm;
    }
    adamUpdate(
      run.parameters,
      gradient,
      run.adam,
      run.learningRateScale * learningRateAt(run.step, options),
      options.adam,
    );
    run.step += 1;
    run.pending = { sum: run.pending.sum + loss, count: run.pending.count + 1 };
    hooks.onStep?.(run.step, loss, norm);
    if (run.step % options.validationInterval === 0 || run.step === options.steps) {
      validate();
      reason = stopReason(run, options);
      if (reason !== 'all steps done') break;
    }
  }
  const trained = continuousFlow(flow.prior, flow.field.withParameters(run.best.parameters), flow.integrator);
  return { flow: trained, state: run, reason };
}

/** One engine for each number of integrator steps in use, made when first asked for. */
function enginesBySteps(
  flow: ContinuousFlow,
  { precision }: TrainingOptions,
  target?: System,
): (steps: number) => KernelEngine {
  const engines = new Map<number, KernelEngine>();
  return (steps) => {
    const engine = engines.get(steps) ?? new KernelEngine({ ...flow, integrator: rk4(steps) }, { precision }, target);
    engines.set(steps, engine);
    return engine;
  };
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

type MutableState = { -readonly [K in keyof TrainingState]: TrainingState[K] } & { curve: LearningCurvePoint[] };

function initialState(parameters: ParameterSet, groups: readonly string[]): MutableState {
  return {
    step: 0,
    parameters: copyParameters(parameters),
    adam: adamState(parameters, groups),
    best: {
      step: 0,
      validationLoss: Number.POSITIVE_INFINITY,
      validationNll: Number.POSITIVE_INFINITY,
      parameters: copyParameters(parameters),
      adam: adamState(parameters, groups),
    },
    learningRateScale: 1,
    curve: [],
    pending: { sum: 0, count: 0 },
  };
}

function copyParameters(parameters: ParameterSet): Record<string, Float64Array> {
  return Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, values.slice()]));
}

function copyAdam({ first, second, updates }: AdamState): AdamState {
  return { first: copyParameters(first), second: copyParameters(second), updates };
}

function copyState(state: TrainingState): MutableState {
  const { best } = state;
  return {
    ...state,
    parameters: copyParameters(state.parameters),
    adam: copyAdam(state.adam),
    best: { ...best, parameters: copyParameters(best.parameters), adam: copyAdam(best.adam) },
    curve: [...state.curve],
  };
}

/** The batch of any step: epochs are permutations of the data, cut into batches; the remainder of an epoch is left out. */
function batchSource(data: Configurations, coordinates: number, options: TrainingOptions): (step: number) => Batch {
  const size = Math.min(options.batchSize, data.n);
  const perEpoch = Math.floor(data.n / size);
  const x = new Float64Array(size * coordinates);
  let epoch = -1;
  let order: Uint32Array = new Uint32Array(0);
  return (step) => {
    const wanted = Math.floor(step / perEpoch);
    if (wanted !== epoch) {
      epoch = wanted;
      order = permutation(options.seed, STREAM.shuffle, data.n, epoch);
    }
    const from = (step % perEpoch) * size;
    const indices = order.subarray(from, from + size);
    indices.forEach((row, s) => {
      x.set(data.x.subarray(row * coordinates, (row + 1) * coordinates), s * coordinates);
    });
    return { x, indices };
  };
}

/**
 * Splits configurations into training and validation. `tail` keeps the last ones together, as data along a trajectory
 * or chain by chain need; `random` draws them with the seed.
 */
export function splitConfigurations(
  { x, n }: Configurations,
  fraction: number,
  kind: 'tail' | 'random',
  seed: number,
): { data: Configurations; validation: Configurations } {
  if (!(fraction > 0 && fraction < 1) || n < 2) {
    throw new UsageError(
      `training: cannot split ${n} configurations with validation fraction ${fraction}, expected at least 2 and a fraction between 0 and 1`,
    );
  }
  const C = x.length / n;
  const held = Math.min(n - 1, Math.max(1, Math.round(fraction * n)));
  const order = kind === 'tail' ? Uint32Array.from({ length: n }, (_, i) => i) : permutation(seed, STREAM.split, n);
  const pick = (indices: Uint32Array): Configurations => {
    const rows = new Float64Array(indices.length * C);
    indices.forEach((row, s) => {
      rows.set(x.subarray(row * C, (row + 1) * C), s * C);
    });
    return { x: rows, n: indices.length };
  };
  return { data: pick(order.subarray(0, n - held)), validation: pick(order.subarray(n - held)) };
}
