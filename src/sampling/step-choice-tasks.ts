/* What a worker runs to find how many Runge–Kutta steps a flow needs. */

import { NumericalError } from '../errors.js';
import { type ContinuousFlow, decodeModel, prepareFlow } from '../flows/index.js';
import { rk4 } from '../integrators/index.js';
import type { TaskContext } from '../workers/index.js';

/** Numbers of steps to choose from, each about a sixth more than the one before. */
export const STEP_COUNTS: readonly number[] = [
  ...[4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40, 48, 56],
  ...[64, 72, 80, 96, 112, 128, 144, 160, 192, 224, 256, 288, 320],
];

/** Four times the steps have a 256th of the error of order four, which does not show beside it. */
const FINER = 4;

/** All but the hardest: of these the largest error over any number of samples would speak. */
const SHARE = 0.99;
const SAMPLES = 512;

/** Prior samples beyond any that a user draws. */
const FIRST = 2 ** 51;

export interface StepChoiceInput {
  readonly model: Uint8Array;
  readonly tolerance: number;
  readonly seed: number;
}

export interface StepChoiceOutput {
  readonly steps: number;
  readonly error: number;
}

/** The first of `STEP_COUNTS` within the tolerance, or the last of them with its error. */
export function chooseSteps({ model, tolerance, seed }: StepChoiceInput, { report }: TaskContext): StepChoiceOutput {
  const { flow } = decodeModel(model, 'model').generator;
  let choice: StepChoiceOutput = { steps: 0, error: Number.POSITIVE_INFINITY };
  for (const [tried, steps] of STEP_COUNTS.entries()) {
    report(tried);
    choice = { steps, error: errorWith(flow, steps, seed) };
    if (choice.error <= tolerance) break;
  }
  return choice;
}

/**
 * What |log q as sampled − that of the exact flow at the same configuration| stays below for the share. In f64: rounding is not
 * the integrator's.
 */
function errorWith(flow: ContinuousFlow, steps: number, seed: number): number {
  const runner = (count: number) => prepareFlow({ ...flow, integrator: rk4(count) }, 'f64');
  try {
    const { x, logQ } = runner(steps).sample(seed, FIRST, SAMPLES);
    const exact = runner(FINER * steps).logProb(x, SAMPLES);
    return exact.map((value, s) => Math.abs(value - logQ[s])).sort()[Math.ceil(SHARE * SAMPLES) - 1];
  } catch (error) {
    // Too coarse to stay finite.
    if (error instanceof NumericalError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
