/*
 * log Z, ⟨U⟩ and the entropy of dw4 by quadrature, without any sampling.
 *
 * Two of the four particles stand at (±r/2, 0); what is left to integrate over are r and the positions y, z of the others:
 *
 *   Z = (2π/N) ∫ r e^{−u(r)} [∬ g(y) h(y − z) g(z) dy dz] dr,   g(y) = e^{−u(|y − r/2|) − u(|y + r/2|)},   h = e^{−u}
 *
 * 1/N turns relative coordinates into the Lebesgue measure on the mean-free subspace (N^{−D/2}, D = 2), 2π is the angle.
 * The double integral is Σ_k |ĝ|² ĥ on a periodic grid. All functions are smooth and vanish beyond d ≈ 7, so that the sums
 * converge faster than any power of the spacing; a second, finer grid shows it.
 */
import { systemFromSpec } from 'equiflow';

const { a, b, d0 } = systemFromSpec('dw4').terms[0];
const u = (d) => a * (d - d0) ** 4 + b * (d - d0) ** 2;
const slope = (d) => 4 * a * (d - d0) ** 3 + 2 * b * (d - d0);

/** Fourier transform in place, n a power of two; element j stands at first + j·stride. */
function transform(re, im, first, stride, n, roots) {
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    const [p, q] = [first + i * stride, first + j * stride];
    [re[p], re[q], im[p], im[q]] = [re[q], re[p], im[q], im[p]];
  }
  for (let half = 1; half < n; half *= 2) {
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const turn = (k * n) / (2 * half);
        const p = first + (start + k) * stride;
        const q = p + half * stride;
        const x = roots.cos[turn] * re[q] - roots.sin[turn] * im[q];
        const y = roots.cos[turn] * im[q] + roots.sin[turn] * re[q];
        [re[q], im[q]] = [re[p] - x, im[p] - y];
        re[p] += x;
        im[p] += y;
      }
    }
  }
}

/** Moments of the distance r between two particles on a grid of n × n points over a square of side `side`. */
function moments(n, side, dr) {
  const spacing = side / n;
  const angle = (k) => (-2 * Math.PI * k) / n;
  const roots = {
    cos: Float64Array.from({ length: n / 2 }, (_, k) => Math.cos(angle(k))),
    sin: Float64Array.from({ length: n / 2 }, (_, k) => Math.sin(angle(k))),
  };
  const onGrid = (f) => {
    const re = new Float64Array(n * n);
    const im = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        // Coordinates wrap, so that distances are those of a periodic square.
        re[i * n + j] = f((i < n / 2 ? i : i - n) * spacing, (j < n / 2 ? j : j - n) * spacing);
      }
    }
    for (let i = 0; i < n; i++) transform(re, im, i * n, 1, n, roots);
    for (let j = 0; j < n; j++) transform(re, im, j, n, n, roots);
    return { re, im };
  };
  const h = onGrid((x, y) => Math.exp(-u(Math.hypot(x, y)))).re;
  const sum = { Z: 0, r: 0, r2: 0, u: 0, virial: 0 };
  for (let r = dr / 2; r < 7.5; r += dr) {
    const g = onGrid((x, y) => Math.exp(-u(Math.hypot(x - r / 2, y)) - u(Math.hypot(x + r / 2, y))));
    let inner = 0;
    for (let k = 0; k < n * n; k++) inner += (g.re[k] ** 2 + g.im[k] ** 2) * h[k];
    const weight = (2 * Math.PI * r * Math.exp(-u(r)) * inner * spacing ** 4 * dr) / (4 * n * n);
    sum.Z += weight;
    sum.r += weight * r;
    sum.r2 += weight * r * r;
    sum.u += weight * u(r);
    sum.virial += weight * r * slope(r);
  }
  const pairs = 6;
  const logZ = Math.log(sum.Z);
  const meanEnergy = (pairs * sum.u) / sum.Z;
  return {
    logZ,
    meanEnergy,
    entropy: logZ + meanEnergy,
    meanPairDistance: sum.r / sum.Z,
    meanSquaredNorm: ((pairs / 4) * sum.r2) / sum.Z,
    virial: (pairs * sum.virial) / sum.Z,
  };
}

const [coarse, fine] = [moments(256, 24, 0.1), moments(256, 22, 0.08)];
for (const name of Object.keys(fine)) {
  console.log(`${name.padEnd(17)} ${fine[name].toFixed(6).padStart(11)}   other grid ${coarse[name].toFixed(6)}`);
}
