/** Keeps the normaliser away from 0 where all features vanish; the same constant as the radial basis has. */
const FLOOR = 1e-6;

/**
 * Normalised Gaussian features of time K̂_m(t) = e_m/(1e-6 + Σ_l e_l), e_m = exp(−(t−μ_m)²/γ_m²), shape [times, M].
 * The kernel and the dense field share them (Köhler, Klein, Noé 2019).
 */
export function timeFeatures(mu: Float64Array, logGamma: Float64Array, times: ArrayLike<number>): Float64Array {
  const M = mu.length;
  const invGamma = logGamma.map((value) => Math.exp(-value));
  const features = new Float64Array(times.length * M);
  for (let s = 0, row = 0; s < times.length; s++, row += M) {
    const t = times[s];
    let sum = FLOOR;
    for (let m = 0; m < M; m++) {
      const u = (t - mu[m]) * invGamma[m];
      const e = Math.exp(-u * u);
      features[row + m] = e;
      sum += e;
    }
    for (let m = 0; m < M; m++) features[row + m] /= sum;
  }
  return features;
}

/** Cotangents of centres and log-widths [M], given the features and their cotangents [times, M]. */
export function timeFeaturesReverse(
  mu: Float64Array,
  logGamma: Float64Array,
  times: ArrayLike<number>,
  features: ArrayLike<number>,
  featuresBar: ArrayLike<number>,
): { muTime: Float64Array; logGammaTime: Float64Array } {
  const M = mu.length;
  const invGamma = logGamma.map((value) => Math.exp(-value));
  const muTime = new Float64Array(M);
  const logGammaTime = new Float64Array(M);
  for (let s = 0, row = 0; s < times.length; s++, row += M) {
    let mean = 0;
    for (let m = 0; m < M; m++) mean += features[row + m] * featuresBar[row + m];
    for (let m = 0; m < M; m++) {
      const exponentBar = features[row + m] * (featuresBar[row + m] - mean);
      const u = (times[s] - mu[m]) * invGamma[m];
      muTime[m] += 2 * exponentBar * u * invGamma[m];
      logGammaTime[m] += 2 * exponentBar * u * u;
    }
  }
  return { muTime, logGammaTime };
}

/** `count` centres evenly over [0, 1], all of width `gamma`. */
export function uniformTimes(count: number, gamma: number): { muTime: Float64Array; logGammaTime: Float64Array } {
  return {
    muTime: Float64Array.from({ length: count }, (_, m) => (count === 1 ? 0.5 : m / (count - 1))),
    logGammaTime: new Float64Array(count).fill(Math.log(gamma)),
  };
}
