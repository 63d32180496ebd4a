/** Exponent of a power law, with the standard error of the fit. */
export interface Exponent {
  readonly value: number;
  readonly standardError: number;
}

/**
 * b of t = a·n^b by least squares on logarithms.
 * @throws RangeError for fewer than three points or numbers that have no logarithm
 */
export function fitExponent(points: readonly { readonly n: number; readonly t: number }[]): Exponent {
  if (points.length < 3 || points.some(({ n, t }) => !(n > 0 && t > 0))) {
    throw new RangeError('a power law needs three points with positive coordinates');
  }
  const x = points.map(({ n }) => Math.log(n));
  const y = points.map(({ t }) => Math.log(t));
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const sxx = x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
  const value = x.reduce((sum, v, i) => sum + (v - mx) * (y[i] - my), 0) / sxx;
  const residual = x.reduce((sum, v, i) => sum + (y[i] - my - value * (v - mx)) ** 2, 0);
  return { value, standardError: Math.sqrt(residual / (points.length - 2) / sxx) };
}
