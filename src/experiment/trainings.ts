import type { BoltzmannGenerator } from '../flows/index.js';
import type { Progress } from '../progress.js';
import { type Configurations, splitConfigurations, type TrainedGenerator, train } from '../training/index.js';
import { type Conditions, seconds } from './conditions.js';
import type { ExperimentData } from './data.js';
import { initialGenerator } from './generators.js';
import type { GeneratorRun, TrainingSet } from './record.js';

/** Both generators are trained with the same settings. */
const TRAINING = { learningRate: 5e-3, validationInterval: 50 } as const;

/** A training set with what its generators are trained and judged with. */
interface Material {
  readonly id: TrainingSet['id'];
  readonly data: Configurations;
  readonly validation: Configurations;
  readonly steps: number;
  readonly batchSize: number;
}

/** A generator of the experiment, trained. */
export interface Training extends TrainedGenerator {
  readonly material: Material;
  readonly seed: number;
  readonly label: GeneratorRun['label'];
  readonly seconds: number;
}

/** On the trajectory both generators for every seed, on equilibrium data both for the first; all at once. */
export function trainAll(
  conditions: Conditions,
  simulations: Pick<ExperimentData, 'biased' | 'equilibrium'>,
  seeds: readonly number[],
): Promise<Training[]> {
  const { settings, onProgress } = conditions;
  const materialOf = (id: TrainingSet['id']): Material => {
    const split = splitConfigurations(simulations[id], 0.1, 'random', settings.seed);
    return { id, ...split, steps: settings.trainingSteps[id], batchSize: settings.batchSize[id] };
  };
  const [biased, equilibrium] = [materialOf('biased'), materialOf('equilibrium')];
  const plan = [
    ...seeds.map((seed) => ({ material: biased, seed })),
    { material: equilibrium, seed: seeds[0] },
  ].flatMap((item) => [
    { ...item, label: 'nBG' as const },
    { ...item, label: 'eqBG' as const },
  ]);
  const progress = planProgress(
    plan.map((item) => item.material.steps),
    onProgress,
  );
  return Promise.all(
    plan.map(async ({ material, seed, label }, index) => {
      const generator = initialGenerator(conditions.system, label, seed, settings);
      return { material, seed, label, ...(await trainOne(conditions, generator, material, seed, report)) };

      function report(done: number, detail?: string): void {
        progress(index, done, detail === undefined ? undefined : `${label} ${detail}`);
      }
    }),
  );
}

async function trainOne(
  { pool, interruption }: Conditions,
  generator: BoltzmannGenerator,
  { data, validation, steps, batchSize }: Material,
  seed: number,
  report: (done: number, detail?: string) => void,
): Promise<TrainedGenerator & { seconds: number }> {
  let from = seconds();
  const trained = await train(generator, data, validation, { seed, steps, batchSize, ...TRAINING }, pool, {
    // The runs themselves keep all workers busy.
    helpers: 0,
    onProgress: ({ done, detail }) => {
      // Time spent waiting for a worker is not training.
      if (done <= 1) from = seconds();
      report(done, detail ?? '');
    },
    ...interruption,
  });
  report(steps);
  return { ...trained, seconds: seconds() - from };
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
