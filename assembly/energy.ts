// Target energies and gradients as a sum of terms over blocks. A term is eight f64: kind, scale, constants, mask:
//   0 double well   scale·Σ_{i<j} a(d−d0)⁴ + b(d−d0)² + c        a, b, c, d0
//   1 Lennard-Jones scale·Σ_{i<j} ε[(rMin/d)¹² − 2(rMin/d)⁶]      ε, rMin
//   2 harmonic trap scale·½k Σ_i ‖x_i − x̄‖²                       k
//   3 tabulated     scale·Σ_{i<j} u(d)                            dMin, 1/h, intervals, address of the table of T
// The last number is the address of a mask [N][N] of bytes, 1 where the pair counts, or 0 where all pairs do.
//
// A table has intervals + 2 rows c0 … c3 of T: the linear core below dMin, the cubics, and the constant beyond dMax.

import { VECTOR, accumulate, lanes } from './lanes';

const DOUBLE_WELL: i32 = 0;
const LENNARD_JONES: i32 = 1;
const TRAP: i32 = 2;
const TABULATED: i32 = 3;
const TERM_BYTES: usize = 64;

/** u(d) from a table and (du/dd)/d at `slope` when asked for. Lanes look up their rows one by one. */
// @ts-ignore: decorator
@inline
function tabulated<T extends number>(term: usize, squared: v128, withGradient: bool, slope: usize): v128 {
  const table = <usize>load<f64>(term, 40);
  const invSpacing = load<f64>(term, 24);
  const last = <T>load<f64>(term, 32);
  const d = v128.sqrt<T>(squared);
  const half = v128.splat<T>(<T>0.5);
  const scaled = v128.mul<T>(v128.sub<T>(d, v128.splat<T>(<T>load<f64>(term, 16))), v128.splat<T>(<T>invSpacing));
  const z = v128.sub<T>(scaled, half);
  // NaN takes the first row; the fraction u stays NaN and makes the energy NaN
  const row = v128.nearest<T>(v128.pmin<T>(v128.splat<T>(last), v128.pmax<T>(v128.splat<T>(<T>-1), z)));
  const u = v128.sub<T>(z, row);
  v128.store(slope, row);
  for (let lane = 0; lane < lanes<T>(); lane++) {
    const p = table + <usize>(<i32>load<T>(slope + <usize>lane * sizeof<T>()) + 1) * (4 * sizeof<T>());
    store<T>(slope + VECTOR + <usize>lane * sizeof<T>(), load<T>(p));
    store<T>(slope + 2 * VECTOR + <usize>lane * sizeof<T>(), load<T>(p + sizeof<T>()));
    store<T>(slope + 3 * VECTOR + <usize>lane * sizeof<T>(), load<T>(p + 2 * sizeof<T>()));
    store<T>(slope + 4 * VECTOR + <usize>lane * sizeof<T>(), load<T>(p + 3 * sizeof<T>()));
  }
  const c0 = v128.load(slope, 16);
  const c1 = v128.load(slope, 32);
  const c2 = v128.load(slope, 48);
  const c3 = v128.load(slope, 64);
  const cubic = v128.mul<T>(c3, u);
  const a = v128.add<T>(cubic, c2);
  const b = v128.add<T>(v128.mul<T>(a, u), c1);
  if (withGradient) {
    const inner = v128.add<T>(v128.mul<T>(v128.add<T>(a, cubic), u), b);
    v128.store(slope, v128.div<T>(v128.mul<T>(inner, v128.splat<T>(<T>invSpacing)), d));
  }
  return v128.add<T>(v128.mul<T>(b, u), c0);
}

/** u(d) of one pair and, as `slope`·r, its gradient; returns u and stores (du/dd)/d at `slope` when asked for. */
// @ts-ignore: decorator
@inline
function pair<T extends number>(kind: i32, term: usize, squared: v128, withGradient: bool, slope: usize): v128 {
  if (kind == TABULATED) return tabulated<T>(term, squared, withGradient, slope);
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
  masked: bool,
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
  const mask = <usize>load<f64>(term, 48);
  for (let n = 0; n < blocks; n++) {
    const stop = x + block;
    let counts = mask;
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
      if (masked) counts = mask + ((xi - x) / stride) * <usize>(particles + 1);
      for (let xj = xi + stride; xj < stop; xj += stride) {
        if (masked) {
          counts++;
          if (load<u8>(counts) == 0) continue;
        }
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
function pairTermOfKind<T extends number>(
  D: i32,
  withGradient: bool,
  masked: bool,
  kind: i32,
  term: usize,
  x: usize,
  energy: usize,
  gradient: usize,
  particles: i32,
  blocks: i32,
  scratch: usize,
): void {
  if (kind == DOUBLE_WELL) {
    pairTerm<T>(D, DOUBLE_WELL, withGradient, masked, term, x, energy, gradient, particles, blocks, scratch);
  } else if (kind == LENNARD_JONES) {
    pairTerm<T>(D, LENNARD_JONES, withGradient, masked, term, x, energy, gradient, particles, blocks, scratch);
  } else pairTerm<T>(D, TABULATED, withGradient, masked, term, x, energy, gradient, particles, blocks, scratch);
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
    if (kind == TRAP) trapTerm<T>(withGradient, terms, x, energy, gradient, particles, D, blocks);
    else if (load<f64>(terms, 48) != 0) {
      pairTermOfKind<T>(D, withGradient, true, kind, terms, x, energy, gradient, particles, blocks, scratch);
    } else pairTermOfKind<T>(D, withGradient, false, kind, terms, x, energy, gradient, particles, blocks, scratch);
  }
}

/**
 * Energies (f64 per sample, written) and, unless `gradient` is 0, gradients (blocks of T, written) of blocks at `x`.
 * `scratch` holds five vectors.
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
