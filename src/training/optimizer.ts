import type { ParameterSet } from '../fields/index.js';

/** First and second moments of the gradients and the number of updates made: all that Adam remembers. */
export interface AdamState {
  readonly first: Record<string, Float64Array>;
  readonly second: Record<string, Float64Array>;
  updates: number;
}

/** Decay rates and floor of Adam (Kingma and Ba, 2015), and its weight decay. */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled weight decay (AdamW); 0 is plain Adam. */
  readonly weightDecay: number;
}

export const ADAM: AdamOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** Zero moments for the groups of `parameters` that are trained. */
export function adamState(parameters: ParameterSet, groups: readonly string[]): AdamState {
  const zeros = () => Object.fromEntries(groups.map((name) => [name, new Float64Array(parameters[name].length)]));
  return { first: zeros(), second: zeros(), updates: 0 };
}

/**
 * One update in place of the groups that `state` knows: Adam (Kingma & Ba 2015, Algorithm 1) with the decoupled weight
 * decay of Loshchilov & Hutter (2019).
 */
export function adamUpdate(
  parameters: ParameterSet,
  gradient: ParameterSet,
  state: AdamState,
  learningRate: number,
  { beta1, beta2, epsilon, weightDecay }: AdamOptions,
): void {
  state.updates += 1;
  const firstScale = 1 / (1 - beta1 ** state.updates);
  const secondScale = 1 / (1 - beta2 ** state.updates);
  for (const [name, first] of Object.entries(state.first)) {
    const second = state.second[name];
    const [values, slopes] = [parameters[name], gradient[name]];
    for (let i = 0; i < values.length; i++) {
      first[i] = beta1 * first[i] + (1 - beta1) * slopes[i];
      second[i] = beta2 * second[i] + (1 - beta2) * slopes[i] ** 2;
      const step = (first[i] * firstScale) / (Math.sqrt(second[i] * secondScale) + epsilon);
      values[i] -= learningRate * (step + weightDecay * values[i]);
    }
  }
}

/** Euclidean norm over the named groups together. */
export function gradientNorm(gradient: ParameterSet, groups: readonly string[]): number {
  let sum = 0;
  for (const name of groups) for (const value of gradient[name]) sum += value * value;
  return Math.sqrt(sum);
}

/** Scales a gradient of norm `norm`, in place, so that it is not longer than `longest`. */
export function clipGradient(gradient: ParameterSet, groups: readonly string[], norm: number, longest: number): void {
  if (!(norm > longest)) return;
  for (const name of groups) for (let i = 0; i < gradient[name].length; i++) gradient[name][i] *= longest / norm;
}
