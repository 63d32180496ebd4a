import { mean, standardErrorOfMean } from '../analysis/index.js';
import type { BoltzmannGenerator } from '../flows/index.js';
import { importanceWeights } from '../reweighting/index.js';
import { logProb, type SampleSet, sample } from '../sampling/index.js';
import type { Configurations } from '../training/index.js';
import { type Conditions, seconds } from './conditions.js';
import type { EnsembleJudge } from './judge.js';
import type { GeneratorRun, Uncertain } from './record.js';
import type { Training } from './trainings.js';

/** Samples a trained generator, reweights and minimises the samples, and finds its NLLs. */
export async function judgeTraining(
  conditions: Conditions,
  { material, seed, label, generator, state, reason, seconds: training }: Training,
  test: Configurations,
  judge: EnsembleJudge,
): Promise<{ run: GeneratorRun; samples: SampleSet }> {
  const { settings, pool, interruption } = conditions;
  const started = seconds();
  const samples = await sample(generator, { n: settings.samples, seed, ...interruption }, pool);
  const sampled = seconds();
  const { view } = await judge.analyse(samples);
  const minimized = seconds();
  const { n, ess, khat, logZ, largestShare, status } = importanceWeights(samples.logWeight);
  const run: GeneratorRun = {
    trainingSet: material.id,
    label,
    seed,
    parameters: Object.values(generator.flow.field.parameters).reduce((sum, data) => sum + data.length, 0),
    steps: state.step,
    stopped: reason,
    trainingNll: await meanNll(conditions, generator, material.data),
    testNll: await meanNll(conditions, generator, test),
    learningCurve: state.curve.map(({ step, trainingNll, validationNll }) => ({ step, trainingNll, validationNll })),
    weights: {
      n,
      ess,
      khat,
      logZ: { value: logZ.value, standardError: logZ.standardError },
      largestShare,
      status: status.text,
    },
    // Distances are shown for the generators that the figures show.
    view: seed === settings.seed ? { ...view, distances: judge.distances(samples) } : view,
    seconds: { training, sampling: sampled - started, minimization: minimized - sampled },
  };
  return { run, samples };
}

/** Mean of −log q by the inverse flow, with its standard error. */
async function meanNll(
  { pool, interruption }: Conditions,
  generator: BoltzmannGenerator,
  { x, n }: Configurations,
): Promise<Uncertain> {
  const values = (await logProb(generator, x, n, pool, interruption)).map((logQ) => -logQ);
  return { value: mean(values), standardError: standardErrorOfMean(values) };
}
