// Radial functions as uniform piecewise-cubic tables, and the reverse pass from table cotangents to parameters.
//
// f(t, d) = Σ_m K̂_m(t) F_m(d),  F_m(d) = Σ_k (R̂_k(d) + s_k²) W_km + b_m   (Köhler, Klein, Noé 2019; conventions in docs/)
//
// Knots stand at d_j = j·h, j = 0 … intervals; `knots` is their number rounded up to even so that a v128 holds two of them.
// Per time kernel m the knot values F_m and slopes h·F'_m are kept; a stage at time t blends those (two numbers a knot
// instead of four coefficients an interval) and only then expands to coefficients. Everything here is f64 but the
// coefficients, which are of the lane type that reads them.

import { VECTOR } from './lanes';
import { exp } from './math';

/** Keeps the normaliser of the radial basis away from 0 beyond the last centre. */
const BASIS_FLOOR: f64 = 1e-6;

/**
 * Normalised Gaussian basis R̂_k and slopes dR̂_k/dd at all knots: `basis`, `slopes` are [kernels][knots].
 * `scratch` holds `kernels` vectors.
 */
export function radialBasis(
  mu: usize,
  gamma: usize,
  kernels: i32,
  knots: i32,
  spacing: f64,
  basis: usize,
  slopes: usize,
  scratch: usize,
): void {
  const row = <usize>knots << 3;
  for (let j = 0; j < knots; j += 2) {
    const d = f64x2.replace_lane(f64x2.splat(<f64>j * spacing), 1, <f64>(j + 1) * spacing);
    let sum = f64x2.splat(BASIS_FLOOR);
    let slopeSum = f64x2.splat(0);
    let e = basis + (<usize>j << 3);
    for (let k: usize = 0; k < <usize>kernels; k++) {
      const invGamma = f64x2.splat(1 / load<f64>(gamma + (k << 3)));
      const u = f64x2.mul(f64x2.sub(d, v128.load64_splat(mu + (k << 3))), invGamma);
      const value = exp<f64>(f64x2.neg(f64x2.mul(u, u)));
      const logSlope = f64x2.mul(f64x2.mul(u, invGamma), f64x2.splat(-2));
      v128.store(e, value);
      v128.store(scratch + k * VECTOR, logSlope);
      sum = f64x2.add(sum, value);
      slopeSum = f64x2.add(slopeSum, f64x2.mul(value, logSlope));
      e += row;
    }
    const scale = f64x2.div(f64x2.splat(1), sum);
    const meanSlope = f64x2.mul(slopeSum, scale);
    e = basis + (<usize>j << 3);
    let s = slopes + (<usize>j << 3);
    for (let k: usize = 0; k < <usize>kernels; k++) {
      const value = f64x2.mul(v128.load(e), scale);
      v128.store(e, value);
      v128.store(s, f64x2.mul(value, f64x2.sub(v128.load(scratch + k * VECTOR), meanSlope)));
      e += row;
      s += row;
    }
  }
}

/**
 * Knot values and slopes of every time kernel: values = (R̂ + s²)ᵀW + b, slopes = h·R̂'ᵀW, both [times][knots].
 * `offsets` [times] holds Σ_k s_k² W_km + b_m; `weights` is [kernels][times].
 */
