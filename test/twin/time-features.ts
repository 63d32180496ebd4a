/** K̂_m(t) = e_m/(1e-6 + Σ_l e_l) with e_m = exp(−(t−μ_m)²/γ_m²), as the formula stands; shape [M]. */
export function twinTimeFeatures(muTime: Float64Array, logGammaTime: Float64Array, t: number): Float64Array {
  const e = muTime.map((mu, m) => Math.exp(-((t - mu) ** 2) / Math.exp(logGammaTime[m]) ** 2));
  const normaliser = 1e-6 + e.reduce((sum, value) => sum + value, 0);
  return e.map((value) => value / normaliser);
}
