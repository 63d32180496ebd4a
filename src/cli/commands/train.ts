import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { InputError, InterruptedError, UsageError } from '../../errors.js';
import { initialDenseField } from '../../fields/index.js';
import {
  type BoltzmannGenerator,
  boltzmannGenerator,
  continuousFlow,
  encodeModel,
  integratedBy,
} from '../../flows/index.js';
import { checkWritable, readConfigurations, readInput, sha256, writeOutput } from '../../formats/index.js';
import { requireRungeKutta4, rk4 } from '../../integrators/index.js';
import { meanFreeNormal } from '../../priors/index.js';
import { type StepChoice, withFewestSteps } from '../../sampling/index.js';
import { describeSystem, loadSystem, type System } from '../../systems/index.js';
import {
  type CheckpointContext,
  decodeCheckpoint,
  initialFieldFor,
  splitConfigurations,
  TRAINING_DEFAULTS,
  type TrainingOptions,
  type TrainingState,
  train,
} from '../../training/index.js';
import { CheckpointWriter } from '../checkpoint-writer.js';
import { dataOrigin, mismatches } from '../data-origin.js';
import { loadModel } from '../model.js';
import { json, writeRunInfo } from '../outputs.js';
import { inSession } from '../session.js';
import { TrainingLog } from '../training-log.js';
import { addTrainingOptions, refuseIdleOptions, type TrainOptions, withRecipe } from '../training-options.js';

export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a generator on configurations: maximum likelihood, flow matching, reverse KL or a mixture')
    .argument('<system>', 'system, for example dw4');
  return addTrainingOptions(command).action(run);
}

async function initialGenerator(system: System, options: TrainOptions, kT: number): Promise<BoltzmannGenerator> {
  if (options.init !== undefined) {
    const { generator, training } = await loadModel(options.init);
    const [found, wanted] = [generator.target, system].map((target) => JSON.stringify(describeSystem(target)));
    if (found !== wanted) throw new UsageError(`${options.init}: a model of ${found}, expected ${wanted}`);
    return trainedWith(generator, training);
  }
  const { particles, dimensions } = system;
  const { seed, hidden } = options;
  const field =
    options.field === 'dense'
      ? initialDenseField(particles, dimensions, { seed, hidden })
      : initialFieldFor(system, seed, { times: options.timeKernels, timeWidth: options.timeWidth });
  const prior = meanFreeNormal(particles, dimensions, { scale: options.priorScale, kT });
  return boltzmannGenerator(system, continuousFlow(prior, field, rk4(options.integratorSteps)));
}

/** A model with as many integrator steps as its record says that it was trained with, which are more than it needs for sampling. */
function trainedWith(generator: BoltzmannGenerator, record: unknown): BoltzmannGenerator {
  const { integratorSteps } = (record ?? {}) as { integratorSteps?: unknown };
  return typeof integratorSteps === 'number' ? integratedBy(generator, rk4(integratorSteps)) : generator;
}

/** The options that differ from their defaults: a model's record names what was chosen. */
function unusual(options: Partial<TrainingOptions>): Partial<TrainingOptions> {
  const defaults: Readonly<Record<string, unknown>> = { ...TRAINING_DEFAULTS };
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => value !== defaults[name]));
}

async function run(spec: string, given: TrainOptions, command: Command): Promise<void> {
  refuseIdleOptions(given, command);
  const system = await loadSystem(spec);
  const options = withRecipe(given, system, command);
  const { out, seed } = options;
  await checkWritable(out);
  const configurations = await readConfigurations(options.data, system.particles, system.dimensions);
  const { data, validation } = splitConfigurations(configurations, options.validation, options.split, seed);
  const origin = await dataOrigin(options.data);
  const generator = await initialGenerator(system, options, options.kT ?? origin.kT ?? 1);
  const notes = mismatches(options.data, origin, system, generator.prior.kT);
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
      validationInterval: options.validationInterval,
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
  const checkpoints = new CheckpointWriter(checkpoint, context, () => log.written());
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
      const { state, reason, engine } = trained;
      const tolerance = options.logQTolerance;
      const { generator: kept, choice } =
        tolerance > 0
          ? await withFewestSteps(trained.generator, { seed, tolerance, onProgress: progress.update, signal }, pool)
          : { generator: trained.generator };
      progress.finish();
      const record = {
        ...training,
        engine,
        data: context.data,
        configurations: data.n,
        validationConfigurations: validation.n,
        bestStep: state.best.step,
        validationNll: state.best.validationNll,
        stepsDone: state.step,
        integratorSteps: requireRungeKutta4(generator.flow.integrator, 'training').steps,
        ...(choice ? { stepChoice: choice } : {}),
        ...(options.onNonFinite === 'skip' ? { stepsSkipped: state.skipped } : {}),
        ...(options.init === undefined ? {} : { initialModel: context.model }),
        reason,
        curve: state.curve,
      };
      await writeOutput(out, encodeModel(kept, record));
      await checkpoints.remove();
      await writeRunInfo(out, started, { workers: pool.workers });
      const { curve: _, ...summary } = record;
      const entropy = system.known.entropy;
      if (options.json) process.stdout.write(json({ out, ...summary, entropyFloor: entropy ?? null, notes }));
      else {
        const lines = [outcome(state, reason, record.integratorSteps, choice), ...notes];
        process.stdout.write(`${out}: ${lines.join('\n  ')}\n`);
      }
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
function outcome(
  { best, curve, skipped, step }: TrainingState,
  reason: string,
  integratorSteps: number,
  choice: StepChoice | undefined,
): string {
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
  if (choice !== undefined) {
    const { steps, error, tolerance } = choice;
    const found = `log q is right to ${error.toExponential(1)} nats in 99 % of samples`;
    const short = error <= tolerance ? '' : `, not to ${tolerance}: its field is too steep`;
    lines.push(`the model takes ${steps} integrator steps, ${integratorSteps} in training: ${found}${short}`);
  }
  return lines.join('\n  ');
}
