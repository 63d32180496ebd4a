import { NumericalError } from '../errors.js';
import type { ParameterSet } from '../fields/index.js';
import type { ContinuousFlow } from '../flows/index.js';
import type { Configurations } from '../formats/index.js';
import type { Batch } from './data.js';
import type { Awaitable, LossAndGradient, TrainingEngine } from './engines/engine.js';
import { matchingBatches } from './flow-matching.js';
import { klShareAt, type TrainingOptions } from './options.js';

/** Prior samples on which the reverse KL is validated; far beyond any index that training draws. */
const VALIDATION_FIRST = 2 ** 50;

/** The loss of training step `step` at the given parameters, and its gradient. All that the trainer knows of losses. */
export type StepLoss = (parameters: ParameterSet, batch: Batch, step: number) => Promise<StepOutcome>;

export interface StepOutcome extends LossAndGradient {
  /** What the loss is made of, before their shares: `nll` (with the kinetic term) or `matching`, `kl`. */
  readonly terms: Readonly<Record<string, number>>;
}

/**
 * Loss (1 − κ)·L + κ·reverse KL, L the NLL or the loss of flow matching.
 *
 * @param stepsOf how many integrator steps a training step takes
 * @throws NumericalError (from the function returned) naming the step, and the configuration or sample that is to blame.
 */
export function stepLoss(
  flow: ContinuousFlow,
  engine: TrainingEngine,
  stepsOf: (step: number) => number,
  options: TrainingOptions,
  species: readonly number[],
): StepLoss {
  const matching = options.loss === 'flow-matching' ? matchingBatches(flow, species, options) : undefined;
  const dataLoss = (batch: Batch, step: number): Awaitable<LossAndGradient> =>
    matching === undefined
      ? engine.nllGradient(batch.x, batch.indices.length, stepsOf(step), options.kineticWeight)
      : engine.velocityGradient(matching(batch, step));
  const reverseKl = ({ indices: { length: n } }: Batch, step: number): Awaitable<LossAndGradient> => {
    const { seed, klEstimator: estimator, energyCap } = options;
    return engine.reverseKlGradient({ seed, first: step * n, n }, stepsOf(step), { estimator, energyCap });
  };
  return (parameters, batch, step) =>
    located(`at step ${step}`, batch.indices, async () => {
      const share = klShareAt(step, options);
      await engine.update(parameters);
      const name = matching === undefined ? 'nll' : 'matching';
      if (share === 0) {
        const data = await dataLoss(batch, step);
        return { ...data, terms: { [name]: data.loss } };
      }
      if (share === 1) {
        const kl = await reverseKl(batch, step);
        return { ...kl, terms: { kl: kl.loss } };
      }
      const data = await dataLoss(batch, step);
      const kl = await reverseKl(batch, step);
      return {
        terms: { [name]: data.loss, kl: kl.loss },
        loss: (1 - share) * data.loss + share * kl.loss,
        gradient: combine(data.gradient, 1 - share, kl.gradient, share),
      };
    });
}

/** Says where a number stopped being finite: the step, and the configuration of the data behind a sample of a batch. */
export async function located<T>(
  where: string,
  indices: Uint32Array | undefined,
  body: () => Awaitable<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    const position = /(?:log q|flow-matching loss) of sample (\d+)/.exec(error.message)?.[1];
    const configuration = position && indices ? ` (training configuration ${indices[Number(position)]})` : '';
    throw new NumericalError(`training: ${error.message}${configuration} ${where}`, { cause: error });
  }
}

/** What parameters are judged by: the loss with the final share κ, on held-out configurations and fixed prior samples. */
export interface ValidationLoss {
  readonly nll: number;
  readonly kl?: number;
  readonly loss: number;
}

export async function validationLoss(
  engine: TrainingEngine,
  steps: number,
  { x, n }: Configurations,
  options: TrainingOptions,
): Promise<ValidationLoss> {
  const nll = await engine.nll(x, n, steps);
  const [, share] = options.klShare;
  if (share === 0) return { nll, loss: nll };
  const samples = { seed: options.seed, first: VALIDATION_FIRST, n: Math.max(n, 1024) };
  const kl = await engine.reverseKl(samples, steps, options.energyCap);
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
export async function trainingNll(
  engine: TrainingEngine,
  steps: number,
  { x, n }: Configurations,
  options: TrainingOptions,
): Promise<number> {
  if (options.onNonFinite === 'stop') return engine.nll(x, n, steps);
  const C = x.length / n;
  let [sum, counted] = [0, 0];
  let failure: unknown;
  for (let first = 0; first < n; first += options.batchSize) {
    const size = Math.min(options.batchSize, n - first);
    try {
      sum += size * (await engine.nll(x.subarray(first * C, (first + size) * C), size, steps));
      counted += size;
    } catch (error) {
      if (!(error instanceof NumericalError)) throw error;
      failure = error;
    }
  }
  if (counted === 0) throw failure;
  return sum / counted;
}
