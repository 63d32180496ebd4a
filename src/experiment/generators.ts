import { initialDenseField, initialKernelField, uniformBasis } from '../fields/index.js';
import { type BoltzmannGenerator, boltzmannGenerator, continuousFlow } from '../flows/index.js';
import { rk4 } from '../integrators/index.js';
import { meanFreeNormal } from '../priors/index.js';
import type { System } from '../systems/index.js';
import type { GeneratorRun } from './record.js';
import type { ExperimentSettings } from './settings.js';

/** The paper's radial basis for double wells: 50 centres on [0, 8], widths 0.5. */
const BASIS = uniformBasis(50, 8, 0.5);

function prior(system: System, { priorScale }: ExperimentSettings) {
  return meanFreeNormal(system.particles, system.dimensions, { scale: priorScale });
}

/** An untrained generator of either kind: the same prior and integrator, another field. */
export function initialGenerator(
  system: System,
  label: GeneratorRun['label'],
  seed: number,
  settings: ExperimentSettings,
): BoltzmannGenerator {
  const { particles, dimensions } = system;
  const field =
    label === 'eqBG'
      ? initialKernelField(particles, dimensions, BASIS, { seed })
      : initialDenseField(particles, dimensions, { seed, hidden: settings.hiddenUnits });
  return boltzmannGenerator(system, continuousFlow(prior(system, settings), field, rk4(settings.integratorSteps)));
}

/** The prior alone, as a generator whose flow is the identity. */
export function controlGenerator(system: System, settings: ExperimentSettings): BoltzmannGenerator {
  const { particles, dimensions } = system;
  const field = initialKernelField(particles, dimensions, BASIS, {
    seed: settings.seed,
    weightScale: 0,
  });
  return boltzmannGenerator(system, continuousFlow(prior(system, settings), field, rk4(1)));
}
