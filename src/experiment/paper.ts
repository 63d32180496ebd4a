import { setMaxListeners } from 'node:events';
import { UsageError } from '../errors.js';
import type { BoltzmannGenerator } from '../flows/index.js';
import type { Progress } from '../progress.js';
import type { Simulation } from '../samplers/index.js';
import { type SampleSet, sample } from '../sampling/index.js';
import { EnergyEvaluator, type System, systemFromSpec } from '../systems/index.js';
import { VERSION } from '../version.js';
import type { WorkerPool } from '../workers/index.js';
import { testClaim } from './claim.js';
import { type Conditions, seconds } from './conditions.js';
import { type ExperimentData, makeData, showTrainingSets, worth } from './data.js';
import { particleRows } from './ensemble.js';
import { controlGenerator } from './generators.js';
import { type EnsembleJudge, ensembleJudge } from './judge.js';
import type { EnsembleView, ExperimentRecord, GeneratorRun, TrainingSet } from './record.js';
import { judgeTraining } from './run.js';
import { EXPERIMENT_SETTINGS, type ExperimentSettings } from './settings.js';
import { trainAll } from './trainings.js';

/** The record with what stands behind it: the trained generators, the samples that are shown and the data. */
export interface Experiment {
  readonly record: ExperimentRecord;
  readonly generators: ReadonlyMap<string, BoltzmannGenerator>;
  readonly samples: ReadonlyMap<string, SampleSet>;
  readonly data: ReadonlyMap<TrainingSet['id'] | 'test', Simulation>;
}

/** Settings that differ from those of `equiflow paper`, and who hears of progress. */
export interface ExperimentOptions {
  readonly settings?: Partial<ExperimentSettings>;
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * The experiment of Köhler, Klein and Noé (2019) on DW4: an equivariant and a non-equivariant Boltzmann generator, trained
 * alike on one short trajectory that knows few of the five minima, then on equilibrium data; sampled, reweighted,
 * minimised, and compared with the known equilibrium.
 */
export async function runPaperExperiment(pool: WorkerPool, options: ExperimentOptions = {}): Promise<Experiment> {
  const started = seconds();
  const settings = { ...EXPERIMENT_SETTINGS, ...options.settings };
  const { onProgress, signal } = options;
  const seeds = Array.from({ length: settings.claimSeeds }, (_, i) => settings.seed + i);
  if (seeds.length < 1) throw new UsageError(`paper: claimSeeds is ${settings.claimSeeds}, expected at least 1`);
  // A dozen trainings listen at once, which Node.js would take for a leak.
  if (signal) setMaxListeners(0, signal);
  const system = systemFromSpec('dw4');
  const conditions: Conditions = {
    system,
    settings,
    pool,
    ...(onProgress ? { onProgress } : {}),
    interruption: signal ? { signal } : {},
  };

  const data = await makeData(conditions);
  const { test } = data;
  const judge = ensembleJudge(conditions, { ...test, independentSamples: worth(test) * test.n });
  const { trainingSets, absentMinima } = await showTrainingSets(conditions, data, judge);
  const { view: equilibrium } = await judge.analyse(test);

  const trainings = await trainAll(conditions, data, seeds);
  const generators = new Map<string, BoltzmannGenerator>();
  const samples = new Map<string, SampleSet>();
  const runs: GeneratorRun[] = [];
  for (const training of trainings) {
    const { label, material, seed, generator } = training;
    const name = `${label}-${material.id}-${seed}`;
    onProgress?.({ stage: 'sampling and minimising', done: runs.length, total: trainings.length, detail: label });
    const judged = await judgeTraining(conditions, training, test, judge);
    generators.set(name, generator);
    if (seed === seeds[0]) samples.set(name, judged.samples);
    runs.push(judged.run);
  }

  const claim = testClaim(
    absentMinima,
    runs.filter((run) => run.trainingSet === 'biased'),
  );
  const record: ExperimentRecord = {
    version: 1,
    system: summary(system),
    notes: NOTES,
    energyCutoff: settings.energyCutoff,
    minima: knownMinima(system),
    pairPotential: pairPotential(),
    equilibrium,
    trainingSets,
    control: await controlView(conditions, judge),
    runs: runs.sort((a, b) => Number(a.seed !== seeds[0]) - Number(b.seed !== seeds[0])),
    claim,
    settings: flatSettings(settings),
    versions: { equiflow: VERSION, node: process.versions.node },
    seconds: seconds() - started,
  };
  return { record, generators, samples, data: new Map(Object.entries(data) as [keyof ExperimentData, Simulation][]) };
}

/** The prior without any training. */
async function controlView(conditions: Conditions, judge: EnsembleJudge): Promise<EnsembleView> {
  const { system, settings, pool, onProgress, interruption } = conditions;
  const control = await sample(
    controlGenerator(system, settings),
    { n: settings.controlSamples, seed: settings.seed, ...(onProgress ? { onProgress } : {}), ...interruption },
    pool,
  );
  const { view } = await judge.analyse(control, settings.controlSamples);
  return { ...view, distances: { ...judge.distances(control), reweighted: null } };
}

const NOTES: readonly string[] = [
  'The workshop paper’s own toy parameters and table could not be obtained: system (DW4 as in the later literature), training set, model sizes and training are choices of this project.',
  'nBG is a one-hidden-layer time-dependent field on the same mean-free subspace, with the same prior, integrator, losses and trainer as eqBG, so that the comparison isolates equivariance.',
  'The known log Z, 29.667232, is by quadrature (examples/dw4-quadrature.mjs). The value 29.6845 ± 0.0005 and the populations 48.3, 40.7, 6.2, 4.2 and 0.6 % that one finds elsewhere stem from sampling that was not quite equilibrated.',
  'Log-likelihoods are normalised on the mean-free subspace and stand beside the entropy of the target, the lowest value any normalised model can reach on equilibrium data.',
];

/** The system and what is known of it without any of this. */
function summary({ name, particles, dimensions, convention, known }: System): ExperimentRecord['system'] {
  return {
    name,
    particles,
    dimensions,
    convention,
    logZ: known.logZ!,
    meanEnergy: known.meanEnergy!,
    entropy: known.entropy!,
  };
}

function knownMinima({ particles, dimensions, known }: System): ExperimentRecord['minima'] {
  return known.minima!.map(({ energy, population, x }) => ({
    energy,
    equilibriumShare: population,
    x: particleRows(x, 0, particles, dimensions),
  }));
}

/** u(d): the energy of two particles at distance d. */
function pairPotential(): ExperimentRecord['pairPotential'] {
  const distance = Array.from({ length: 201 }, (_, i) => 1.2 + i * 0.028);
  const x = Float64Array.from(distance.flatMap((d) => [d / 2, 0, -d / 2, 0]));
  const energy = new EnergyEvaluator(systemFromSpec('dw2')).energy(x, distance.length);
  return { distance, energy: Array.from(energy) };
}

function flatSettings(settings: ExperimentSettings): Record<string, number | string> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      key,
      typeof value === 'object'
        ? Object.entries(value)
            .map(([k, v]) => `${k} ${v}`)
            .join(', ')
        : value,
    ]),
  );
}
