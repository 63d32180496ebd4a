import { EnergyEvaluator, type System } from '../systems/index.js';
import { moved } from '../workers/index.js';

export interface EnergyBlockInput {
  readonly system: System;
  readonly x: Float64Array;
  readonly n: number;
}

let evaluator: EnergyEvaluator | undefined;
let evaluated = '';

/** U(x) of one block of configurations, in f64; a worker keeps the last system ready. */
export function energyBlock({ system, x, n }: EnergyBlockInput) {
  const energy = evaluatorOf(system).energy(x, n);
  return moved(energy, [energy.buffer]);
}

/** The evaluator of a system, that of the last call if it is the same. */
export function evaluatorOf(system: System): EnergyEvaluator {
  const name = JSON.stringify(system);
  if (evaluator === undefined || name !== evaluated) {
    evaluator = new EnergyEvaluator(system);
    evaluated = name;
  }
  return evaluator;
}
