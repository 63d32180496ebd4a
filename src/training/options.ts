import { UsageError } from '../errors.js';
import { MAX_SEED, type Precision } from '../kernels/index.js';
import type { CouplingKind } from './couplings/index.js';
import { ADAM, type AdamOptions } from './optimizer.js';

/** How a training run goes; everything but `seed` has a default. */
export interface TrainingOptions {
  /** Determines the initial order of the data and the split; with the model's own seed, the whole run. */
  readonly seed: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** `cosine` falls to a hundredth of the learning rate at the last step; both warm up linearly over `warmUpSteps`. */
  readonly schedule: 'constant' | 'cosine';
  readonly warmUpSteps: number;
  readonly adam: AdamOptions;
  /** Gradients longer than this are scaled down to it. */
  readonly clipNorm: number;
  /** Steps between evaluations of the validation NLL. */
  readonly validationInterval: number;
  /** Validations without improvement before training stops. */
  readonly patience: number;
  /** Integrator steps of a training step vary by this fraction, so that no error at one count can be learned; 0 turns it off. */
  readonly stepJitter: number;
  /** Largest difference in nats that the validation NLL may show between the flow's steps and twice as many. */
  readonly integratorTolerance: number;
  /**
   * `likelihood` is the NLL of the data. `flow-matching` regresses the velocity on x₁ − x₀ along straight lines from prior
   * samples to configurations, without integrating: cheaper steps, another objective. Both are validated by the NLL.
   */
  readonly loss: 'likelihood' | 'flow-matching';
  /** How flow matching pairs prior samples with configurations. */
  readonly coupling: CouplingKind;
  /** Pairs that a coupling assigns among each other, at a cost that grows with its square; at most 512. */
  readonly couplingGroup: number;
  /** Times per step at which flow matching compares velocities, spread evenly and jittered; the batch is shared out among them. */
  readonly matchingTimes: number;
  /** λ of a kinetic term λ⟨∫|v|² dt⟩ beside the NLL. */
  readonly kineticWeight: number;
  /** Decay of an exponential moving average of the parameters, which is then what is validated and kept; 0 is none. */
  readonly emaDecay: number;
  /** What to do with a step whose loss or gradient is not finite: end the run, or leave the step out and count it. */
  readonly onNonFinite: 'stop' | 'skip';
  /**
   * The loss is (1 − κ)·NLL + κ·reverse KL, with κ going linearly from the first of these to the second over the run;
   * with `flow-matching` that loss stands in for the NLL. [0, 0] is no reverse KL; Noé et al. (2019) go on from maximum likelihood
   * with a growing share of it.
   */
  readonly klShare: readonly [number, number];
  /** See `ReverseKlOptions`. */
  readonly klEstimator: 'total' | 'path';
  /** Energies above this enter the reverse KL as cap + log(1 + U − cap). */
  readonly energyCap: number;
  /** Lane type of losses and gradients. */
  readonly precision: Precision;
  /** Groups of parameters to train; all but the field's frozen ones by default. */
  readonly groups?: readonly string[];
}

/** Options of `train` where nothing else is given. The command line has recipes by system beside them. */
export const TRAINING_DEFAULTS: Omit<TrainingOptions, 'seed'> = {
  steps: 3000,
  batchSize: 256,
  learningRate: 5e-3,
  schedule: 'cosine',
  warmUpSteps: 50,
  adam: ADAM,
  clipNorm: 10,
  validationInterval: 100,
  patience: 10,
  stepJitter: 0.25,
  integratorTolerance: 0.02,
  loss: 'likelihood',
  coupling: 'independent',
  couplingGroup: 16,
  matchingTimes: 32,
  kineticWeight: 0,
  emaDecay: 0,
  onNonFinite: 'stop',
  klShare: [0, 0],
  klEstimator: 'path',
  energyCap: 1e3,
  precision: 'f32',
};

