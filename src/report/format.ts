import type { Uncertain } from '../experiment/record.js';

/** What stands where a number does not exist. */
export const NO_VALUE = '–';

const MINUS = '−';
const THIN_SPACE = '\u2009';
/** Beyond these powers of ten a number is written with an exponent. */
const LARGEST_PLAIN = 6;
const SMALLEST_PLAIN = -5;

const SUPERSCRIPT: Readonly<Record<string, string>> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
};

/** Fixed decimals with a true minus sign; never "−0". */
export function formatNumber(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return NO_VALUE;
  const digits = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(digits) !== 0 ? MINUS + digits : digits;
}

/** Whole numbers with thousands set apart from five digits on. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return NO_VALUE;
  const digits = formatNumber(value, 0);
  return Math.abs(value) < 10_000 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
}

/**
 * A value with one standard error in the last digits, as in 29.6845(5). The error keeps one significant digit, two if the
 * first is 1, so that rounding changes it by less than a third. An error of 0 marks digits that are exact as they stand; an
 * unknown one is written (?).
 */
export function formatUncertain({ value, standardError }: Uncertain): string {
  if (!Number.isFinite(value)) return NO_VALUE;
  const error = Number.isFinite(standardError) ? Math.abs(standardError) : undefined;
  if (error === 0) return formatSignificant(value, 6);
  if (error === undefined) return `${formatSignificant(value, 4)}(?)`;
  const order = orderOf(Math.max(Math.abs(value), error));
  if (order >= LARGEST_PLAIN || order <= SMALLEST_PLAIN) {
    const scale = 10 ** order;
    return `${inLastDigits(value / scale, error / scale)}·10${superscript(order)}`;
  }
  return inLastDigits(value, error);
}

/** A fraction in per cent, with its error as in `formatUncertain`; none where the error is absent. */
export function formatPercent({ value, standardError }: Uncertain): string {
  const text = formatUncertain({ value: 100 * value, standardError: 100 * standardError });
  return text === NO_VALUE ? text : `${text} %`;
}

/** A fraction in per cent to two significant digits, for figures and captions. */
export function formatShare(fraction: number): string {
  if (!Number.isFinite(fraction)) return NO_VALUE;
  const percent = 100 * fraction;
  if (percent === 0) return '0 %';
  if (Math.abs(percent) < 0.01) return '< 0.01 %';
  return `${formatNumber(percent, Math.max(0, 1 - orderOf(Math.abs(percent))))} %`;
}

/** How far a measurement lies from a known value, in standard errors of both together. */
export function deviation(measured: Uncertain, known: Uncertain): number {
  return (measured.value - known.value) / Math.hypot(measured.standardError, known.standardError);
}

export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return NO_VALUE;
  if (seconds < 1) return `${formatNumber(1000 * seconds, 0)} ms`;
  if (seconds < 10) return `${formatNumber(seconds, 1)} s`;
  if (seconds < 120) return `${formatNumber(seconds, 0)} s`;
  if (seconds < 7200) return `${formatNumber(seconds / 60, 1)} min`;
  return `${formatNumber(seconds / 3600, 1)} h`;
}

/** "a", "a and b", "a, b and c". */
export function formatList(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** Power of ten of the first digit, after rounding to two significant digits. */
function orderOf(magnitude: number): number {
  return Number(magnitude.toExponential(1).split('e')[1]);
}

function inLastDigits(value: number, error: number): string {
  const [mantissa, exponent] = error.toExponential(1).split('e');
  const digits = mantissa.startsWith('1') ? 2 : 1;
  // 9.6 rounds to 10, which shifts the order by one and has two digits again.
  const rounded = Number(error.toExponential(digits - 1));
  const last = Number(exponent) - digits + 1;
  if (last >= 0) {
    const unit = 10 ** last;
    return `${formatNumber(Math.round(value / unit) * unit, 0)}(${formatNumber(Math.round(rounded / unit) * unit, 0)})`;
  }
  // Between 1 and 10 (9.6 %) the error carries its own decimal point: 52.2(1.3), not 52.2(13).
  const shown = rounded >= 1 ? formatNumber(rounded, -last) : formatNumber(rounded * 10 ** -last, 0);
  return `${formatNumber(value, -last)}(${shown})`;
}

function formatSignificant(value: number, digits: number): string {
  if (value === 0) return '0';
  const order = orderOf(Math.abs(value));
  if (order >= LARGEST_PLAIN || order <= SMALLEST_PLAIN) {
    return `${formatSignificant(value / 10 ** order, digits)}·10${superscript(order)}`;
  }
  const decimals = Math.min(20, Math.max(0, digits - 1 - order));
  const text = formatNumber(value, decimals);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function superscript(order: number): string {
  return [...String(order)].map((character) => SUPERSCRIPT[character]).join('');
}
