/** Four 32-bit words. */
export type Words = readonly [number, number, number, number];

/** High and low word of the 64-bit product of two 32-bit words, by 16-bit halves. */
function multiply(a: number, b: number): { high: number; low: number } {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  // Each sum stays below 2^32, so it is exact.
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return { high: (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) >>> 0, low: Math.imul(a, b) >>> 0 };
}

/** Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC'11). */
export function philox4x32(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const even = multiply(0xd2511f53, c0);
    const odd = multiply(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(odd.high ^ c1 ^ k0) >>> 0, odd.low, (even.high ^ c3 ^ k1) >>> 0, even.low];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The upper 52 bits of the 64-bit number high·2³² + low, as a multiple of 2⁻⁵² in [0, 1). */
function fraction(low: number, high: number): number {
  return (high * 2 ** 20 + (low >>> 12)) / 2 ** 52;
}

/**
 * The oracle for the kernels' standard normals (Box–Muller with 52-bit uniforms): key (seed, stream), counter
 * (index, draw, third); draw d gives coordinates 2d and 2d+1 of sample `index`.
 */
export function philoxNormals(
  seed: number,
  stream: number,
  index: number,
  coordinates: number,
  third = 0,
): Float64Array {
  const normals = new Float64Array(coordinates);
  for (let c = 0; c < coordinates; c += 2) {
    const counter: Words = [index >>> 0, Math.floor(index / 2 ** 32), c / 2, third];
    const [w0, w1, w2, w3] = philox4x32(counter, [seed, stream]);
    const radius = Math.sqrt(-2 * Math.log(1 - fraction(w0, w1)));
    const angle = 2 * Math.PI * fraction(w2, w3);
    normals[c] = radius * Math.cos(angle);
    if (c + 1 < coordinates) normals[c + 1] = radius * Math.sin(angle);
  }
  return normals;
}

/** Words of the momenta of a chain at a step, in pairs: radius and angle. */
function momentumWords(seed: number, stream: number, chain: number, step: number, pair: number): [number, number] {
  const words = philox4x32([chain, 0, pair >> 1, step], [seed, stream]);
  return [words[pair & 1], words[2 + (pair & 1)]];
}

/** −2 ln u for u = (⌊word/2⌋ + ½)·2⁻³¹ in single precision. */
const minusTwiceLog = (word: number) => -2 * Math.log(Math.fround((word >>> 1) + 0.5) / 2 ** 31);

/**
 * The oracle for the momenta of Markov chains: Box–Muller of 32-bit uniforms in f64. Key (seed, stream), counter (chain, 0, draw,
 * step); words 0 and 2, 1 and 3 of draw d give the pairs 2d and 2d+1, of which the last decides about acceptance.
 */
export function philoxMomenta(seed: number, stream: number, chain: number, step: number, numbers: number) {
  const normals = new Float64Array(numbers);
  for (let i = 0; i < numbers; i += 2) {
    const [radiusWord, angleWord] = momentumWords(seed, stream, chain, step, i / 2);
    const radius = Math.sqrt(minusTwiceLog(radiusWord)) * (angleWord >>> 31 ? -1 : 1);
    const angle = (Math.PI * (angleWord << 1)) / 2 ** 32;
    normals[i] = radius * Math.cos(angle);
    if (i + 1 < numbers) normals[i + 1] = radius * Math.sin(angle);
  }
  const [decision, word] = momentumWords(seed, stream, chain, step, Math.ceil(numbers / 2));
  return { normals, minusTwiceLog: minusTwiceLog(decision), word: word | 0 };
}
