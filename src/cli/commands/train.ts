import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { InputError, InterruptedError, UsageError } from '../../errors.js';
import { initialDenseField } from '../../fields/index.js';
import { type BoltzmannGenerator, boltzmannGenerator, continuousFlow, encodeModel } from '../../flows/index.js';
import { checkWritable, readConfigurations, readInput, sha256, writeOutput } from '../../formats/index.js';
import { rk4 } from '../../integrators/index.js';
import { meanFreeNormal } from '../../priors/index.js';
import { describeSystem, loadSystem, type System } from '../../systems/index.js';
import {
  type CheckpointContext,
  decodeCheckpoint,
  ENGINE_NAMES,
  type EngineChoice,
  initialFieldFor,
  splitConfigurations,
  TRAINING_DEFAULTS,
  type TrainingOptions,
  type TrainingState,
  train,
} from '../../training/index.js';
import { CheckpointWriter } from '../checkpoint-writer.js';
import { loadModel } from '../model.js';
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
} from '../options.js';
import { json, writeRunInfo } from '../outputs.js';
import { inSession } from '../session.js';
import { TrainingLog } from '../training-log.js';

interface Options {
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
  priorScale: number;
  kT: number;
  precision: 'f32' | 'f64';
  engine: EngineChoice;
  resume?: boolean;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('train a generator on configurations: maximum likelihood, flow matching, reverse KL or a mixture')
    .argument('<system>', 'system, for example dw4')
    .addOption(new Option('--data <path>', '.npz or .npy with x [n, N, D]').makeOptionMandatory())
    .addOption(outOption('model file (safetensors)'))
    .addOption(
      new Option('--init <model>', 'go on from this model, with its field, prior and integrator').conflicts([
        ...['field', 'hidden', 'integratorSteps', 'priorScale', 'kT'],
      ]),
    )
    .addOption(new Option('--field <kind>', 'vector field').choices(['kernel', 'dense']).default('kernel'))
    .addOption(
      new Option('--hidden <units>', 'hidden units of the dense field').default(64).argParser(integer(1, 65536)),
    )
    .addOption(seedOption())
    .addOption(
      new Option('--steps <integer>', 'optimiser steps').default(TRAINING_DEFAULTS.steps).argParser(integer(0, 1e9)),
    )
    .addOption(
      new Option('--batch <integer>', 'configurations per step')
        .default(TRAINING_DEFAULTS.batchSize)
        .argParser(integer(1, 1e7)),
    )
    .addOption(
      new Option('--learning-rate <number>', 'peak learning rate')
        .default(TRAINING_DEFAULTS.learningRate)
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
        .default(TRAINING_DEFAULTS.kineticWeight)
        .argParser(nonNegative),
    )
    .addOption(
      new Option('--ema <decay>', 'keep an exponential moving average of the parameters, for example 0.999; 0 is none')
        .default(TRAINING_DEFAULTS.emaDecay)
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
      new Option('--integrator-steps <integer>', 'Runge–Kutta steps of the flow')
        .default(20)
        .argParser(integer(1, 10000)),
    )
    .addOption(new Option('--prior-scale <length>', 'standard deviation of the prior').default(1).argParser(positive))
    .addOption(new Option('--kT <temperature>', 'temperature of the data').default(1).argParser(positive))
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
    .addOption(jsonOption())
    .action(run);
}

async function initialGenerator(system: System, options: Options): Promise<BoltzmannGenerator> {
  if (options.init !== undefined) {
    const { generator } = await loadModel(options.init);
    const [found, wanted] = [generator.target, system].map((target) => JSON.stringify(describeSystem(target)));
    if (found !== wanted) throw new UsageError(`${options.init}: a model of ${found}, expected ${wanted}`);
    return generator;
  }
  const { particles, dimensions } = system;
  const { seed, hidden } = options;
  const field =
    options.field === 'dense'
      ? initialDenseField(particles, dimensions, { seed, hidden })
      : initialFieldFor(system, seed);
  const prior = meanFreeNormal(particles, dimensions, { scale: options.priorScale, kT: options.kT });
  return boltzmannGenerator(system, continuousFlow(prior, field, rk4(options.integratorSteps)));
}

/** The options that differ from their defaults: a model's record names what was chosen. */
function unusual(options: Partial<TrainingOptions>): Partial<TrainingOptions> {
  const defaults: Readonly<Record<string, unknown>> = { ...TRAINING_DEFAULTS };
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => value !== defaults[name]));
}

