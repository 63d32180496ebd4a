import type { TwinRates } from './rk4.js';
import { twinTimeFeatures } from './time-features.js';

/** `weights` [K, M], `bias` [M], `importance` [K], `mu` [K], `logGamma` [K], `muTime` [M], `logGammaTime` [M]. */
export interface KernelFieldParameters {
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  readonly importance: Float64Array;
  readonly mu: Float64Array;
  readonly logGamma: Float64Array;
  readonly muTime: Float64Array;
  readonly logGammaTime: Float64Array;
}

/**
 * f(t, d) = Σ_m K̂_m(t) [Σ_k (R̂_k(d) + s_k²) W_km + b_m] and ∂f/∂d, with R̂_k = e_k/S, e_k = exp(−(d−μ_k)²/γ_k²) and
 * S = 1e-6 + Σ_l e_l, so that R̂_k′ = (e_k′ − R̂_k S′)/S.
 */
export function radial(p: KernelFieldParameters, t: number, d: number): { value: number; slope: number } {
  const K = p.mu.length;
  const M = p.muTime.length;
  const e = new Float64Array(K);
  const eSlope = new Float64Array(K);
  let S = 1e-6;
  let sSlope = 0;
  for (let k = 0; k < K; k++) {
    const gamma = Math.exp(p.logGamma[k]);
    e[k] = Math.exp(-((d - p.mu[k]) ** 2) / gamma ** 2);
    eSlope[k] = ((-2 * (d - p.mu[k])) / gamma ** 2) * e[k];
    S += e[k];
    sSlope += eSlope[k];
  }
  const time = twinTimeFeatures(p.muTime, p.logGammaTime, t);
  let value = 0;
  let slope = 0;
  for (let m = 0; m < M; m++) {
    let inner = p.bias[m];
    let innerSlope = 0;
    for (let k = 0; k < K; k++) {
      const r = e[k] / S;
      inner += (r + p.importance[k] ** 2) * p.weights[k * M + m];
      innerSlope += ((eSlope[k] - r * sSlope) / S) * p.weights[k * M + m];
    }
    value += time[m] * inner;
    slope += time[m] * innerSlope;
  }
  return { value, slope };
}

/**
 * The oracle for the kernel field: v_i = Σ_{j≠i} r_ij f(t, d_ij) and div v = Σ_{i≠j} [d_ij f′ + D f] of one sample x [N·D]
 * (Köhler, Klein, Noé 2019).
 */
export function kernelField(p: KernelFieldParameters, t: number, x: Float64Array, N: number, D: number): TwinRates {
  const velocity = new Float64Array(N * D);
  let divergence = 0;
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) {
      if (j === i) continue;
      let squared = 0;
      for (let a = 0; a < D; a++) squared += (x[i * D + a] - x[j * D + a]) ** 2;
      const d = Math.sqrt(squared);
      const f = radial(p, t, d);
      for (let a = 0; a < D; a++) velocity[i * D + a] += (x[i * D + a] - x[j * D + a]) * f.value;
      divergence += d * f.slope + D * f.value;
    }
  }
  return { velocity, divergence };
}