/** @throws UsageError naming the option, its value and what was expected. */
export function checkTrainingOptions(options: TrainingOptions): void {
  const integer = (name: keyof TrainingOptions, low: number, high: number) => {
    const value = options[name] as number;
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new UsageError(`training: ${name} is ${value}, expected an integer from ${low} to ${high}`);
    }
  };
  const positive = (name: string, value: number) => {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new UsageError(`training: ${name} is ${value}, expected a positive number`);
    }
  };
  const oneOf = (name: keyof TrainingOptions, allowed: readonly string[]) => {
    if (!allowed.includes(options[name] as string)) {
      throw new UsageError(`training: ${name} is ${options[name]}, expected ${allowed.join(' or ')}`);
    }
  };
  oneOf('schedule', ['constant', 'cosine']);
  oneOf('precision', ['f32', 'f64']);
  oneOf('klEstimator', ['total', 'path']);
  oneOf('loss', ['likelihood', 'flow-matching']);
  oneOf('coupling', ['independent', 'minibatch-ot', 'equivariant-ot']);
  oneOf('onNonFinite', ['stop', 'skip']);
  integer('couplingGroup', 1, 512);
  integer('matchingTimes', 1, 4096);
  integer('seed', 0, MAX_SEED);
  integer('steps', 0, 1e9);
  integer('batchSize', 1, 1e7);
  integer('warmUpSteps', 0, 1e9);
  integer('validationInterval', 1, 1e9);
  integer('patience', 1, 1e9);
  positive('learningRate', options.learningRate);
  positive('clipNorm', options.clipNorm);
  positive('integratorTolerance', options.integratorTolerance);
  for (const share of options.klShare) {
    if (!(share >= 0 && share <= 1)) throw new UsageError(`training: klShare is ${share}, expected 0 to 1`);
  }
  if (!Number.isFinite(options.energyCap)) {
    throw new UsageError(`training: energyCap is ${options.energyCap}, expected a finite energy`);
  }
  if (!(options.emaDecay >= 0 && options.emaDecay < 1)) {
    throw new UsageError(`training: emaDecay is ${options.emaDecay}, expected at least 0 and below 1`);
  }
  if (!(options.kineticWeight >= 0 && Number.isFinite(options.kineticWeight))) {
    throw new UsageError(`training: kineticWeight is ${options.kineticWeight}, expected 0 or a positive number`);
  }
  // Options that would do nothing.
  if (options.loss === 'flow-matching' && options.kineticWeight > 0) {
    throw new UsageError(`training: kineticWeight is ${options.kineticWeight}, expected 0 with the loss flow-matching`);
  }
  if (options.loss === 'likelihood' && options.coupling !== 'independent') {
    throw new UsageError(`training: coupling is ${options.coupling}, which needs the loss flow-matching`);
  }
  if (!(options.stepJitter >= 0 && options.stepJitter < 1)) {
    throw new UsageError(`training: stepJitter is ${options.stepJitter}, expected at least 0 and below 1`);
  }
  if (options.adam.weightDecay < 0) {
    throw new UsageError(`training: weightDecay is ${options.adam.weightDecay}, expected 0 or a positive number`);
  }
}

/** Share κ of the reverse KL in the loss of step `step` (from 0). */
export function klShareAt(step: number, { klShare: [first, last], steps }: TrainingOptions): number {
  return first + ((last - first) * Math.min(step, steps)) / Math.max(1, steps);
}

/** Learning rate of step `step` (from 0). */
export function learningRateAt(step: number, { learningRate, schedule, steps, warmUpSteps }: TrainingOptions): number {
  const warm = warmUpSteps > 0 ? Math.min(1, (step + 1) / warmUpSteps) : 1;
  if (schedule === 'constant') return learningRate * warm;
  return learningRate * warm * (0.01 + 0.99 * 0.5 * (1 + Math.cos((Math.PI * step) / Math.max(1, steps))));
}
