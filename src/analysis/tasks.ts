import { EnergyEvaluator, type System } from '../systems/index.js';
import { moved } from '../workers/index.js';
import { type Minimization, minimize } from './minimize.js';

export interface MinimizeBlockInput {
  readonly system: System;
  readonly x: Float64Array;
  readonly n: number;
}

/** Minimises one block of configurations on a worker. */
export function minimizeBlock({ system, x, n }: MinimizeBlockInput) {
  const evaluator = new EnergyEvaluator(system);
  const result = minimize(
    (y, count) => evaluator.energyAndGradient(y, count),
    x,
    n,
    system.particles * system.dimensions,
  );
  return moved<Minimization>(
    result,
    [result.x, result.energy, result.gradientNorm, result.iterations, result.converged].map((array) => array.buffer),
  );
}
