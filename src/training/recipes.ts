import type { System } from '../systems/index.js';
import type { TrainingOptions } from './options.js';

/** How a kernel field is best trained for a system, as far as was tried; the figures are in docs/training.md. */
export interface Recipe {
  /** Time kernels and their common width. */
  readonly times: number;
  readonly timeWidth: number;
  /** Runge–Kutta steps of the flow. */
  readonly integratorSteps: number;
  /** Standard deviation of the prior at kT = 1. */
  readonly priorScale: number;
  readonly options: Partial<TrainingOptions>;
}

/** Where nothing was tried: the paper's basis, and training's own defaults. */
const GENERAL: Recipe = { times: 10, timeWidth: 0.3, integratorSteps: 20, priorScale: 1, options: {} };

/**
 * Twice the paper's time kernels are worth 0.15 nats. Twice the steps, and a little kinetic energy, keep the flow from
 * getting stiffer than they resolve, which biases log Z long before it shows in the NLL.
 */
const DOUBLE_WELLS: Recipe = {
  times: 20,
  timeWidth: 0.15,
  integratorSteps: 40,
  priorScale: 1,
  options: {
    steps: 8000,
    batchSize: 256,
    learningRate: 0.003,
    emaDecay: 0.995,
    kineticWeight: 0.002,
    validationInterval: 200,
  },
};

/** A cluster is more compact than a standard normal, so a narrower prior leaves the field less to do. */
const LENNARD_JONES_13: Recipe = {
  times: 20,
  timeWidth: 0.15,
  integratorSteps: 30,
  priorScale: 0.6,
  options: { steps: 8000, batchSize: 128, learningRate: 0.005, emaDecay: 0.995, validationInterval: 400 },
};

const RECIPES: Readonly<Record<string, Recipe>> = {
  dw2: DOUBLE_WELLS,
  dw4: DOUBLE_WELLS,
  lj13: LENNARD_JONES_13,
};

/** The recipe of a preset system, or general settings. */
export function recipeFor({ name }: Pick<System, 'name'>): Recipe {
  return RECIPES[name] ?? GENERAL;
}
