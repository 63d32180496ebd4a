/** Distribution function of the standard normal (Abramowitz & Stegun 26.2.17, error below 7.5e-8). */
export function normalCdf(x: number): number {
  const k = 1 / (1 + 0.2316419 * Math.abs(x));
  const poly = k * (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
  const upper = (Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)) * poly;
  return x > 0 ? 1 - upper : upper;
}

/** √n times the largest distance between the empirical distribution function of `values` and `cdf`: P(> λ) → 2 e^{−2λ²}, 1e-6 at λ = 2.69. */
export function kolmogorov(values: Float64Array, cdf: (x: number) => number): number {
  const n = values.length;
  let distance = 0;
  values
    .slice()
    .sort()
    .forEach((value, i) => {
      const p = cdf(value);
      distance = Math.max(distance, p - i / n, (i + 1) / n - p);
    });
  return distance * Math.sqrt(n);
}