export function tableProducts(
  basis: usize,
  basisSlopes: usize,
  weights: usize,
  offsets: usize,
  kernels: i32,
  times: i32,
  knots: i32,
  spacing: f64,
  values: usize,
  slopes: usize,
): void {
  const row = <usize>knots << 3;
  const weightRow = <usize>times << 3;
  const h = f64x2.splat(spacing);
  for (let j: usize = 0; j < row; j += 2 * VECTOR) {
    // The last tile of an odd number of vectors overlaps the one before instead of running past the row.
    const at = min(j, row - 2 * VECTOR);
    for (let m: usize = 0; m < <usize>times; m++) {
      let v0 = v128.load64_splat(offsets + (m << 3));
      let v1 = v0;
      let s0 = f64x2.splat(0);
      let s1 = s0;
      let b = basis + at;
      let s = basisSlopes + at;
      let w = weights + (m << 3);
      for (let k = 0; k < kernels; k++) {
        const weight = v128.load64_splat(w);
        v0 = f64x2.add(v0, f64x2.mul(weight, v128.load(b)));
        v1 = f64x2.add(v1, f64x2.mul(weight, v128.load(b, 16)));
        s0 = f64x2.add(s0, f64x2.mul(weight, v128.load(s)));
        s1 = f64x2.add(s1, f64x2.mul(weight, v128.load(s, 16)));
        b += row;
        s += row;
        w += weightRow;
      }
      v128.store(values + m * row + at, v0);
      v128.store(values + m * row + at, v1, 16);
      v128.store(slopes + m * row + at, f64x2.mul(s0, h));
      v128.store(slopes + m * row + at, f64x2.mul(s1, h), 16);
    }
  }
}

/**
 * Coefficients of one stage: blends the time kernels with `kappa` [times] and writes `intervals` + 1 rows c0 … c3 of T for
 * f(u) = c0 + c1 u + c2 u² + c3 u³, u ∈ [−½, ½] across the interval. The last row is the constant tail.
 * `scratch` holds 2·knots f64.
 */
export function stageTable<T extends number>(
  values: usize,
  slopes: usize,
  kappa: usize,
  times: i32,
  knots: i32,
  intervals: i32,
  scratch: usize,
  out: usize,
): void {
  const row = <usize>knots << 3;
  for (let j: usize = 0; j < row; j += VECTOR) {
    let value = f64x2.splat(0);
    let slope = f64x2.splat(0);
    for (let m: usize = 0; m < <usize>times; m++) {
      const weight = v128.load64_splat(kappa + (m << 3));
      value = f64x2.add(value, f64x2.mul(weight, v128.load(values + m * row + j)));
      slope = f64x2.add(slope, f64x2.mul(weight, v128.load(slopes + m * row + j)));
    }
    v128.store(scratch + j, value);
    v128.store(scratch + row + j, slope);
  }
  for (let j = 0; j < intervals; j++) {
    const p = scratch + (<usize>j << 3);
    const f0 = load<f64>(p);
    const f1 = load<f64>(p, 8);
    const s0 = load<f64>(p + row);
    const s1 = load<f64>(p + row, 8);
    store<T>(out, <T>(0.5 * (f0 + f1) + 0.125 * (s0 - s1)));
    store<T>(out + sizeof<T>(), <T>(1.5 * (f1 - f0) - 0.25 * (s0 + s1)));
    store<T>(out + 2 * sizeof<T>(), <T>(0.5 * (s1 - s0)));
    store<T>(out + 3 * sizeof<T>(), <T>(s0 + s1 - 2 * (f1 - f0)));
    out += 4 * sizeof<T>();
  }
  memory.fill(out, 0, 4 * sizeof<T>());
  store<T>(out, <T>load<f64>(scratch + (<usize>intervals << 3)));
}

/**
 * Reverse of `stageTable`: adds κ_m · (knot cotangents) to `valuesBar`, `slopesBar` [times][knots] and writes
 * `kappaBar` [times], given the cotangents of the coefficients. `scratch` holds 2·knots f64.
 */
