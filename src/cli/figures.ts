import type { Estimate } from '../estimate.js';

type Figure = Pick<Estimate, 'value' | 'standardError'>;

/** Beyond these, digits and zeros hide what they should show. */
const LARGEST = 1e7;
const MOST_DECIMALS = 8;

const power = (x: number) => Math.floor(Math.log10(x));

/** Value and error alone, as JSON has them. */
export function figure({ value, standardError }: Figure): Figure {
  return { value, standardError };
}

/**
 * `1.2345 ± 0.0067`, or that there is no error bar. Where the error is smaller than the last of `decimals` there are more of them, and
 * what would be mere zeros or a row of digits is in powers of ten: `3.3e+17 ± 3.2e+17`.
 */
export function figureText({ value, standardError }: Figure, decimals = 4): string {
  const size = Math.abs(value);
  const known = Number.isFinite(standardError);
  const finest = known ? standardError : size;
  const needed = finest > 0 && finest < 10 ** -decimals / 2 ? 1 - power(finest) : decimals;
  const exponential = Math.max(size, known ? standardError : 0) >= LARGEST || needed > MOST_DECIMALS;
  // As many digits of the value as reach the second one of its error.
  const digits = known && size > standardError ? 1 + power(size) - power(standardError) : 1;
  const text = (x: number, n: number) => (exponential ? x.toExponential(Math.min(n, 15)) : x.toFixed(needed));
  return known ? `${text(value, digits)} ± ${text(standardError, 1)}` : `${text(value, decimals)}, no error bar`;
}
