import { setMaxListeners } from 'node:events';
import { mean, standardErrorOfMean } from '../analysis/index.js';
import { UsageError } from '../errors.js';
import type { BoltzmannGenerator } from '../flows/index.js';
import type { Progress } from '../progress.js';
import { importanceWeights } from '../reweighting/index.js';
import { type Simulation, simulate } from '../samplers/index.js';
import { logProb, type SampleSet, sample } from '../sampling/index.js';
import { EnergyEvaluator, systemFromSpec } from '../systems/index.js';
import { type Configurations, splitConfigurations, train } from '../training/index.js';
import { VERSION } from '../version.js';
import type { WorkerPool } from '../workers/index.js';
import { testClaim } from './claim.js';
import { distancesFrom } from './distances.js';
import { analyseEnsemble, type Ensemble } from './ensemble.js';
import { controlGenerator, initialGenerator } from './generators.js';
import type { ExperimentRecord, GeneratorRun, TrainingSet, Uncertain } from './record.js';
import { EXPERIMENT_SETTINGS, type ExperimentSettings } from './settings.js';

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

/** A training set with what its generators are trained and judged with. */
interface Material {
  readonly id: TrainingSet['id'];
  readonly data: Configurations;
  readonly validation: Configurations;
  readonly steps: number;
  readonly batchSize: number;
}

const SECONDS = () => performance.now() / 1000;

/**
 * The experiment of Köhler, Klein and Noé (2019) on DW4: an equivariant and a non-equivariant Boltzmann generator, trained
 * alike on one short trajectory that knows few of the five minima, then on equilibrium data; sampled, reweighted,
 * minimised, and compared with the known equilibrium.
 */
