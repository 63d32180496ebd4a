/**
 * Autocovariances about each chain's own mean, averaged over chains of equal length: shape [length], divisor `length` at every
 * lag (which keeps them positive definite).
 *
 * By FFT, padded so that nothing wraps around. Two chains ride in one transform as real and imaginary part: the real part of
 * the complex autocorrelation is the sum of both autocorrelations.
 */
export function meanAutocovariance(chains: readonly Float64Array[]): Float64Array {
  const length = chains[0].length;
  let size = 2;
  while (size < 2 * length) size *= 2;
  const power = new Float64Array(size);
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let c = 0; c < chains.length; c += 2) {
    re.fill(0).set(centred(chains[c]));
    im.fill(0);
    if (c + 1 < chains.length) im.set(centred(chains[c + 1]));
    fourierTransform(re, im);
    for (let k = 0; k < size; k++) power[k] += re[k] ** 2 + im[k] ** 2;
  }
  // The real part of a transform of real numbers is even: forward and inverse transform agree up to 1/size.
  im.fill(0);
  fourierTransform(power, im);
  return power.slice(0, length).map((sum) => sum / (size * length * chains.length));
}

function centred(values: Float64Array): Float64Array {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  return values.map((value) => value - mean);
}

/** Radix-2 fast Fourier transform in place; the length is a power of two. */
export function fourierTransform(re: Float64Array, im: Float64Array): void {
  const size = re.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [re[i], re[j]] = [re[j], re[i]];
    [im[i], im[j]] = [im[j], im[i]];
  }
  const cos = new Float64Array(size / 2);
  const sin = new Float64Array(size / 2);
  for (let k = 0; k < size / 2; k++) {
    cos[k] = Math.cos((2 * Math.PI * k) / size);
    sin[k] = -Math.sin((2 * Math.PI * k) / size);
  }
  for (let half = 1; half < size; half *= 2) {
    const stride = size / (2 * half);
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const a = start + k;
        const b = a + half;
        const tr = re[b] * cos[k * stride] - im[b] * sin[k * stride];
        const ti = re[b] * sin[k * stride] + im[b] * cos[k * stride];
        re[b] = re[a] - tr;
        im[b] = im[a] - ti;
        re[a] += tr;
        im[a] += ti;
      }
    }
  }
}
