import { UsageError } from '../errors.js';
import type { Field } from '../fields/index.js';
import type { Integrator } from '../integrators/index.js';
import type { MeanFreeNormal } from '../priors/index.js';

/**
 * A continuous normalizing flow: dx/dt = v(t, x) from prior space at t = 0 to configurations at t = 1, with
 * d log q/dt = −div v. If the field is G-equivariant and the prior G-invariant, so is the density (Köhler, Klein, Noé
 * 2019, Theorems 1 and 2).
 */
export interface ContinuousFlow<Solver extends Integrator = Integrator> {
  readonly prior: MeanFreeNormal;
  readonly field: Field;
  readonly integrator: Solver;
}

/** @throws UsageError where prior and field disagree on particles or dimensions. */
export function continuousFlow<Solver extends Integrator>(
  prior: MeanFreeNormal,
  field: Field,
  integrator: Solver,
): ContinuousFlow<Solver> {
  for (const key of ['particles', 'dimensions'] as const) {
    if (prior[key] !== field[key]) {
      throw new UsageError(`flow: the prior has ${prior[key]} ${key}, the field ${field[key]}`);
    }
  }
  return { prior, field, integrator };
}
