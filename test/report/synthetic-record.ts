import type {
  EnsembleView,
  EquilibriumDistances,
  ExperimentRecord,
  GeneratorRun,
  MinimaShares,
  MinimizedConfiguration,
  Uncertain,
} from '../../src/experiment/record.js';
import {
  centred,
  energyOf,
  MINIMA,
  minimized,
  N,
  type Points,
  pair,
  randomSource,
  symmetrised,
  walk,
} from './dw4-pictures.js';

/**
 * Records of an experiment that never ran: DW4 data from a small Metropolis sampler, generators imitated by moving and
 * blurring its samples, shares and weights made up to resemble what such generators give.
 */

function binomial(value: number, n: number): Uncertain {
  return { value, standardError: Math.sqrt((value * (1 - value) + 0.25 / n) / n) };
}

function view(
  samples: Points[],
  kept: number,
  shares: readonly number[],
  labelledArrangements: number,
  reweighted: readonly Uncertain[] | null = null,
): EnsembleView {
  const looked = 10_000;
  const keptCount = Math.round(kept * looked);
  const minima: MinimaShares = {
    n: looked,
    kept: keptCount,
    keptFraction: binomial(kept, looked),
    shares: shares.map((share, m) => ({
      raw: keptCount === 0 ? { value: Number.NaN, standardError: Number.NaN } : binomial(share, keptCount),
      reweighted: reweighted?.[m] ?? null,
    })),
    other: Math.round(0.002 * keptCount),
    labelledArrangements,
  };
  return {
    n: 50_000,
    energies: samples.map(energyOf),
    firstParticle: samples.map(([first]) => first),
    minima,
    distances: { raw: distances(1 - kept), reweighted: reweighted === null ? null : distances((1 - kept) / 8) },
    configurations: samples
      .slice(0, 3)
      .map((x): MinimizedConfiguration => ({ x, energy: energyOf(x), minimized: minimized(x) })),
  };
}

/** Distances from equilibrium, in step with a number, which chance explains where it is small. */
function distances(far: number): EquilibriumDistances {
  const chance = { standardError: 0.011, floor: 0.031, floorSpread: 0.009 };
  const of = (value: number) => ({ value, ...chance, distinguishable: value > 0.06 });
  return { energyW2: of(4 * far), pairDistanceTv: of(0.4 * far) };
}

function run(
  label: GeneratorRun['label'],
  trainingSet: GeneratorRun['trainingSet'],
  seed: number,
  figures: Pick<GeneratorRun, 'trainingNll' | 'testNll' | 'weights' | 'view'>,
): GeneratorRun {
  const { normal } = randomSource(seed * 17 + (label === 'eqBG' ? 1 : 2));
  const target = figures.trainingNll.value;
  const steps = trainingSet === 'biased' ? 1500 : 3000;
  const learningCurve = Array.from({ length: steps / 50 }, (_, i) => {
    const step = 50 * (i + 1);
    const nll = target + 22 * Math.exp(-step / 60) + 2 * Math.exp(-step / 500);
    return { step, trainingNll: nll + 0.15 * normal(), validationNll: nll + 0.05 + 0.03 * normal() };
  });
  return {
    trainingSet,
    label,
    seed,
    parameters: label === 'eqBG' ? 631 : 1752,
    steps,
    stopped: 'all steps done',
    learningCurve,
    seconds: { training: label === 'eqBG' ? 3.2 : 41.7, sampling: 0.31, minimization: 4.4 },
    ...figures,
  };
}

const BIASED = [0.978, 0, 0, 0, 0.022];
const EQ_BIASED = [0.52, 0.098, 0.265, 0.002, 0.115];
const N_BIASED = [0.992, 0, 0, 0, 0.008];
const TRUE_SHARES = MINIMA.map(({ share }) => share);

/**
 * A record in which the claim holds.
 *
 * @param n points per ensemble, few for quick tests
 */
