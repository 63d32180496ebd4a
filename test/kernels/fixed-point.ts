// Elementary functions to 200 bits in BigInt fixed point: slow, short, and far more exact than what they judge.

const BITS = 200n;
const ONE = 1n << BITS;

/** An f64 in units of 2^−200; exact for |x| ≥ 2^−148. */
export function toFixed(x: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(x).buffer)[0];
  const exponent = (bits >> 52n) & 0x7ffn;
  const magnitude = (bits & 0xfffffffffffffn) | (exponent === 0n ? 0n : 1n << 52n);
  const shift = (exponent === 0n ? 1n : exponent) - 1075n + BITS;
  const value = shift >= 0n ? magnitude << shift : magnitude >> -shift;
  return x < 0 ? -value : value;
}

/** The nearest f64, good to a few digits where it serves for error measures. */
export function toNumber(x: bigint): number {
  return Number(x) / 2 ** Number(BITS);
}

function multiply(a: bigint, b: bigint): bigint {
  return (a * b) >> BITS;
}

/** Σ_{j odd} s^j/j, |s| < 1. */
function atanhFixed(s: bigint): bigint {
  const square = multiply(s, s);
  let sum = 0n;
  for (let [power, j] = [s, 1n]; power !== 0n && power !== -1n; power = multiply(power, square), j += 2n)
    sum += power / j;
  return sum;
}

const LN2 = 2n * atanhFixed(ONE / 3n);

/** π by Machin's formula. */
const PI = (() => {
  const arctan = (n: bigint) => {
    let sum = 0n;
    for (let [power, j] = [ONE / n, 1n]; power !== 0n; power /= n * n, j += 2n)
      sum += j % 4n === 1n ? power / j : -(power / j);
    return sum;
  };
  return 4n * (4n * arctan(5n) - arctan(239n));
})();

/** e^x = mantissa·2^exponent with mantissa in about [√½, √2]. */
export function expFixed(x: number): { mantissa: bigint; exponent: number } {
  const exponent = Math.round(x / Math.LN2);
  const r = toFixed(x) - BigInt(exponent) * LN2;
  let mantissa = 0n;
  for (let [term, j] = [ONE, 1n]; term !== 0n && term !== -1n; term = multiply(term, r) / j, j++) mantissa += term;
  return { mantissa, exponent };
}

/** tanh x = 1 − 2/(e^{2x} + 1) for |x| below 40. */
export function tanhFixed(x: number): bigint {
  const { mantissa, exponent } = expFixed(2 * x);
  const e = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa >> BigInt(-exponent);
  return ONE - (2n * ONE * ONE) / (e + ONE);
}

/** log x for normal x > 0. */
export function logFixed(x: number): bigint {
  const exponent = Math.floor(Math.log2(x));
  const m = toFixed(x * 2 ** -exponent);
  return BigInt(exponent) * LN2 + 2n * atanhFixed(((m - ONE) << BITS) / (m + ONE));
}

/** sin(2πu + quarter·π/2). */
export function sinTurnsFixed(u: number, quarter: 0 | 1): bigint {
  const turns = toFixed(u) + BigInt(quarter) * (ONE / 4n);
  // To the nearest multiple of a half turn, exactly.
  const halves = (2n * turns + ONE / 2n) >> BITS;
  const angle = multiply(turns - halves * (ONE / 2n), 2n * PI);
  const square = multiply(angle, angle);
  let sum = 0n;
  for (
    let [term, j] = [angle, 1n];
    term !== 0n && term !== -1n;
    term = -multiply(term, square) / ((j + 1n) * (j + 2n)), j += 2n
  ) {
    sum += term;
  }
  return halves % 2n === 0n ? sum : -sum;
}
