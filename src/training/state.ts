import type { ParameterSet } from '../fields/index.js';
import { type AdamState, adamState } from './optimizer.js';

/** One validation in the course of a run. */
export interface LearningCurvePoint {
  readonly step: number;
  /**
   * Mean loss over the steps since the validation before: the NLL unless the reverse KL or the kinetic energy has a share.
   * With flow matching, the NLL of as many training configurations as there are for validation.
   */
  readonly trainingNll: number;
  /** Mean loss over the steps since the validation before, with flow matching. */
  readonly matchingLoss?: number;
  /** At twice the integrator steps that the flow has. */
  readonly validationNll: number;
  /** Reverse KL up to log Z, of fixed prior samples at twice the steps, where the loss has a share of it. */
  readonly validationKl?: number;
  /** What the validation loss gains in going from the flow's own steps to twice as many: the integrator's error. */
  readonly integratorError: number;
  /** Largest deviation of the gradient from one on finer tables, per group relative to its largest entry; engines with tables. */
  readonly gradientError?: number;
  /** Knots per narrowest width from here on. */
  readonly tableResolution?: number;
  /**
   * Validation NLL minus that of the target's own density on the same configurations, an estimate of KL(p‖q) where they are
   * equilibrium samples of a target whose log Z is known. Below 0 by more than its scatter it is impossible for such data.
   */
  readonly excess?: number;
  /** Of flow samples drawn now and then: their Kish ESS as a share of their number, and how many they were. */
  readonly ess?: number;
  readonly essSamples?: number;
  /** True where that error was beyond the tolerance and training went back to its best state. */
  readonly rolledBack: boolean;
}

/** Everything a run needs to go on exactly where it was; data order and all random numbers follow from the seed and the step. */
export interface TrainingState {
  readonly step: number;
  readonly parameters: ParameterSet;
  /** Moving average of the parameters, where the options ask for one. */
  readonly average?: ParameterSet;
  readonly adam: AdamState;
  readonly best: {
    readonly step: number;
    /** What it is the best in: the NLL, or the loss with the final share of the reverse KL. */
    readonly validationLoss: number;
    readonly validationNll: number;
    readonly parameters: ParameterSet;
    readonly adam: AdamState;
  };
  /** Steps left out because loss or gradient were not finite. */
  readonly skipped: number;
  /** Knots per narrowest width of the engine's tables, where they were refined. */
  readonly tableResolution?: number;
  /** Halved with every roll-back. */
  readonly learningRateScale: number;
  readonly curve: readonly LearningCurvePoint[];
  /** Sum and count of losses since the last validation. */
  readonly pending: { readonly sum: number; readonly count: number };
}

/** The state as a run changes it. */
export type MutableState = { -readonly [K in keyof TrainingState]: TrainingState[K] } & { curve: LearningCurvePoint[] };

export function initialState(parameters: ParameterSet, groups: readonly string[], withAverage: boolean): MutableState {
  return {
    step: 0,
    parameters: copyParameters(parameters),
    ...(withAverage ? { average: copyParameters(parameters) } : {}),
    adam: adamState(parameters, groups),
    best: {
      step: 0,
      validationLoss: Number.POSITIVE_INFINITY,
      validationNll: Number.POSITIVE_INFINITY,
      parameters: copyParameters(parameters),
      adam: adamState(parameters, groups),
    },
    skipped: 0,
    learningRateScale: 1,
    curve: [],
    pending: { sum: 0, count: 0 },
  };
}

export function copyParameters(parameters: ParameterSet): Record<string, Float64Array> {
  return Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, values.slice()]));
}

export function copyAdam({ first, second, updates }: AdamState): AdamState {
  return { first: copyParameters(first), second: copyParameters(second), updates };
}

export function copyState(state: TrainingState): MutableState {
  const { best } = state;
  return {
    ...state,
    parameters: copyParameters(state.parameters),
    ...(state.average ? { average: copyParameters(state.average) } : {}),
    adam: copyAdam(state.adam),
    best: { ...best, parameters: copyParameters(best.parameters), adam: copyAdam(best.adam) },
    curve: [...state.curve],
  };
}
