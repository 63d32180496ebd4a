import { type ContinuousFlow, prepareFlow } from '../flows/index.js';
import type { Configurations } from '../formats/index.js';
import { requireRungeKutta4 } from '../integrators/index.js';
import { EnergyEvaluator, type System } from '../systems/index.js';
import type { TrainingEngine } from './engines/engine.js';
import { located, trainingNll, validationLoss } from './losses.js';
import type { TrainingOptions } from './options.js';
import { copyAdam, copyParameters, type MutableState } from './state.js';

/** As many configurations as a batch has: the deviations of single pairs average out. */
const CHECKED = 256;
/** Gradients are promised to 1e-3; tables are refined before that, each time by half. */
const GRADIENT_TOLERANCE = 7e-4;
const REFINEMENT = 1.5;
/** Beyond this the lanes' own rounding decides. */
const FINEST = 64;
/** Samples of the flow from which an ESS is estimated now and then, at every tenth validation. */
const ESS_SAMPLES = 2048;
const ESS_INTERVAL = 10;

interface Subject {
  readonly flow: ContinuousFlow;
  readonly engine: TrainingEngine;
  readonly data: Configurations;
  readonly validation: Configurations;
  readonly options: TrainingOptions;
  readonly groups: readonly string[];
  readonly target: System | undefined;
}

/** What is looked at now and then in the course of a run: held-out loss, errors of integrator and tables, ESS. */
export class Validator {
  readonly #steps: number;
  /** NLL of the validation data under the target's own density, where its log Z is known. */
  readonly #floor: number | undefined;

  constructor(private readonly subject: Subject) {
    this.#steps = requireRungeKutta4(subject.flow.integrator, 'training').steps;
    this.#floor = floorOn(subject);
  }

  /**
   * Adds a point to the curve and keeps the parameters if they are the best so far. Where the integrator's error is beyond
   * its tolerance the run goes back to the best ones with half the learning rate.
   */
  async validate(run: MutableState): Promise<void> {
    const { engine, options, validation } = this.subject;
    const { step, pending } = run;
    const parameters = run.average ?? run.parameters;
    await engine.update(parameters);
    const lossAt = (steps: number) =>
      located(`of the validation data at step ${step}`, undefined, () =>
        validationLoss(engine, steps, validation, options),
      );
    const { nll, kl, loss } = await lossAt(2 * this.#steps);
    const integratorError = loss - (await lossAt(this.#steps)).loss;
    const meanLoss = pending.count > 0 ? pending.sum / pending.count : undefined;
    const matching = options.loss === 'flow-matching';
    const resolved = Math.abs(integratorError) <= options.integratorTolerance;
    const rolledBack = !resolved && step > 0;
    run.curve.push({
      step,
      trainingNll: matching || meanLoss === undefined ? await this.#trainingNll(step) : meanLoss,
      ...(matching && meanLoss !== undefined ? { matchingLoss: meanLoss } : {}),
      validationNll: nll,
      ...(kl === undefined ? {} : { validationKl: kl }),
      integratorError,
      ...this.#tables(run),
      ...(this.#floor === undefined ? {} : { excess: nll - this.#floor }),
      ...(rolledBack || run.curve.length % ESS_INTERVAL !== 0 ? {} : this.#ess(parameters)),
      rolledBack,
    });
    run.pending = { sum: 0, count: 0 };
    if (rolledBack) {
      run.parameters = copyParameters(run.best.parameters);
      if (run.average) run.average = copyParameters(run.best.parameters);
      run.adam = copyAdam(run.best.adam);
      run.learningRateScale /= 2;
    } else if (loss < run.best.validationLoss) {
      run.best = {
        step,
        validationLoss: loss,
        validationNll: nll,
        parameters: copyParameters(parameters),
        adam: copyAdam(run.adam),
      };
    }
  }

  /** Mean NLL of training data; as many as there are for validation where they are not needed anyway. */
  #trainingNll(step: number): Promise<number> {
    const { engine, data, validation, options } = this.subject;
    const n = Math.min(data.n, validation.n);
    const some = { x: data.x.subarray(0, (n * data.x.length) / data.n), n };
    return located(`of the training data at step ${step}`, undefined, () =>
      trainingNll(engine, this.#steps, some, options),
    );
  }

  /** How far gradients are from those on finer tables; refines the tables where that is too far. */
  #tables(run: MutableState): { gradientError?: number; tableResolution?: number } {
    const { engine, validation, groups } = this.subject;
    const { tables } = engine;
    if (tables === undefined) return {};
    const n = Math.min(CHECKED, validation.n);
    const x = validation.x.subarray(0, (n * validation.x.length) / validation.n);
    const gradientError = tables.gradientError(x, n, this.#steps, groups);
    if (gradientError > GRADIENT_TOLERANCE && tables.resolution < FINEST) {
      tables.refineTo(Math.min(FINEST, REFINEMENT * tables.resolution));
      run.tableResolution = tables.resolution;
    }
    return { gradientError, tableResolution: tables.resolution };
  }

  #ess(parameters: MutableState['parameters']): { ess?: number; essSamples?: number } {
    const { flow, target, options } = this.subject;
    if (target === undefined) return {};
    const runner = prepareFlow({ ...flow, field: flow.field.withParameters(parameters) }, options.precision);
    const { x, logQ } = runner.sample(options.seed, ESS_FIRST, ESS_SAMPLES);
    const energy = new EnergyEvaluator(target).energy(Float64Array.from(x), ESS_SAMPLES);
    const logWeights = energy.map((u, s) => -u / flow.prior.kT - logQ[s]);
    const largest = logWeights.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let [sum, squares] = [0, 0];
    for (const logWeight of logWeights) {
      const w = Math.exp(logWeight - largest);
      sum += w;
      squares += w * w;
    }
    return { ess: sum ** 2 / squares / ESS_SAMPLES, essSamples: ESS_SAMPLES };
  }
}

/** Prior samples for the ESS, beyond any that a user draws. */
const ESS_FIRST = 2 ** 50;

function floorOn({ validation, target, flow }: Subject): number | undefined {
  const logZ = target?.known.logZ?.value;
  if (target === undefined || logZ === undefined || flow.prior.kT !== 1) return undefined;
  const energy = new EnergyEvaluator(target).energy(validation.x, validation.n);
  return energy.reduce((a, b) => a + b, 0) / validation.n + logZ;
}