export async function runPaperExperiment(pool: WorkerPool, options: ExperimentOptions = {}): Promise<Experiment> {
  const settings = { ...EXPERIMENT_SETTINGS, ...options.settings };
  const { onProgress, signal } = options;
  const started = SECONDS();
  // A dozen trainings listen at once, which Node.js would take for a leak.
  if (signal) setMaxListeners(0, signal);
  const system = systemFromSpec('dw4');
  const hooks = { ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) };

  const seeds = Array.from({ length: settings.claimSeeds }, (_, i) => settings.seed + i);
  if (seeds.length < 1) throw new UsageError(`paper: claimSeeds is ${settings.claimSeeds}, expected at least 1`);
  const biased = await simulate(
    system,
    {
      n: settings.trajectorySteps,
      seed: settings.seed,
      chains: 1,
      warmUp: 0,
      stride: 1,
      sampler: 'metropolis',
      stepSize: settings.trajectoryStepSize,
      ...hooks,
    },
    pool,
  );
  const equilibriumRun = (seed: number) =>
    simulate(
      system,
      { n: settings.equilibriumSamples, seed, sampler: 'metropolis', chains: 256, stride: 500, ...hooks },
      pool,
    );
  const equilibrium = await equilibriumRun(settings.seed);
  const test = await equilibriumRun(settings.seed + 1);

  const analysis = { cutoff: settings.energyCutoff, limit: settings.minimized, pool, ...(signal ? { signal } : {}) };
  const [biasedSeen, equilibriumSeen, truthSeen] = [
    await analyseEnsemble(system, biased, analysis),
    await analyseEnsemble(system, equilibrium, analysis),
    await analyseEnsemble(system, test, analysis),
  ];
  const worth = ({ meanEnergy, n }: Simulation) => Math.min(1, 1 / (meanEnergy.diagnostics.tau || n));
  const reference = { ...test, independentSamples: worth(test) * test.n };
  const farFrom = (ensemble: Ensemble, independentFraction = 1) =>
    distancesFrom(system, reference, ensemble, settings.minimized, independentFraction);
  const trainingSets: TrainingSet[] = [
    {
      id: 'biased',
      title: 'One short trajectory',
      description:
        `${settings.trajectorySteps} successive steps of a single Metropolis trajectory with fixed labels from the ` +
        `lowest minimum, all-particle normal moves of ${settings.trajectoryStepSize}; every step is a training configuration.`,
      view: { ...biasedSeen.view, distances: farFrom(biased, worth(biased)) },
      meanEnergy: biased.meanEnergy,
      acceptance: biased.acceptance,
    },
    {
      id: 'equilibrium',
      title: 'Equilibrium data',
      description:
        `${equilibrium.n} configurations of ${equilibrium.chains} Metropolis chains, ${equilibrium.settings.warmUp} steps of ` +
        `warm-up and ${equilibrium.settings.stride} steps between configurations.`,
      view: { ...equilibriumSeen.view, distances: farFrom(equilibrium, worth(equilibrium)) },
      meanEnergy: equilibrium.meanEnergy,
      acceptance: equilibrium.acceptance,
    },
  ];

  const materials: Material[] = [biased, equilibrium].map((simulation, i) => {
    const { id } = trainingSets[i];
    const split = splitConfigurations(simulation, 0.1, 'random', settings.seed);
    return { id, ...split, steps: settings.trainingSteps[id], batchSize: settings.batchSize[id] };
  });
  const plan = [
    ...seeds.map((seed) => ({ material: materials[0], seed })),
    { material: materials[1], seed: seeds[0] },
  ].flatMap(({ material, seed }) => [
    { material, seed, label: 'nBG' as const },
    { material, seed, label: 'eqBG' as const },
  ]);

  const progress = planProgress(
    plan.map((item) => item.material.steps),
    onProgress,
  );
  const trainings = await Promise.all(
    plan.map(async ({ material, seed, label }, index) => {
      let from = SECONDS();
      const options = { seed, steps: material.steps, batchSize: material.batchSize, ...TRAINING };
      const trained = await train(
        initialGenerator(system, label, seed, settings),
        material.data,
        material.validation,
        options,
        pool,
        {
          // The runs themselves keep all workers busy.
          helpers: 0,
          onProgress: ({ done, detail }) => {
            // Time spent waiting for a worker is not training.
            if (done <= 1) from = SECONDS();
            progress(index, done, `${label} ${detail ?? ''}`);
          },
          ...(signal ? { signal } : {}),
        },
      );
      progress(index, material.steps);
      return { material, seed, label, ...trained, seconds: SECONDS() - from };
    }),
  );

  const generators = new Map<string, BoltzmannGenerator>();
  const samples = new Map<string, SampleSet>();
  const runs: GeneratorRun[] = [];
  for (const { material, seed, label, generator, state, reason, seconds } of trainings) {
    onProgress?.({ stage: 'sampling and minimising', done: runs.length, total: trainings.length, detail: label });
    let from = SECONDS();
    const set = await sample(generator, { n: settings.samples, seed, ...(signal ? { signal } : {}) }, pool);
    const sampling = SECONDS() - from;
    from = SECONDS();
    const { view } = await analyseEnsemble(system, set, analysis);
    const minimization = SECONDS() - from;
    const weights = importanceWeights(set.logWeight);
    const name = `${label}-${material.id}-${seed}`;
    generators.set(name, generator);
    if (seed === seeds[0]) samples.set(name, set);
    runs.push({
      trainingSet: material.id,
      label,
      seed,
      parameters: Object.values(generator.flow.field.parameters).reduce((sum, data) => sum + data.length, 0),
      steps: state.step,
      stopped: reason,
      trainingNll: await nll(generator, material.data, pool, signal),
      testNll: await nll(generator, test, pool, signal),
      learningCurve: state.curve.map(({ step, trainingNll, validationNll }) => ({ step, trainingNll, validationNll })),
      weights: {
        n: weights.n,
        ess: weights.ess,
        khat: weights.khat,
        logZ: { value: weights.logZ.value, standardError: weights.logZ.standardError },
        largestShare: weights.largestShare,
        status: weights.status.text,
      },
      view: seed === seeds[0] ? { ...view, distances: farFrom(set) } : view,
      seconds: { training: seconds, sampling, minimization },
    });
  }

  const control = await sample(
    controlGenerator(system, settings),
    { n: settings.controlSamples, seed: settings.seed, ...hooks },
    pool,
  );
  const controlSeen = await analyseEnsemble(system, control, { ...analysis, limit: settings.controlSamples });

  const absent = biasedSeen.counts.flatMap((count, m) => (count === 0 ? [m] : []));
  const claim = testClaim(
    absent,
    runs.filter((run) => run.trainingSet === 'biased'),
  );
  const { known } = system;
  const shownFirst = [...runs].sort((a, b) => Number(a.seed !== seeds[0]) - Number(b.seed !== seeds[0]));
  const record: ExperimentRecord = {
    version: 1,
    system: {
      name: system.name,
      particles: system.particles,
      dimensions: system.dimensions,
      convention: system.convention,
      logZ: known.logZ!,
      meanEnergy: known.meanEnergy!,
      entropy: known.entropy!,
    },
    notes: NOTES,
    energyCutoff: settings.energyCutoff,
    minima: known.minima!.map((minimum) => ({
      energy: minimum.energy,
      equilibriumShare: minimum.population,
      x: rows(minimum.x, system.dimensions),
    })),
    pairPotential: pairPotential(),
    equilibrium: truthSeen.view,
    trainingSets,
    control: { ...controlSeen.view, distances: { ...farFrom(control), reweighted: null } },
    runs: shownFirst,
    claim,
    settings: flatSettings(settings),
    versions: { equiflow: VERSION, node: process.versions.node },
    seconds: SECONDS() - started,
  };
  return {
    record,
    generators,
    samples,
    data: new Map([
      ['biased', biased],
      ['equilibrium', equilibrium],
      ['test', test],
    ]),
  };
}

