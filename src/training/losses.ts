import { NumericalError } from '../errors.js';
import type { ParameterSet } from '../fields/index.js';
import type { Configurations } from '../formats/index.js';
import type { KernelEngine, LossAndGradient } from './engines/kernels.js';
import { klShareAt, type TrainingOptions } from './options.js';

/** Prior samples on which the reverse KL is validated; far beyond any index that training draws. */
const VALIDATION_FIRST = 2 ** 50;

/** A batch and which configurations of the data it is made of. */
export interface Batch {
  readonly x: Float64Array;
  readonly indices: Uint32Array;
}

/**
 * Loss (1 − κ)·NLL + κ·reverse KL of one training step at the given parameters, and its gradient.
 * @throws NumericalError naming the step, and the configuration or sample that is to blame.
 */
export function lossOfStep(
  engine: KernelEngine,
  parameters: ParameterSet,
  batch: Batch,
  step: number,
  options: TrainingOptions,
): LossAndGradient {
  const share = klShareAt(step, options);
  const n = batch.indices.length;
  return located(`at step ${step}`, batch.indices, () => {
    engine.update(parameters);
    const likelihood = share < 1 ? engine.nllGradient(batch.x, n) : undefined;
    const divergence =
      share > 0
        ? engine.reverseKlGradient(
            { seed: options.seed, first: step * n, n },
            { estimator: options.klEstimator, energyCap: options.energyCap },
          )
        : undefined;
    if (likelihood === undefined) return divergence!;
    if (divergence === undefined) return likelihood;
    return {
      loss: (1 - share) * likelihood.loss + share * divergence.loss,
      gradient: combine(likelihood.gradient, 1 - share, divergence.gradient, share),
    };
  });
}

/** Says where a number stopped being finite: the step, and the configuration of the data behind a sample of a batch. */
export function located<T>(where: string, indices: Uint32Array | undefined, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    const position = /log q of sample (\d+)/.exec(error.message)?.[1];
    const configuration = position && indices ? ` (training configuration ${indices[Number(position)]})` : '';
    throw new NumericalError(`training: ${error.message}${configuration} ${where}`, { cause: error });
  }
}

/** What the parameters are judged by: the loss with the final share κ, on held-out configurations and fixed prior samples. */
export interface ValidationLoss {
  readonly nll: number;
  readonly kl?: number;
  readonly loss: number;
}

export function validationLoss(
  engine: KernelEngine,
  parameters: ParameterSet,
  { x, n }: Configurations,
  options: TrainingOptions,
): ValidationLoss {
  engine.update(parameters);
  const nll = engine.nll(x, n);
  const [, share] = options.klShare;
  if (share === 0) return { nll, loss: nll };
  const kl = engine.reverseKl({ seed: options.seed, first: VALIDATION_FIRST, n: Math.max(n, 1024) }, options.energyCap);
  return { nll, kl, loss: (1 - share) * nll + share * kl };
}

function combine(a: ParameterSet, weightOfA: number, b: ParameterSet, weightOfB: number): ParameterSet {
  return Object.fromEntries(
    Object.entries(a).map(([name, values]) => [
      name,
      values.map((value, i) => weightOfA * value + weightOfB * b[name][i]),
    ]),
  );
}
