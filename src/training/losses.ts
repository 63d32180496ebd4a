import { NumericalError } from '../errors.js';
import type { ParameterSet } from '../fields/index.js';
import type { ContinuousFlow } from '../flows/index.js';
import type { Configurations } from '../formats/index.js';
import type { Batch } from './data.js';
import type { LossAndGradient } from './engines/engine.js';
import type { KernelEngine } from './engines/kernels.js';
import { flowMatchingLoss } from './flow-matching.js';
import { klShareAt, type TrainingOptions } from './options.js';

/** Prior samples on which the reverse KL is validated; far beyond any index that training draws. */
const VALIDATION_FIRST = 2 ** 50;

/** The loss of training step `step` at the given parameters, and its gradient. All that the trainer knows of losses. */
export type StepLoss = (parameters: ParameterSet, batch: Batch, step: number) => LossAndGradient;

/**
 * Loss (1 − κ)·L + κ·reverse KL, L the NLL or the loss of flow matching.
 *
 * @param engineAt engine whose integrator has the steps that a training step takes
 * @throws NumericalError (from the function returned) naming the step, and the configuration or sample that is to blame.
 */
export function stepLoss(
  flow: ContinuousFlow,
  engineAt: (step: number) => KernelEngine,
  options: TrainingOptions,
  species: readonly number[],
): StepLoss {
  const matching = options.loss === 'flow-matching' ? flowMatchingLoss(flow, species, options) : undefined;
  const weighted = (parameters: ParameterSet, batch: Batch, step: number): [number, LossAndGradient][] => {
    const share = klShareAt(step, options);
    const n = batch.indices.length;
    const parts: [number, LossAndGradient][] = [];
    if (matching !== undefined && share < 1) parts.push([1 - share, matching(parameters, batch, step)]);
    if (matching !== undefined && share === 0) return parts;
    const engine = engineAt(step);
    engine.update(parameters);
    if (matching === undefined && share < 1) {
      parts.push([1 - share, engine.nllGradient(batch.x, n, options.kineticWeight)]);
    }
    if (share > 0) {
      const samples = { seed: options.seed, first: step * n, n };
      const { klEstimator, energyCap } = options;
      parts.push([share, engine.reverseKlGradient(samples, { estimator: klEstimator, energyCap })]);
    }
    return parts;
  };
  return (parameters, batch, step) =>
    located(`at step ${step}`, batch.indices, () => {
      const [first, second] = weighted(parameters, batch, step);
      if (second === undefined) return first[1];
      return {
        loss: first[0] * first[1].loss + second[0] * second[1].loss,
        gradient: combine(first[1].gradient, first[0], second[1].gradient, second[0]),
      };
    });
}

/** Says where a number stopped being finite: the step, and the configuration of the data behind a sample of a batch. */
export function located<T>(where: string, indices: Uint32Array | undefined, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    const position = /(?:log q|flow-matching loss) of sample (\d+)/.exec(error.message)?.[1];
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

/**
 * Mean NLL of training configurations. Where steps may be left out, so may their configurations: those of batches whose
 * NLL is not finite do not count.
 * @throws NumericalError where none is finite, or not all are and none may be left out.
 */
export function trainingNll(engine: KernelEngine, { x, n }: Configurations, options: TrainingOptions): number {
  if (options.onNonFinite === 'stop') return engine.nll(x, n);
  const C = x.length / n;
  let [sum, counted] = [0, 0];
  let failure: unknown;
  for (let first = 0; first < n; first += options.batchSize) {
    const size = Math.min(options.batchSize, n - first);
    try {
      sum += size * engine.nll(x.subarray(first * C, (first + size) * C), size);
      counted += size;
    } catch (error) {
      if (!(error instanceof NumericalError)) throw error;
      failure = error;
    }
  }
  if (counted === 0) throw failure;
  return sum / counted;
}
