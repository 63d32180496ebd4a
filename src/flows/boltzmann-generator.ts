import { UsageError } from '../errors.js';
import type { Integrator } from '../integrators/index.js';
import type { MeanFreeNormal } from '../priors/index.js';
import type { System } from '../systems/index.js';
import { type ContinuousFlow, continuousFlow } from './continuous-flow.js';

/** A flow with the target whose Boltzmann distribution exp(−U/kT) it approximates; kT is the prior's. */
export interface BoltzmannGenerator {
  readonly prior: MeanFreeNormal;
  readonly flow: ContinuousFlow;
  readonly target: System;
}

/** @throws UsageError where flow and target disagree on particles, dimensions or species. */
export function boltzmannGenerator(target: System, flow: ContinuousFlow): BoltzmannGenerator {
  for (const key of ['particles', 'dimensions'] as const) {
    if (target[key] !== flow.prior[key]) {
      throw new UsageError(`generator: system '${target.name}' has ${target[key]} ${key}, the flow ${flow.prior[key]}`);
    }
  }
  const { species } = flow.field;
  if (species !== undefined && species.species.join() !== target.species.join()) {
    throw new UsageError(
      `generator: system '${target.name}' has species [${target.species}], the field takes [${species.species}] as equal`,
    );
  }
  return { prior: flow.prior, flow, target };
}

/** The same target, prior and field, integrated otherwise. */
export function integratedBy({ target, flow }: BoltzmannGenerator, integrator: Integrator): BoltzmannGenerator {
  return boltzmannGenerator(target, continuousFlow(flow.prior, flow.field, integrator));
}
