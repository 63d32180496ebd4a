import type { ParameterSet } from './field.js';

/** How many pairs of species P, radial kernels K and time kernels M a kernel field has. */
export interface RadialSizes {
  readonly pairs: number;
  readonly kernels: number;
  readonly times: number;
  /** P·M rounded up to even: the columns of the table products. */
  readonly columns: number;
}

/** Weights [P, K, M] as the table products take them, [K, columns], the padding 0. */
export function byKernel(weights: Float64Array, { pairs, kernels, times, columns }: RadialSizes): Float64Array {
  const out = new Float64Array(kernels * columns);
  for (let p = 0, from = 0; p < pairs; p++) {
    for (let k = 0; k < kernels; k++) {
      const to = k * columns + p * times;
      for (let m = 0; m < times; m++) out[to + m] = weights[from++];
    }
  }
  return out;
}

/** The other way. */
export function byPair(weights: Float64Array, { pairs, kernels, times, columns }: RadialSizes): Float64Array {
  const out = new Float64Array(pairs * kernels * times);
  for (let p = 0, to = 0; p < pairs; p++) {
    for (let k = 0; k < kernels; k++) {
      const from = k * columns + p * times;
      for (let m = 0; m < times; m++) out[to++] = weights[from + m];
    }
  }
  return out;
}

/** Σ_k s_k² W_km + b_m for each pair of species [P, M], the part of F_m that does not depend on distance. */
export function constantPart(
  { bias, importance, weights }: ParameterSet,
  { pairs, kernels, times }: RadialSizes,
): Float64Array {
  const offsets = bias.slice();
  if (importance.every((s) => s === 0)) return offsets;
  for (let row = 0; row < pairs * kernels; row++) {
    const s2 = importance[row % kernels] ** 2;
    const at = Math.floor(row / kernels) * times;
    for (let m = 0; m < times; m++) offsets[at + m] += s2 * weights[row * times + m];
  }
  return offsets;
}

/** Reverse of `constantPart`: adds to the weights' cotangents and returns those of the importance [K]. */
export function importanceReverse(
  { importance, weights }: ParameterSet,
  offsetsBar: Float64Array,
  weightsBar: Float64Array,
  { pairs, kernels, times }: RadialSizes,
): Float64Array {
  const importanceBar = new Float64Array(kernels);
  if (importance.every((s) => s === 0)) return importanceBar;
  for (let row = 0; row < pairs * kernels; row++) {
    const s = importance[row % kernels];
    const at = Math.floor(row / kernels) * times;
    for (let m = 0; m < times; m++) {
      weightsBar[row * times + m] += s * s * offsetsBar[at + m];
      importanceBar[row % kernels] += 2 * s * weights[row * times + m] * offsetsBar[at + m];
    }
  }
  return importanceBar;
}