export function syntheticRecord(n = 2000): ExperimentRecord {
  const exact = (value: number, standardError: number): Uncertain => ({ value, standardError });
  const trajectory = walk({ steps: 2000, every: 1, size: 0.2, kT: 1, start: centred(MINIMA[0].x) }, 1);
  const equilibrium = symmetrised(n, TRUE_SHARES, 1, 0, 10);
  const second = symmetrised(n, TRUE_SHARES, 1, 0, 20);
  const { normal } = randomSource(5);
  const nearTrajectory = trajectory.slice(0, n).map((x) => centred(x.map((p) => p.map((c) => c + 0.12 * normal()))));
  const prior = Array.from({ length: n }, () => centred(Array.from({ length: N }, () => [normal(), normal()])));
  const around = (shares: readonly number[], error: number) => shares.map((share) => exact(share, error));

  const eqBiased = view(
    symmetrised(n, EQ_BIASED, 1.4, 0.3, 30),
    0.64,
    EQ_BIASED,
    118,
    around([0.47, 0.42, 0.06, 0.04, 0.01], 0.03),
  );
  const nBiased = view(nearTrajectory, 0.982, N_BIASED, 2, around([0.999, 0, 0, 0, 0.001], 0.004));
  const eqTrue = view(
    symmetrised(n, TRUE_SHARES, 1.2, 0.12, 40),
    0.87,
    [0.47, 0.4, 0.075, 0.045, 0.01],
    120,
    around(TRUE_SHARES, 0.006),
  );
  const nTrue = view(
    symmetrised(n, TRUE_SHARES, 1.2, 0.5, 50),
    0.21,
    [0.4, 0.35, 0.12, 0.1, 0.03],
    111,
    around(TRUE_SHARES, 0.09),
  );

  const seeds = [1, 2, 3, 4, 5].map((seed) => ({
    seed,
    eqBG: exact(0.365 + 0.03 * Math.sin(5 * seed), 0.006),
    nBG: exact(0.0002 * seed, 0.0003),
  }));
  const biasedRuns = seeds.flatMap(({ seed }) => [
    run('nBG', 'biased', seed, {
      trainingNll: exact(0.38 + 0.02 * seed, 0.04),
      testNll: exact(148.2 + seed, 1.3),
      weights: {
        n: 50_000,
        ess: 2210,
        khat: 0.93,
        logZ: exact(24.77, 0.02),
        largestShare: 0.004,
        status: 'Pareto k = 0.93 exceeds 0.70: log Z cannot be trusted.',
      },
      view: nBiased,
    }),
    run('eqBG', 'biased', seed, {
      trainingNll: exact(7.8 + 0.03 * seed, 0.03),
      testNll: exact(9.21 + 0.02 * seed, 0.012),
      weights: {
        n: 50_000,
        ess: 152.3,
        khat: 0.81,
        logZ: exact(29.689, 0.081),
        largestShare: 0.021,
        status: 'Pareto k = 0.81 exceeds 0.70: a few weights decide everything.',
      },
      view: eqBiased,
    }),
  ]);
  const equilibriumRuns = [
    run('nBG', 'equilibrium', 1, {
      trainingNll: exact(11.9, 0.02),
      testNll: exact(12.02, 0.021),
      weights: {
        n: 50_000,
        ess: 48.1,
        khat: 0.99,
        logZ: exact(29.2, 0.14),
        largestShare: 0.09,
        status: 'Only 48.1 effective samples of 50000, fewer than 100.',
      },
      view: nTrue,
    }),
    run('eqBG', 'equilibrium', 1, {
      trainingNll: exact(8.02, 0.011),
      testNll: exact(8.04, 0.012),
      weights: {
        n: 50_000,
        ess: 9210,
        khat: 0.41,
        logZ: exact(29.681, 0.0094),
        largestShare: 0.0011,
        status: 'The weights are sound (18 % effective).',
      },
      view: eqTrue,
    }),
  ];
  const distance = Array.from({ length: 201 }, (_, i) => 1.2 + i * 0.028);
  return {
    version: 1,
    system: {
      name: 'dw4',
      particles: 4,
      dimensions: 2,
      convention: 'U = Σ_{i<j} 0.9(d − 4)⁴ − 4(d − 4)², every pair once; kT = 1',
      logZ: exact(29.6845, 0.0005),
      meanEnergy: exact(-22.5434, 0.0012),
      entropy: exact(7.141, 0.002),
    },
    notes: [
      'The parameters of the workshop paper could not be obtained; system & training are <our> choice.',
      'nBG is a dense field on the same subspace.',
    ],
    energyCutoff: -16.94,
    minima: MINIMA.map(({ energy, share, x }) => ({ energy, equilibriumShare: exact(share, 0.0035), x })),
    pairPotential: { distance, energy: distance.map(pair) },
    equilibrium: withoutDistances(view(equilibrium, 0.99, TRUE_SHARES, 120)),
    trainingSets: [
      {
        id: 'biased',
        title: 'One short trajectory',
        description:
          '2000 successive steps of a single Metropolis trajectory with fixed labels from the lowest minimum.',
        view: { ...view(trajectory, 0.985, BIASED, 2), n: 2000 },
        meanEnergy: { value: -23.02, standardError: 0.11, n: 2000, diagnostics: { tau: 31 } },
        acceptance: 0.32,
      },
      {
        id: 'equilibrium',
        title: 'Equilibrium data',
        description: '20000 configurations of 256 Metropolis chains.',
        view: { ...view(second, 0.99, TRUE_SHARES, 120), n: 20_000 },
        meanEnergy: { value: -22.541, standardError: 0.014, n: 20_000, diagnostics: { tau: 1.1 } },
        acceptance: 0.32,
      },
    ],
    control: { ...view(prior, 0.002, [0.1, 0.15, 0.05, 0.65, 0.05], 31), n: 200_000 },
    runs: [...biasedRuns.slice(0, 2), ...equilibriumRuns, ...biasedRuns.slice(2)],
    claim: {
      absentMinima: [1, 2, 3],
      seeds,
      eqBG: exact(0.364, 0.009),
      nBG: exact(0.0006, 0.0002),
      difference: exact(0.3634, 0.009),
      sigmas: 40.4,
      holds: true,
      statement:
        'The claim holds (at least 1 % and 2 standard errors above nBG). Over 5 training seeds eqBG puts (36.4 ± 0.9) % of its kept samples into the 3 minima that its training set does not contain, nBG (0.1 ± 0.0) %; the difference is 40.4 standard errors.',
    },
    settings: {
      seed: 1,
      claimSeeds: 5,
      trajectorySteps: 2000,
      trainingSteps: 'biased 1500, equilibrium 3000',
      samples: 50_000,
      priorScale: 1,
      energyCutoff: -16.94,
    },
    versions: { equiflow: '0.1.0', node: '20.20.0' },
    seconds: 312.4,
  };
}

