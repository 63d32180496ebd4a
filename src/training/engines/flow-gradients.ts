import { NumericalError } from '../../errors.js';
import type { ParameterSet, PreparedField } from '../../fields/index.js';
import type { ContinuousFlow, Positions } from '../../flows/index.js';
import { requireRungeKutta4, stageTimes } from '../../integrators/index.js';
import { Kernels } from '../../kernels/index.js';
import type { System } from '../../systems/index.js';
import {
  type FlowGradientsOptions,
  type LossAndGradient,
  type PriorBatch,
  type ReverseKlOptions,
  TRAINING_RESOLUTION,
} from './engine.js';
import { LikelihoodParts } from './likelihood-parts.js';
import { ReverseKl } from './reverse-kl.js';

/** Bytes of stage positions that a chunk keeps for its reverse pass: they should stay in L2. */
const TAPE_BYTES = 262144;

/**
 * Losses and gradients on the WASM kernels: discretise-then-optimise through Runge–Kutta 4. The reverse pass collects the
 * cotangents of the stages, and the field turns them into those of its parameters once a batch. Likelihoods are computed
 * in parts, on as many threads as the kernels have; see likelihood-parts.ts.
 */
export class FlowGradients {
  readonly #field: PreparedField;
  readonly #likelihood: LikelihoodParts;
  readonly #reverseKl: () => ReverseKl;

  /** `target` is needed for the reverse KL only. */
  constructor(
    readonly flow: ContinuousFlow,
    { precision = 'f64', ...options }: FlowGradientsOptions = {},
    target?: System,
    kernels = new Kernels(),
  ) {
    const { particles, dimensions } = flow.prior;
    const { lanes } = kernels.lane(precision);
    const integrator = requireRungeKutta4(flow.integrator, 'training');
    const blockTape = 4 * integrator.steps * particles * dimensions * 16;
    const capacity = 4 * Math.min(16, Math.max(1, Math.floor((TAPE_BYTES * lanes) / (4 * blockTape))));
    this.#field = flow.field.prepare(kernels, precision, stageTimes(integrator), {
      resolution: TRAINING_RESOLUTION,
      ...options,
      reverse: true,
    });
    this.#likelihood = new LikelihoodParts(kernels, flow, precision, this.#field, capacity);
    let reverseKl: ReverseKl | undefined;
    this.#reverseKl = () => {
      reverseKl ??= new ReverseKl(kernels, flow, precision, this.#field, capacity, target);
      return reverseKl;
    };
  }

  /** Takes new parameters of the same shapes; all stages are recomputed. */
  update(parameters: ParameterSet): void {
    this.#field.update(parameters);
  }

  /** Mean negative log-likelihood of configurations `x` [n, N, D], normalised, in nats. */
  nll(x: Positions, n: number): number {
    return this.#everywhere(() => this.#likelihood.value(x, n));
  }

  /**
   * The same and its gradient. With `kineticWeight` λ the loss is NLL + λ·⟨∫|v|² dt⟩ along the paths of the batch, which
   * draws the flow towards optimal transport (Finlay et al. 2020, arXiv 2002.02798).
   * @throws NumericalError naming the first sample whose log q is not finite.
   */
  nllGradient(x: Positions, n: number, kineticWeight = 0): LossAndGradient {
    const { loss, parts } = this.#everywhere(() => this.#likelihood.collect(x, n, kineticWeight));
    return { loss, gradient: this.#field.reverse!.gradient(parts) };
  }

  /** Reverse KL up to the constant log Z: the mean of U(x)/kT + log q(x) over the flow's own samples, in nats. */
  reverseKl(batch: PriorBatch, energyCap = Number.POSITIVE_INFINITY): number {
    return this.#everywhere(() => this.#reverseKl().value(batch, energyCap));
  }

  /**
   * The same and its gradient.
   * @throws NumericalError naming the first sample whose loss is not finite.
   */
  reverseKlGradient(batch: PriorBatch, options: ReverseKlOptions): LossAndGradient {
    // Scores are not looked at before they are used, so nothing may be missing for them.
    if (options.estimator === 'path') this.#field.widen?.();
    const loss = this.#everywhere(() => this.#reverseKl().collect(batch, options));
    return { loss, gradient: this.#field.reverse!.gradient(1) };
  }

  /** What is not finite because the field was not prepared that far is computed again on all of it. */
  #everywhere<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof NumericalError && this.#field.widen?.())) throw error;
      return body();
    }
  }
}
