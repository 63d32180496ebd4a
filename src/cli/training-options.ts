import { type Command, Option } from 'commander';
import { UsageError } from '../errors.js';
import { LOG_Q_TOLERANCE } from '../sampling/step-choice.js';
import type { System } from '../systems/index.js';
import {
  ENGINE_NAMES,
  type EngineChoice,
  recipeFor,
  TRAINING_DEFAULTS,
  type TrainingOptions,
} from '../training/index.js';
import {
  decay,
  finite,
  fraction,
  integer,
  jsonOption,
  nonNegative,
  outOption,
  positive,
  quietOption,
  seedOption,
  shares,
  workersOption,
} from './options.js';

/** Of options whose default the system decides. */
const RECIPE = 'the system’s recipe';

/** The options of `train` as commander hands them over. */
export interface TrainOptions {
  data: string;
  out: string;
  init?: string;
  field: 'kernel' | 'dense';
  hidden: number;
  seed: number;
  steps: number;
  batch: number;
  learningRate: number;
  weightDecay: number;
  loss: TrainingOptions['loss'];
  coupling: TrainingOptions['coupling'];
  couplingGroup: number;
  kineticWeight: number;
  ema: number;
  onNonFinite: TrainingOptions['onNonFinite'];
  klShare: [number, number];
  klEstimator: 'total' | 'path';
  energyCap: number;
  patience: number;
  validation: number;
  split: 'tail' | 'random';
  integratorSteps: number;
  logQTolerance: number;
  priorScale: number;
  timeKernels: number;
  timeWidth: number;
  validationInterval: number;
  kT?: number;
  precision: 'f32' | 'f64';
  engine: EngineChoice;
  resume?: boolean;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

/** Everything that can be said about a training on the command line. */
export function addTrainingOptions(command: Command): Command {
  return command
    .addOption(new Option('--data <path>', '.npz or .npy with x [n, N, D]').makeOptionMandatory())
    .addOption(outOption('model file (safetensors)'))
    .addOption(
      new Option(
        '--init <model>',
        'go on from this model, with its field and prior and the steps it was trained with',
      ).conflicts([...['field', 'hidden', 'integratorSteps', 'priorScale', 'kT', 'timeKernels', 'timeWidth']]),
    )
    .addOption(new Option('--field <kind>', 'vector field').choices(['kernel', 'dense']).default('kernel'))
    .addOption(
      new Option('--hidden <units>', 'hidden units of the dense field').default(64).argParser(integer(1, 65536)),
    )
    .addOption(seedOption())
    .addOption(
      new Option('--steps <integer>', 'optimiser steps')
        .default(TRAINING_DEFAULTS.steps, RECIPE)
        .argParser(integer(0, 1e9)),
    )
    .addOption(
      new Option('--batch <integer>', 'configurations per step')
        .default(TRAINING_DEFAULTS.batchSize, RECIPE)
        .argParser(integer(1, 1e7)),
    )
    .addOption(
      new Option('--learning-rate <number>', 'peak learning rate')
        .default(TRAINING_DEFAULTS.learningRate, RECIPE)
        .argParser(positive),
    )
    .addOption(
      new Option('--weight-decay <number>', 'decoupled weight decay (AdamW); 0 is Adam')
        .default(0)
        .argParser(nonNegative),
    )
    .addOption(
      new Option('--loss <kind>', 'NLL of the data, or regression of the velocity on straight paths to them')
        .choices(['likelihood', 'flow-matching'])
        .default(TRAINING_DEFAULTS.loss),
    )
    .addOption(
      new Option('--coupling <kind>', 'how flow matching pairs prior samples and configurations')
        .choices(['independent', 'minibatch-ot', 'equivariant-ot'])
        .default(TRAINING_DEFAULTS.coupling),
    )
    .addOption(
      new Option('--coupling-group <integer>', 'pairs that optimal transport assigns among each other')
        .default(TRAINING_DEFAULTS.couplingGroup)
        .argParser(integer(1, 512)),
    )
    .addOption(
      new Option('--kinetic-weight <number>', 'weight of the kinetic energy of the paths beside the NLL')
        .default(TRAINING_DEFAULTS.kineticWeight, RECIPE)
        .argParser(nonNegative),
    )
    .addOption(
      new Option('--ema <decay>', 'keep an exponential moving average of the parameters, for example 0.999; 0 is none')
        .default(TRAINING_DEFAULTS.emaDecay, RECIPE)
        .argParser(decay),
    )
    .addOption(
      new Option('--on-non-finite <action>', 'a loss or gradient that is not finite ends the run or skips the step')
        .choices(['stop', 'skip'])
        .default(TRAINING_DEFAULTS.onNonFinite),
    )
    .addOption(
      new Option('--kl-share <from,to>', 'share of the reverse KL in the loss, from the first to the last step')
        .default(TRAINING_DEFAULTS.klShare, '0,0')
        .argParser(shares),
    )
    .addOption(
      new Option('--kl-estimator <kind>', 'gradient of the reverse KL').choices(['path', 'total']).default('path'),
    )
    .addOption(
      new Option('--energy-cap <energy>', 'energies above this enter the reverse KL as their logarithm')
        .default(TRAINING_DEFAULTS.energyCap)
        .argParser(finite),
    )
    .addOption(
      new Option('--patience <integer>', 'validations without improvement before stopping')
        .default(TRAINING_DEFAULTS.patience)
        .argParser(integer(1, 1e9)),
    )
    .addOption(new Option('--validation <fraction>', 'share of the data held out').default(0.1).argParser(fraction))
    .addOption(
      new Option('--split <kind>', 'hold out the last configurations (data along chains) or random ones')
        .choices(['tail', 'random'])
        .default('tail'),
    )
    .addOption(
      new Option('--integrator-steps <integer>', 'Runge–Kutta steps in training')
        .default(20, RECIPE)
        .argParser(integer(1, 10000)),
    )
    .addOption(
      new Option(
        '--log-q-tolerance <nats>',
        'the model gets the fewest steps whose log q is as near the exact one in 99 % of samples; 0 leaves it those of training',
      )
        .default(LOG_Q_TOLERANCE)
        .argParser(nonNegative),
    )
    .addOption(
      new Option('--prior-scale <length>', 'standard deviation of the prior').default(1, RECIPE).argParser(positive),
    )
    .addOption(
      new Option('--time-kernels <integer>', 'time kernels of the kernel field')
        .default(10, RECIPE)
        .argParser(integer(1, 1000)),
    )
    .addOption(
      new Option('--time-width <number>', 'width of the time kernels, the whole path being 1')
        .default(0.3, RECIPE)
        .argParser(positive),
    )
    .addOption(
      new Option('--validation-interval <integer>', 'steps between two validations')
        .default(TRAINING_DEFAULTS.validationInterval, RECIPE)
        .argParser(integer(1, 1e9)),
    )
    .addOption(new Option('--kT <temperature>', 'temperature (default: that of the data, or 1)').argParser(positive))
    .addOption(
      new Option('--precision <lanes>', 'lane type of losses and gradients').choices(['f32', 'f64']).default('f32'),
    )
    .addOption(
      new Option('--engine <name>', 'what computes losses and gradients; auto is the best that this machine has')
        .choices(['auto', ...ENGINE_NAMES])
        .default('auto'),
    )
    .addOption(new Option('--resume', 'go on from <out>.checkpoint, which an interrupted run leaves'))
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption());
}

