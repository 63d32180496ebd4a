import type { ParameterSet, PrepareOptions } from '../../fields/index.js';
import type { Positions } from '../../flows/index.js';
import type { Precision } from '../../kernels/index.js';

/** Knots per narrowest width while training: the loss is within 1e-6 of finer tables, and tables cost half of a DW4 step. */
export const TRAINING_RESOLUTION = 24;

export interface KernelEngineOptions extends Omit<PrepareOptions, 'reverse'> {
  readonly precision?: Precision;
}

/** Mean loss per sample (nats; that of flow matching is a squared velocity) and its gradient. */
export interface LossAndGradient {
  readonly loss: number;
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