export function stageTableReverse<T extends number>(
  coefficientsBar: usize,
  values: usize,
  slopes: usize,
  kappa: usize,
  times: i32,
  knots: i32,
  intervals: i32,
  scratch: usize,
  valuesBar: usize,
  slopesBar: usize,
  kappaBar: usize,
): void {
  const row = <usize>knots << 3;
  memory.fill(scratch, 0, 2 * row);
  let c = coefficientsBar;
  for (let j = 0; j < intervals; j++) {
    const p = scratch + (<usize>j << 3);
    const c0 = <f64>load<T>(c);
    const c1 = <f64>load<T>(c + sizeof<T>());
    const c2 = <f64>load<T>(c + 2 * sizeof<T>());
    const c3 = <f64>load<T>(c + 3 * sizeof<T>());
    store<f64>(p, load<f64>(p) + 0.5 * c0 - 1.5 * c1 + 2 * c3);
    store<f64>(p, 0.5 * c0 + 1.5 * c1 - 2 * c3, 8);
    store<f64>(p + row, load<f64>(p + row) + 0.125 * c0 - 0.25 * c1 - 0.5 * c2 + c3);
    store<f64>(p + row, -0.125 * c0 - 0.25 * c1 + 0.5 * c2 + c3, 8);
    c += 4 * sizeof<T>();
  }
  const last = scratch + (<usize>intervals << 3);
  store<f64>(last, load<f64>(last) + <f64>load<T>(c));
  for (let m: usize = 0; m < <usize>times; m++) {
    const weight = v128.load64_splat(kappa + (m << 3));
    let dot = f64x2.splat(0);
    for (let j: usize = 0; j < row; j += VECTOR) {
      const at = m * row + j;
      const value = v128.load(scratch + j);
      const slope = v128.load(scratch + row + j);
      dot = f64x2.add(dot, f64x2.mul(value, v128.load(values + at)));
      dot = f64x2.add(dot, f64x2.mul(slope, v128.load(slopes + at)));
      v128.store(valuesBar + at, f64x2.add(v128.load(valuesBar + at), f64x2.mul(weight, value)));
      v128.store(slopesBar + at, f64x2.add(v128.load(slopesBar + at), f64x2.mul(weight, slope)));
    }
    store<f64>(kappaBar + (m << 3), f64x2.extract_lane(dot, 0) + f64x2.extract_lane(dot, 1));
  }
}

/**
 * Reverse of `tableProducts` without its offsets: weightsBar [kernels][times] = R̂·valuesBar + h·R̂'·slopesBar, and
 * totals [times] = Σ_knots valuesBar, from which bias and importance follow.
 */
export function tableProductsReverse(
  basis: usize,
  basisSlopes: usize,
  kernels: i32,
  times: i32,
  knots: i32,
  spacing: f64,
  valuesBar: usize,
  slopesBar: usize,
  weightsBar: usize,
  totals: usize,
): void {
  const row = <usize>knots << 3;
  const h = f64x2.splat(spacing);
  for (let m: usize = 0; m < <usize>times; m++) {
    let total = f64x2.splat(0);
    for (let j: usize = 0; j < row; j += VECTOR) total = f64x2.add(total, v128.load(valuesBar + m * row + j));
    store<f64>(totals + (m << 3), f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1));
    for (let k: usize = 0; k < <usize>kernels; k++) {
      let value = f64x2.splat(0);
      let slope = f64x2.splat(0);
      for (let j: usize = 0; j < row; j += VECTOR) {
        value = f64x2.add(value, f64x2.mul(v128.load(basis + k * row + j), v128.load(valuesBar + m * row + j)));
        slope = f64x2.add(slope, f64x2.mul(v128.load(basisSlopes + k * row + j), v128.load(slopesBar + m * row + j)));
      }
      const sum = f64x2.add(value, f64x2.mul(h, slope));
      store<f64>(
        weightsBar + ((k * <usize>times + m) << 3),
        f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1),
      );
    }
  }
}

/**
 * Cotangents of the centres μ and of log γ, through R̂ and its slope. With λ_k = −(d−μ_k)²/γ_k², g_k = dλ_k/dd and
 * R̂'_k = R̂_k (g_k − Σ_l R̂_l g_l). `muBar`, `logGammaBar` are [kernels]; `scratch` holds 3·kernels vectors.
 */