/** Options that say nothing unless others ask for what they are about. */
const IDLE: Readonly<
  Record<string, { readonly flag: string; readonly needs: string; idle(options: TrainOptions): boolean }>
> = {
  hidden: { flag: '--hidden', needs: '--field dense', idle: ({ field }) => field !== 'dense' },
  timeKernels: { flag: '--time-kernels', needs: '--field kernel', idle: ({ field }) => field !== 'kernel' },
  timeWidth: { flag: '--time-width', needs: '--field kernel', idle: ({ field }) => field !== 'kernel' },
  couplingGroup: {
    flag: '--coupling-group',
    needs: '--coupling minibatch-ot or equivariant-ot',
    idle: ({ coupling }) => coupling === 'independent',
  },
  klEstimator: { flag: '--kl-estimator', needs: 'a --kl-share above 0', idle: withoutKl },
  energyCap: { flag: '--energy-cap', needs: 'a --kl-share above 0', idle: withoutKl },
};

function withoutKl({ klShare }: TrainOptions): boolean {
  return klShare.every((share) => share === 0);
}

/** @throws UsageError for an option that was given and would do nothing */
export function refuseIdleOptions(options: TrainOptions, command: Command): void {
  for (const [name, { flag, needs, idle }] of Object.entries(IDLE)) {
    if (command.getOptionValueSource(name) === 'cli' && idle(options)) {
      throw new UsageError(`train: ${flag} does nothing here, expected ${needs} with it`);
    }
  }
}

/**
 * What was asked for, and the system's recipe for what was not. The recipe is for likelihood training of a new kernel field;
 * anything else starts from training's own defaults.
 */
export function withRecipe(given: TrainOptions, system: System, command: Command): TrainOptions {
  if (given.field !== 'kernel' || given.init !== undefined || given.loss !== 'likelihood') return given;
  const { options, times, ...field } = recipeFor(system);
  const recipe: Partial<TrainOptions> = { ...field, timeKernels: times };
  if (options.steps !== undefined) recipe.steps = options.steps;
  if (options.batchSize !== undefined) recipe.batch = options.batchSize;
  if (options.learningRate !== undefined) recipe.learningRate = options.learningRate;
  if (options.emaDecay !== undefined) recipe.ema = options.emaDecay;
  if (options.kineticWeight !== undefined) recipe.kineticWeight = options.kineticWeight;
  if (options.validationInterval !== undefined) recipe.validationInterval = options.validationInterval;
  const open = Object.entries(recipe).filter(([name]) => command.getOptionValueSource(name) === 'default');
  return { ...given, ...Object.fromEntries(open) };
}
