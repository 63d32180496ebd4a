import type { ParameterSet, PrepareOptions } from '../../fields/index.js';
import type { ContinuousFlow, Positions } from '../../flows/index.js';
import type { Precision, TeamMemory } from '../../kernels/index.js';
import type { System } from '../../systems/index.js';

/** Knots per narrowest width while training: gradients are within 1e-3 of exact ones unless the run's own check says otherwise. */
export const TRAINING_RESOLUTION = 12;

export interface FlowGradientsOptions extends Omit<PrepareOptions, 'reverse'> {
  readonly precision?: Precision;
}

/** Mean loss per sample (nats; that of flow matching is a squared velocity) and its gradient. */
export interface LossAndGradient {
  readonly loss: number;
  /** Of all the field's groups, frozen ones as well. */
  readonly gradient: ParameterSet;
}

/** Where the prior samples of a reverse-KL batch come from: given ones, or the stream of random numbers. */
export type PriorBatch =
  | { readonly z: Positions; readonly n: number }
  | { readonly seed: number; readonly first: number; readonly n: number };

export interface ReverseKlOptions {
  /**
   * `total` is the derivative of the batch's loss. `path` leaves out the score Σ ∂log q(x)/∂θ, whose mean is zero: the same
   * expectation at lower variance, vanishing where q = p (Roeder et al. 2017; Vaitl et al. 2022), for about twice the time.
   */
  readonly estimator: 'total' | 'path';
  /** Energies above this are replaced by cap + log(1 + U − cap), so that hard cores do not decide the step. */
  readonly energyCap: number;
}

/** What velocities are compared with: rows `x` [n, N, D] at the times of their stages, and the velocities wanted there. */
export interface VelocityBatch {
  /** One per stage; sample s belongs to stage ⌊s·stages/n⌋. */
  readonly times: Float64Array;
  readonly x: Float64Array;
  readonly velocity: Float64Array;
  readonly n: number;
}

/** What an engine gives at once or, where it works on another thread or device, later. */
export type Awaitable<T> = T | Promise<T>;

/** Of an engine that works with tables: how fine they are, and how far from exact that leaves its gradients. */
export interface EngineTables {
  /** Knots per narrowest width. */
  readonly resolution: number;
  refineTo(resolution: number): void;
  /**
   * The largest deviation of an NLL gradient from that on tables four times finer, over the entries of all `groups`, each
   * relative to its group's largest entry.
   */
  gradientError(x: Positions, n: number, steps: number, groups: readonly string[]): number;
}

/**
 * Losses and gradients of one flow: all that the trainer asks of the hardware. Losses are means over the batch, NLLs and
 * KLs normalised in nats; `steps` is the number of Runge–Kutta 4 steps over [0, 1], which varies from call to call.
 *
 * All methods throw, or reject with, a `NumericalError` naming `log q of sample s`, `reverse KL of sample s` or
 * `flow-matching loss of sample s` (s from 0 within the batch) for the first one that is not finite. The caller waits for
 * one call before it makes the next.
 */
export interface TrainingEngine {
  readonly name: EngineName;
  readonly tables?: EngineTables;
  /** Takes new parameters of the flow's shapes, which the engine may not keep: they change in place. */
  update(parameters: ParameterSet): Awaitable<void>;
  /** Mean negative log-likelihood of configurations `x` [n, N, D], whose centroids are removed first. */
  nll(x: Positions, n: number, steps: number): Awaitable<number>;
  /** The loss NLL + `kineticWeight`·⟨∫|v|² dt⟩ and its gradient. */
  nllGradient(x: Positions, n: number, steps: number, kineticWeight: number): Awaitable<LossAndGradient>;
  /** Reverse KL up to log Z: the mean of U(x)/kT + log q(x) over the flow's own samples. */
  reverseKl(batch: PriorBatch, steps: number, energyCap: number): Awaitable<number>;
  reverseKlGradient(batch: PriorBatch, steps: number, options: ReverseKlOptions): Awaitable<LossAndGradient>;
  /** Mean over the batch of |v(t, x) − velocity|² summed over coordinates, and its gradient. */
  velocityGradient(batch: VelocityBatch): Awaitable<LossAndGradient>;
  /** Gives back what the engine holds outside the garbage collector's reach. */
  dispose(): Awaitable<void>;
}

/** An engine: ours, TensorFlow with and without a GPU, and what TensorFlow.js has without TensorFlow. */
export type EngineName = 'kernels' | 'tensorflow-gpu' | 'tensorflow' | 'wasm' | 'cpu';
/** Engines by the name that `--engine` takes. */
export const ENGINE_NAMES: readonly EngineName[] = ['kernels', 'tensorflow-gpu', 'tensorflow', 'wasm', 'cpu'];
/** An engine by name, or the best that this machine has. */
export type EngineChoice = 'auto' | EngineName;

/** What an engine is made for. */
export interface EngineSettings {
  readonly flow: ContinuousFlow;
  /** The system to be sampled; needed for the reverse KL only. */
  readonly target?: System;
  /** Lane type of the kernels; the other engines have f32 only. */
  readonly precision: Precision;
  /** Memory of a team whose helpers are at work on other threads, for the kernels. Results do not depend on it. */
  readonly team?: TeamMemory;
}

/** Whether an engine can be had on this machine, and in words that a user reads: what was found, or what is missing. */
export interface EngineFinding {
  readonly available: boolean;
  readonly reason: string;
}

/** What a run asks of its engine. */
export interface EngineDemand {
  /** What a training step works on, by `stepWork`. Absent, it is enough for every engine. */
  readonly work?: number;
  readonly precision?: Precision;
}

/** One kind of engine, as the registry knows it. */
export interface EngineProvider {
  readonly name: EngineName;
  /** Work of a step, by `stepWork`, below which `auto` passes over it; 0 by default. */
  readonly worthwhileWork?: number;
  /** Whether it has no f64. */
  readonly f32Only?: true;
  /** Looks whether the engine can be had. Never throws. */
  find(): Awaitable<EngineFinding>;
  /** @throws UnavailableError where it turns out that it cannot. */
  create(settings: EngineSettings): Awaitable<TrainingEngine>;
}