/** Both generators are trained with the same settings. */
const TRAINING = { learningRate: 5e-3, validationInterval: 50 } as const;

const NOTES: readonly string[] = [
  'The workshop paper’s own toy parameters and table could not be obtained: system (DW4 as in the later literature), training set, model sizes and training are choices of this project.',
  'nBG is a one-hidden-layer time-dependent field on the same mean-free subspace, with the same prior, integrator, losses and trainer as eqBG, so that the comparison isolates equivariance.',
  'The known log Z, 29.667232, is by quadrature (examples/dw4-quadrature.mjs). The value 29.6845 ± 0.0005 and the populations 48.3, 40.7, 6.2, 4.2 and 0.6 % that one finds elsewhere stem from sampling that was not quite equilibrated.',
  'Log-likelihoods are normalised on the mean-free subspace and stand beside the entropy of the target, the lowest value any normalised model can reach on equilibrium data.',
];

/** Mean of −log q by the inverse flow, with its standard error. */
async function nll(
  generator: BoltzmannGenerator,
  { x, n }: Configurations,
  pool: WorkerPool,
  signal?: AbortSignal,
): Promise<Uncertain> {
  const values = (await logProb(generator, x, n, pool, signal ? { signal } : {})).map((logQ) => -logQ);
  return { value: mean(values), standardError: standardErrorOfMean(values) };
}

/** u(d): the energy of two particles at distance d. */
function pairPotential(): ExperimentRecord['pairPotential'] {
  const distance = Array.from({ length: 201 }, (_, i) => 1.2 + i * 0.028);
  const x = Float64Array.from(distance.flatMap((d) => [d / 2, 0, -d / 2, 0]));
  const energy = new EnergyEvaluator(systemFromSpec('dw2')).energy(x, distance.length);
  return { distance, energy: Array.from(energy) };
}

function rows(x: ArrayLike<number>, D: number): number[][] {
  return Array.from({ length: x.length / D }, (_, i) => Array.from({ length: D }, (_, axis) => x[i * D + axis]));
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

/** One progress line for trainings that run side by side. */
function planProgress(steps: readonly number[], onProgress?: Progress) {
  const done = steps.map(() => 0);
  const total = steps.reduce((a, b) => a + b, 0);
  return (index: number, step: number, detail?: string) => {
    done[index] = step;
    const sum = done.reduce((a, b) => a + b, 0);
    onProgress?.({ stage: 'training', done: sum, total, ...(detail ? { detail } : {}) });
  };
}