async function run(spec: string, options: Options): Promise<void> {
  const system = await loadSystem(spec);
  const { out, seed } = options;
  await checkWritable(out);
  const configurations = await readConfigurations(options.data, system.particles, system.dimensions);
  const { data, validation } = splitConfigurations(configurations, options.validation, options.split, seed);
  const generator = await initialGenerator(system, options);
  const training = {
    seed,
    steps: options.steps,
    batchSize: options.batch,
    learningRate: options.learningRate,
    patience: options.patience,
    klShare: options.klShare,
    klEstimator: options.klEstimator,
    energyCap: options.energyCap,
    precision: options.precision,
    adam: { ...TRAINING_DEFAULTS.adam, weightDecay: options.weightDecay },
    ...unusual({
      loss: options.loss,
      coupling: options.coupling,
      couplingGroup: options.couplingGroup,
      kineticWeight: options.kineticWeight,
      emaDecay: options.ema,
      onNonFinite: options.onNonFinite,
    }),
  };
  const checkpoint = `${out}.checkpoint`;
  const { x } = configurations;
  const context: CheckpointContext = {
    model: sha256(encodeModel(generator)),
    data: sha256(new Uint8Array(x.buffer, x.byteOffset, x.byteLength)),
    options: training,
  };
  let resume: TrainingState | undefined;
  if (options.resume) {
    if (!existsSync(checkpoint)) throw new InputError(`${checkpoint}: no checkpoint to resume from`);
    resume = decodeCheckpoint(await readInput(checkpoint), checkpoint, context);
  }

  const started = performance.now();
  const log = await TrainingLog.open(`${out}.training.jsonl`, resume);
  const checkpoints = new CheckpointWriter(checkpoint, context);
  await inSession(options, async ({ pool, progress, signal }) => {
    try {
      const trained = await train(generator, data, validation, training, pool, {
        onProgress: progress.update,
        onSteps: (steps) => log.steps(steps),
        onState: (state) => {
          log.validation(state);
          checkpoints.offer(state);
        },
        signal,
        engine: options.engine,
        ...(resume ? { resume } : {}),
      });
      progress.finish();
      const { state, reason, engine } = trained;
      const record = {
        ...training,
        engine,
        data: context.data,
        configurations: data.n,
        validationConfigurations: validation.n,
        bestStep: state.best.step,
        validationNll: state.best.validationNll,
        stepsDone: state.step,
        ...(options.onNonFinite === 'skip' ? { stepsSkipped: state.skipped } : {}),
        ...(options.init === undefined ? {} : { initialModel: context.model }),
        reason,
        curve: state.curve,
      };
      await writeOutput(out, encodeModel(trained.generator, record));
      await checkpoints.remove();
      await writeRunInfo(out, started, { workers: pool.workers });
      const { curve: _, ...summary } = record;
      const entropy = system.known.entropy;
      if (options.json) process.stdout.write(json({ out, ...summary, entropyFloor: entropy ?? null }));
      else process.stdout.write(`${out}: ${outcome(state, reason)}\n`);
    } catch (error) {
      if (!(error instanceof InterruptedError) || checkpoints.latest === undefined) throw error;
      await checkpoints.finish();
      throw new InterruptedError(
        `stopped after step ${checkpoints.latest.step}; run again with --resume (state in ${checkpoint})`,
      );
    } finally {
      await log.close();
    }
  });
}

/** Nats below its floor that an NLL may be by chance. */
const CHANCE = 0.05;

/** What came of a run, in a line or two for its user. */
function outcome({ best, curve, skipped, step }: TrainingState, reason: string): string {
  const lines = [
    `validation NLL ${best.validationNll.toFixed(4)} nats at step ${best.step}; ${reason} after ${step} steps` +
      `${skipped > 0 ? `, ${skipped} of them skipped` : ''}`,
  ];
  const { excess, integratorError = 0, tableResolution } = curve.find((point) => point.step === best.step) ?? {};
  const rolledBack = curve.filter((point) => point.rolledBack).length;
  if (excess !== undefined) {
    lines.push(`${excess.toFixed(4)} nats above what the target itself gives these configurations`);
    if (excess < -CHANCE) {
      lines.push('which no density does for equilibrium samples: these are none, or the integrator is at fault');
    }
  }
  lines.push(`twice the integrator steps change it by ${integratorError.toExponential(1)} nats`);
  if (rolledBack > 0) lines.push(`${rolledBack} times that was too much, and the run went back to its best state`);
  const first = curve[0]?.tableResolution;
  if (tableResolution !== undefined && tableResolution !== first) {
    lines.push(`tables were refined from ${first} to ${tableResolution} knots per width`);
  }
  return lines.join('\n  ');
}
