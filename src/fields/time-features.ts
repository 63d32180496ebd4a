/** Keeps the normaliser away from 0 where all features vanish; the same constant as the radial basis has. */
const FLOOR = 1e-6;

/**
 * Normalised Gaussian features of time K̂_m(t) = e_m/(1e-6 + Σ_l e_l), e_m = exp(−(t−μ_m)²/γ_m²), shape [M].
 * The kernel and the dense field share them (Köhler, Klein, Noé 2019).
 */
export function timeFeatures(mu: Float64Array, logGamma: Float64Array, t: number): Float64Array {
  const features = new Float64Array(mu.length);
  let sum = FLOOR;
  for (let m = 0; m < mu.length; m++) {
    features[m] = Math.exp(-(((t - mu[m]) / Math.exp(logGamma[m])) ** 2));
    sum += features[m];
  }
  return features.map((e) => e / sum);
}

/** Adds to `muBar`, `logGammaBar` [M] the cotangents of centres and log-widths, given those of the features at `t`. */
export function timeFeaturesReverse(
  mu: Float64Array,
  logGamma: Float64Array,
  t: number,
  featuresBar: Float64Array,
  muBar: Float64Array,
  logGammaBar: Float64Array,
): void {
  const features = timeFeatures(mu, logGamma, t);
  let mean = 0;
  for (let m = 0; m < mu.length; m++) mean += features[m] * featuresBar[m];
  for (let m = 0; m < mu.length; m++) {
    const exponentBar = features[m] * (featuresBar[m] - mean);
    const u = (t - mu[m]) / Math.exp(logGamma[m]);
    muBar[m] += (exponentBar * 2 * u) / Math.exp(logGamma[m]);
    logGammaBar[m] += exponentBar * 2 * u * u;
  }
}

/** `count` centres evenly over [0, 1], all of width `gamma`. */
export function uniformTimes(count: number, gamma: number): { muTime: Float64Array; logGammaTime: Float64Array } {
  return {
    muTime: Float64Array.from({ length: count }, (_, m) => (count === 1 ? 0.5 : m / (count - 1))),
    logGammaTime: new Float64Array(count).fill(Math.log(gamma)),
  };
}
