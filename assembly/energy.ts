// Target energies and gradients as a sum of terms over blocks. A term is eight f64: kind, scale, then its constants:
//   0 double well   scale·Σ_{i<j} a(d−d0)⁴ + b(d−d0)² + c        a, b, c, d0
//   1 Lennard-Jones scale·Σ_{i<j} ε[(rMin/d)¹² − 2(rMin/d)⁶]      ε, rMin
//   2 harmonic trap scale·½k Σ_i ‖x_i − x̄‖²                       k

import { VECTOR, accumulate, lanes } from './lanes';

const DOUBLE_WELL: i32 = 0;
const LENNARD_JONES: i32 = 1;
const TERM_BYTES: usize = 64;

/** u(d) of one pair and, as `slope`·r, its gradient; returns u and stores (du/dd)/d at `slope` when asked for. */
// @ts-ignore: decorator
@inline
function pair<T extends number>(kind: i32, term: usize, squared: v128, withGradient: bool, slope: usize): v128 {
  if (kind == DOUBLE_WELL) {
    const a = v128.splat<T>(<T>load<f64>(term, 16));
    const b = v128.splat<T>(<T>load<f64>(term, 24));
    const c = v128.splat<T>(<T>load<f64>(term, 32));
    const d = v128.sqrt<T>(squared);
    const s = v128.sub<T>(d, v128.splat<T>(<T>load<f64>(term, 40)));
    const s2 = v128.mul<T>(s, s);
    const as2 = v128.mul<T>(a, s2);
    if (withGradient) {
      const inner = v128.add<T>(v128.add<T>(as2, as2), b);
      v128.store(slope, v128.div<T>(v128.mul<T>(v128.add<T>(inner, inner), s), d));
    }
    return v128.add<T>(v128.mul<T>(v128.add<T>(as2, b), s2), c);
  }
  const epsilon = v128.splat<T>(<T>load<f64>(term, 16));
  const rMin = load<f64>(term, 24);
  const inverse = v128.div<T>(v128.splat<T>(<T>1), squared);
  const ratio = v128.mul<T>(v128.splat<T>(<T>(rMin * rMin)), inverse);
  const q = v128.mul<T>(v128.mul<T>(ratio, ratio), ratio);
  if (withGradient) {
    const force = v128.mul<T>(v128.sub<T>(q, v128.mul<T>(q, q)), v128.splat<T>(<T>12));
    v128.store(slope, v128.mul<T>(v128.mul<T>(epsilon, force), inverse));
  }
  return v128.mul<T>(epsilon, v128.mul<T>(q, v128.sub<T>(q, v128.splat<T>(<T>2))));
}

// @ts-ignore: decorator
@inline
function pairTerm<T extends number>(
  D: i32,
  kind: i32,
  withGradient: bool,
  term: usize,
  x: usize,
  energy: usize,
  gradient: usize,
  particles: i32,
  blocks: i32,
  scratch: usize,
): void {
  const stride = <usize>D * VECTOR;
  const block = <usize>particles * stride;
  const scale = v128.splat<T>(<T>load<f64>(term, 8));
  for (let n = 0; n < blocks; n++) {
    const stop = x + block;
    for (let xi = x; xi < stop - stride; xi += stride) {
      const gi = gradient + (xi - x);
      const a = v128.load(xi);
      const b = v128.load(xi, 16);
      let c = a;
      if (D == 3) c = v128.load(xi, 32);
      let row = v128.splat<T>(<T>0);
      let ga = row;
      let gb = row;
      let gc = row;
      for (let xj = xi + stride; xj < stop; xj += stride) {
        const r0 = v128.sub<T>(a, v128.load(xj));
        const r1 = v128.sub<T>(b, v128.load(xj, 16));
        let r2 = r0;
        let squared = v128.add<T>(v128.mul<T>(r0, r0), v128.mul<T>(r1, r1));
        if (D == 3) {
          r2 = v128.sub<T>(c, v128.load(xj, 32));
          squared = v128.add<T>(squared, v128.mul<T>(r2, r2));
        }
        row = v128.add<T>(row, pair<T>(kind, term, squared, withGradient, scratch));
        if (withGradient) {
          const gj = gradient + (xj - x);
          const slope = v128.mul<T>(scale, v128.load(scratch));
          const g0 = v128.mul<T>(r0, slope);
          const g1 = v128.mul<T>(r1, slope);
          ga = v128.add<T>(ga, g0);
          gb = v128.add<T>(gb, g1);
          v128.store(gj, v128.sub<T>(v128.load(gj), g0));
          v128.store(gj, v128.sub<T>(v128.load(gj, 16), g1), 16);
          if (D == 3) {
            const g2 = v128.mul<T>(r2, slope);
            gc = v128.add<T>(gc, g2);
            v128.store(gj, v128.sub<T>(v128.load(gj, 32), g2), 32);
          }
        }
      }
      accumulate<T>(energy, v128.mul<T>(scale, row));
      if (withGradient) {
        v128.store(gi, v128.add<T>(v128.load(gi), ga));
        v128.store(gi, v128.add<T>(v128.load(gi, 16), gb), 16);
        if (D == 3) v128.store(gi, v128.add<T>(v128.load(gi, 32), gc), 32);
      }
    }
    x += block;
    gradient += withGradient ? block : 0;
    energy += lanes<T>() * 8;
  }
}