export function radialBasisReverse(
  mu: usize,
  gamma: usize,
  weights: usize,
  basis: usize,
  kernels: i32,
  times: i32,
  knots: i32,
  spacing: f64,
  valuesBar: usize,
  slopesBar: usize,
  muBar: usize,
  logGammaBar: usize,
  scratch: usize,
): void {
  const row = <usize>knots << 3;
  const n = <usize>kernels * VECTOR;
  const logSlopes = scratch;
  const basisBars = scratch + n;
  const slopeBars = scratch + 2 * n;
  const h = f64x2.splat(spacing);
  memory.fill(muBar, 0, <usize>kernels << 3);
  memory.fill(logGammaBar, 0, <usize>kernels << 3);
  for (let j = 0; j < knots; j += 2) {
    const at = <usize>j << 3;
    const d = f64x2.replace_lane(f64x2.splat(<f64>j * spacing), 1, <f64>(j + 1) * spacing);
    let meanSlope = f64x2.splat(0); // Σ_l R̂_l g_l
    let beta = f64x2.splat(0); // Σ_l R̂_l (cotangent of R̂'_l)
    for (let k: usize = 0; k < <usize>kernels; k++) {
      let a = f64x2.splat(0);
      let b = f64x2.splat(0);
      let w = weights + ((k * <usize>times) << 3);
      let p = at;
      for (let m = 0; m < times; m++) {
        const weight = v128.load64_splat(w);
        a = f64x2.add(a, f64x2.mul(weight, v128.load(valuesBar + p)));
        b = f64x2.add(b, f64x2.mul(weight, v128.load(slopesBar + p)));
        w += 8;
        p += row;
      }
      b = f64x2.mul(b, h);
      const value = v128.load(basis + k * row + at);
      const invGamma = f64x2.splat(1 / load<f64>(gamma + (k << 3)));
      const u = f64x2.mul(f64x2.sub(d, v128.load64_splat(mu + (k << 3))), invGamma);
      const logSlope = f64x2.mul(f64x2.mul(u, invGamma), f64x2.splat(-2));
      v128.store(logSlopes + k * VECTOR, logSlope);
      v128.store(basisBars + k * VECTOR, a);
      v128.store(slopeBars + k * VECTOR, b);
      meanSlope = f64x2.add(meanSlope, f64x2.mul(value, logSlope));
      beta = f64x2.add(beta, f64x2.mul(value, b));
    }
    let mean = f64x2.splat(0);
    for (let k: usize = 0; k < <usize>kernels; k++) {
      const value = v128.load(basis + k * row + at);
      const g = v128.load(logSlopes + k * VECTOR);
      const b = v128.load(slopeBars + k * VECTOR);
      let c = f64x2.add(v128.load(basisBars + k * VECTOR), f64x2.mul(b, f64x2.sub(g, meanSlope)));
      c = f64x2.sub(c, f64x2.mul(beta, g));
      v128.store(basisBars + k * VECTOR, c);
      mean = f64x2.add(mean, f64x2.mul(value, c));
    }
    for (let k: usize = 0; k < <usize>kernels; k++) {
      const value = v128.load(basis + k * row + at);
      const g = v128.load(logSlopes + k * VECTOR);
      const lambdaBar = f64x2.mul(value, f64x2.sub(v128.load(basisBars + k * VECTOR), mean));
      const slopeBar = f64x2.mul(value, f64x2.sub(v128.load(slopeBars + k * VECTOR), beta));
      const invGamma = 1 / load<f64>(gamma + (k << 3));
      const u = f64x2.mul(f64x2.sub(d, v128.load64_splat(mu + (k << 3))), f64x2.splat(invGamma));
      const center = f64x2.sub(
        f64x2.mul(f64x2.splat(2 * invGamma * invGamma), slopeBar),
        f64x2.mul(g, lambdaBar),
      );
      const width = f64x2.sub(
        f64x2.mul(f64x2.mul(u, u), f64x2.add(lambdaBar, lambdaBar)),
        f64x2.mul(f64x2.add(g, g), slopeBar),
      );
      const q = k << 3;
      store<f64>(muBar + q, load<f64>(muBar + q) + f64x2.extract_lane(center, 0) + f64x2.extract_lane(center, 1));
      store<f64>(
        logGammaBar + q,
        load<f64>(logGammaBar + q) + f64x2.extract_lane(width, 0) + f64x2.extract_lane(width, 1),
      );
    }
  }
}
