import type { TwinRates } from './rk4.js';
import { twinTimeFeatures } from './time-features.js';

/**
 * `inputWeights` [H, N·D], `timeWeights` [H, M], `hiddenBias` [H], `outputWeights` [N·D, H], `outputBias` [N·D],
 * `muTime` [M], `logGammaTime` [M].
 */
export interface DenseFieldParameters {
  readonly inputWeights: Float64Array;
  readonly timeWeights: Float64Array;
  readonly hiddenBias: Float64Array;
  readonly outputWeights: Float64Array;
  readonly outputBias: Float64Array;
  readonly muTime: Float64Array;
  readonly logGammaTime: Float64Array;
}

/** P x: x [N, D] without its centroid. */
export function removeCentroid(x: Float64Array, N: number, D: number): Float64Array {
  const centroid = new Float64Array(D);
  for (let i = 0; i < N; i++) {
    for (let a = 0; a < D; a++) centroid[a] += x[i * D + a] / N;
  }
  return x.map((value, c) => value - centroid[c % D]);
}

/**
 * The oracle for the non-equivariant field: v = P[W₂ tanh(a) + b₂], a = W₁x + U K̂(t) + b₁, and
 * div v = Σ_h (1 − tanh² a_h)(W₁ P W₂)_hh of one sample x [N·D].
 */
export function denseField(p: DenseFieldParameters, t: number, x: Float64Array, N: number, D: number): TwinRates {
  const C = N * D;
  const H = p.hiddenBias.length;
  const M = p.muTime.length;
  const time = twinTimeFeatures(p.muTime, p.logGammaTime, t);
  const output = p.outputBias.slice();
  let divergence = 0;
  for (let h = 0; h < H; h++) {
    let a = p.hiddenBias[h];
    for (let c = 0; c < C; c++) a += p.inputWeights[h * C + c] * x[c];
    for (let m = 0; m < M; m++) a += p.timeWeights[h * M + m] * time[m];
    const column = Float64Array.from({ length: C }, (_, c) => p.outputWeights[c * H + h]);
    const projected = removeCentroid(column, N, D);
    for (let c = 0; c < C; c++) {
      output[c] += column[c] * Math.tanh(a);
      divergence += (1 - Math.tanh(a) ** 2) * p.inputWeights[h * C + c] * projected[c];
    }
  }
  return { velocity: removeCentroid(output, N, D), divergence };
}
