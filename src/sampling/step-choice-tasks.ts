/* What a worker runs to find how many Runge–Kutta steps a flow needs. */

import { NumericalError } from '../errors.js';
import { decodeModel, prepareFlow } from '../flows/index.js';
import { rk4 } from '../integrators/index.js';
import type { TaskContext } from '../workers/index.js';

/** Numbers of steps to choose from, each about a sixth more than the one before. */
export const STEP_COUNTS: readonly number[] = [
  ...[4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40, 48, 56],
  ...[64, 72, 80, 96, 112, 128, 144, 160, 192, 224, 256, 288, 320],
];

/** Four times the steps have a 256th of the error of order four, which does not show beside it. */
const FINER = 4;

/** Prior samples beyond any that a user draws. */
const FIRST = 2 ** 51;

export interface StepChoiceInput {
  readonly model: Uint8Array;
  readonly tolerance: number;
  /** The share of samples that has to be within the tolerance. */
  readonly share: number;
  readonly samples: number;
  readonly seed: number;
}

export interface StepChoiceOutput {
  readonly steps: number;
  readonly error: number;
}

/** The first of `STEP_COUNTS` within the tolerance, or the last of them with its error. In f64: rounding is not the integrator's. */
export function chooseSteps(input: StepChoiceInput, { report }: TaskContext): StepChoiceOutput {
  const { prior, field } = decodeModel(input.model, 'model').generator.flow;
  const { samples, seed } = input;
  const flowOf = (steps: number) => prepareFlow({ prior, field, integrator: rk4(steps) }, 'f64');
  const quantile = Math.ceil(input.share * samples) - 1;
  let steps = 0;
  let error = Number.POSITIVE_INFINITY;
  for (const [tried, count] of STEP_COUNTS.entries()) {
    report(tried);
    steps = count;
    error = errors()[quantile];
    if (error <= input.tolerance) break;
  }
  return { steps, error };

  /** |log q as sampled − that of the exact flow at the same configuration|, ascending. */
  function errors(): Float64Array {
    try {
      const { x, logQ } = flowOf(steps).sample(seed, FIRST, samples);
      const exact = flowOf(FINER * steps).logProb(x, samples);
      return exact.map((value, s) => (Number.isFinite(value) ? Math.abs(value - logQ[s]) : Number.NaN)).sort();
    } catch (failure) {
      // Too coarse to stay finite.
      if (failure instanceof NumericalError) return new Float64Array(samples).fill(Number.POSITIVE_INFINITY);
      throw failure;
    }
  }
}