// @ts-ignore: decorator
@inline
function trapTerm<T extends number>(
  withGradient: bool,
  term: usize,
  x: usize,
  energy: usize,
  gradient: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
): void {
  const stiffness = v128.splat<T>(<T>(load<f64>(term, 8) * load<f64>(term, 16)));
  const half = v128.splat<T>(<T>0.5);
  const invN = v128.splat<T>(<T>(1.0 / <f64>particles));
  const stride = <usize>dimensions * VECTOR;
  const block = <usize>particles * stride;
  for (let n = 0; n < blocks; n++) {
    for (let axis: usize = 0; axis < stride; axis += VECTOR) {
      let mean = v128.splat<T>(<T>0);
      for (let p = axis; p < block; p += stride) mean = v128.add<T>(mean, v128.load(x + p));
      mean = v128.mul<T>(mean, invN);
      let sum = v128.splat<T>(<T>0);
      for (let p = axis; p < block; p += stride) {
        const r = v128.sub<T>(v128.load(x + p), mean);
        sum = v128.add<T>(sum, v128.mul<T>(r, r));
        if (withGradient) {
          const g = gradient + p;
          v128.store(g, v128.add<T>(v128.load(g), v128.mul<T>(stiffness, r)));
        }
      }
      accumulate<T>(energy, v128.mul<T>(v128.mul<T>(half, stiffness), sum));
    }
    x += block;
    gradient += withGradient ? block : 0;
    energy += lanes<T>() * 8;
  }
}

// @ts-ignore: decorator
@inline
function addTerms<T extends number>(
  D: i32,
  withGradient: bool,
  terms: usize,
  count: i32,
  x: usize,
  energy: usize,
  gradient: usize,
  particles: i32,
  blocks: i32,
  scratch: usize,
): void {
  for (let t = 0; t < count; t++, terms += TERM_BYTES) {
    const kind = <i32>load<f64>(terms);
    if (kind == DOUBLE_WELL) {
      pairTerm<T>(D, DOUBLE_WELL, withGradient, terms, x, energy, gradient, particles, blocks, scratch);
    } else if (kind == LENNARD_JONES) {
      pairTerm<T>(D, LENNARD_JONES, withGradient, terms, x, energy, gradient, particles, blocks, scratch);
    } else trapTerm<T>(withGradient, terms, x, energy, gradient, particles, D, blocks);
  }
}

/**
 * Energies (f64 per sample, written) and, unless `gradient` is 0, gradients (blocks of T, written) of blocks at `x`.
 * `scratch` holds one vector.
 */
export function potential<T extends number>(
  terms: usize,
  count: i32,
  x: usize,
  energy: usize,
  gradient: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  memory.fill(energy, 0, <usize>(blocks * lanes<T>() * 8));
  if (gradient != 0) {
    memory.fill(gradient, 0, <usize>(blocks * particles * dimensions) * VECTOR);
    if (dimensions == 3) addTerms<T>(3, true, terms, count, x, energy, gradient, particles, blocks, scratch);
    else addTerms<T>(2, true, terms, count, x, energy, gradient, particles, blocks, scratch);
  } else if (dimensions == 3) addTerms<T>(3, false, terms, count, x, energy, 0, particles, blocks, scratch);
  else addTerms<T>(2, false, terms, count, x, energy, 0, particles, blocks, scratch);
}