/** The reference itself is at no distance from equilibrium. */
function withoutDistances({ distances: _, ...rest }: EnsembleView): EnsembleView {
  return rest;
}

/** A record in which everything went wrong: one seed, nothing kept, energies and weights not finite, the claim not held. */
export function failedRecord(): ExperimentRecord {
  const record = syntheticRecord(200);
  const lost = { value: Number.NaN, standardError: Number.NaN };
  const infinite = {
    value: Number.POSITIVE_INFINITY,
    standardError: Number.NaN,
    floor: 0.03,
    floorSpread: 0.01,
    distinguishable: true,
  };
  const empty = (old: EnsembleView): EnsembleView => ({
    ...old,
    energies: old.energies.map((energy, i) => (i % 5 === 0 ? Number.POSITIVE_INFINITY : 1e4 + energy ** 2)),
    minima: {
      n: 10_000,
      kept: 0,
      keptFraction: { value: 0, standardError: 7e-5 },
      shares: old.minima.shares.map(() => ({ raw: lost, reweighted: lost })),
      other: 0,
      labelledArrangements: 0,
    },
    distances: { raw: { energyW2: infinite, pairDistanceTv: infinite }, reweighted: null },
    configurations: old.configurations.map((configuration) => ({
      ...configuration,
      x: configuration.x.map((p) => p.map((c) => 40 * c)),
      energy: 12345.678,
    })),
  });
  return {
    ...record,
    control: { ...empty(record.control), energies: [], firstParticle: [], configurations: [] },
    runs: record.runs
      .filter(({ seed }) => seed === 1)
      .map((run) => ({
        ...run,
        testNll: { value: 1.3e7, standardError: 2e6 },
        trainingNll: lost,
        learningCurve: run.learningCurve.slice(0, 3).map(({ step }) => ({
          step,
          trainingNll: Number.NaN,
          validationNll: Number.NaN,
        })),
        weights: {
          n: 50_000,
          ess: 0,
          khat: Number.NaN,
          logZ: lost,
          largestShare: Number.NaN,
          status: 'All 50000 weights are zero.',
        },
        view: empty(run.view),
      })),
    claim: {
      absentMinima: [1, 2, 3],
      seeds: [{ seed: 1, eqBG: { value: 0, standardError: Number.NaN }, nBG: { value: 0, standardError: Number.NaN } }],
      eqBG: { value: 0, standardError: Number.NaN },
      nBG: { value: 0, standardError: Number.NaN },
      difference: { value: 0, standardError: Number.NaN },
      sigmas: Number.NaN,
      holds: false,
      statement: 'The claim does not hold (at least 1 % and 2 standard errors above nBG was asked for).',
    },
  };
}
