import { type Simulation, simulate } from '../samplers/index.js';
import type { Conditions } from './conditions.js';
import type { EnsembleJudge } from './judge.js';
import type { TrainingSet } from './record.js';

/** What generators learn from, and what they are judged by. */
export interface ExperimentData {
  /** One short trajectory, which knows few of the minima. */
  readonly biased: Simulation;
  readonly equilibrium: Simulation;
  /** Equilibrium data that no generator has seen. */
  readonly test: Simulation;
}

export async function makeData({ system, settings, pool, ...rest }: Conditions): Promise<ExperimentData> {
  const hooks = { ...(rest.onProgress ? { onProgress: rest.onProgress } : {}), ...rest.interruption };
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
  return { biased, equilibrium, test: await equilibriumRun(settings.seed + 1) };
}

/** Independent configurations that one of a simulation is worth. */
export function worth({ meanEnergy, n }: Simulation): number {
  return Math.min(1, 1 / (meanEnergy.diagnostics.tau || n));
}

/** The training sets as the report shows them, and the minima that the trajectory never visits. */
export async function showTrainingSets(
  { settings }: Conditions,
  { biased, equilibrium }: ExperimentData,
  judge: EnsembleJudge,
): Promise<{ trainingSets: TrainingSet[]; absentMinima: number[] }> {
  const show = async (simulation: Simulation) => {
    const { view, counts } = await judge.analyse(simulation);
    const distances = judge.distances(simulation, worth(simulation));
    const { meanEnergy, acceptance } = simulation;
    return { counts, set: { view: { ...view, distances }, meanEnergy, acceptance } };
  };
  const [trajectory, chains] = [await show(biased), await show(equilibrium)];
  const trainingSets: TrainingSet[] = [
    {
      id: 'biased',
      title: 'One short trajectory',
      description:
        `${settings.trajectorySteps} successive steps of a single Metropolis trajectory with fixed labels from the ` +
        `lowest minimum, all-particle normal moves of ${settings.trajectoryStepSize}; every step is a training configuration.`,
      ...trajectory.set,
    },
    {
      id: 'equilibrium',
      title: 'Equilibrium data',
      description:
        `${equilibrium.n} configurations of ${equilibrium.chains} Metropolis chains, ${equilibrium.settings.warmUp} steps of ` +
        `warm-up and ${equilibrium.settings.stride} steps between configurations.`,
      ...chains.set,
    },
  ];
  return { trainingSets, absentMinima: trajectory.counts.flatMap((count, m) => (count === 0 ? [m] : [])) };
}
