// Blocks of lanes. A v128 holds one coordinate of LANES consecutive samples: 4 in f32, 2 in f64. Coordinates of a block
// follow one another (array of structures of arrays), so no kernel ever gathers or sums across lanes.
// Every kernel is generic over the lane type T and exported for f32 and f64.

export const VECTOR: usize = 16;

/** Samples per block: 4 for f32, 2 for f64. */
// @ts-ignore: decorator
@inline
export function lanes<T extends number>(): i32 {
  return 16 / <i32>sizeof<T>();
}

/**
 * a·b + c. The relaxed build lets the processor round once instead of twice where it has an instruction for that: faster, and
 * not the same bits on every machine. Nothing else in the kernels depends on the build.
 */
// @ts-ignore: decorator
@inline
export function mulAdd<T extends number>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** Adds the lanes of `value` to the per-sample f64 values at `sums`. */
// @ts-ignore: decorator
@inline
export function accumulate<T extends number>(sums: usize, value: v128): void {
  if (sizeof<T>() == 4) {
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(value)));
    const high = v128.shuffle<i64>(value, value, 1, 1);
    v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(high)), 16);
  } else {
    v128.store(sums, f64x2.add(v128.load(sums), value));
  }
}

/** Adds weight·value, lane by lane, to the per-sample f64 values at `sums`. */
// @ts-ignore: decorator
@inline
export function accumulateScaled<T extends number>(sums: usize, value: v128, weight: f64): void {
  const factor = f64x2.splat(weight);
  if (sizeof<T>() == 4) {
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.mul(factor, f64x2.promote_low_f32x4(value))));
    const high = v128.shuffle<i64>(value, value, 1, 1);
    v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.mul(factor, f64x2.promote_low_f32x4(high))), 16);
  } else {
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.mul(factor, value)));
  }
}

/** Loads per-sample f64 values into lanes of T. */
// @ts-ignore: decorator
@inline
export function loadLanes<T extends number>(values: usize): v128 {
  if (sizeof<T>() == 4) {
    const low = f32x4.demote_f64x2_zero(v128.load(values));
    const high = f32x4.demote_f64x2_zero(v128.load(values, 16));
    return v128.shuffle<i64>(low, high, 0, 2);
  }
  return v128.load(values);
}

/** Samples, row-major [samples][coordinates] of S, into blocks of T. `samples` must be a multiple of the lanes. */
export function pack<S extends number, T extends number>(from: usize, to: usize, samples: i32, coordinates: i32): void {
  const l = lanes<T>();
  for (let s = 0; s < samples; s++) {
    let p = to + <usize>((s / l) * coordinates * l + (s % l)) * sizeof<T>();
    for (let c = 0; c < coordinates; c++) {
      store<T>(p, <T>load<S>(from));
      from += sizeof<S>();
      p += VECTOR;
    }
  }
}

/** Blocks of T into samples, row-major [samples][coordinates] of S. */
export function unpack<T extends number, S extends number>(from: usize, to: usize, samples: i32, coordinates: i32): void {
  const l = lanes<T>();
  for (let s = 0; s < samples; s++) {
    let p = from + <usize>((s / l) * coordinates * l + (s % l)) * sizeof<T>();
    for (let c = 0; c < coordinates; c++) {
      store<S>(to, <S>load<T>(p));
      to += sizeof<S>();
      p += VECTOR;
    }
  }
}

/** Two f64 blocks become one f32 block. `vectors` counts the f32 vectors per block, `blocks` the f32 blocks. */
export function demote(from: usize, to: usize, vectors: i32, blocks: i32): void {
  for (let b = 0; b < blocks; b++) {
    const second = from + <usize>vectors * VECTOR;
    for (let c: usize = 0; c < <usize>vectors; c++) {
      const low = f32x4.demote_f64x2_zero(v128.load(from + c * VECTOR));
      const high = f32x4.demote_f64x2_zero(v128.load(second + c * VECTOR));
      v128.store(to + c * VECTOR, v128.shuffle<i64>(low, high, 0, 2));
    }
    from = second + <usize>vectors * VECTOR;
    to += <usize>vectors * VECTOR;
  }
}

/** Per sample Σ x², summed in f64. */
export function squaredNorm<T extends number>(x: usize, norms: usize, coordinates: i32, blocks: i32): void {
  for (let b = 0; b < blocks; b++) {
    memory.fill(norms, 0, lanes<T>() * 8);
    for (let c = 0; c < coordinates; c++) {
      const value = v128.load(x);
      if (sizeof<T>() == 4) {
        const low = f64x2.promote_low_f32x4(value);
        const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(value, value, 1, 1));
        v128.store(norms, f64x2.add(v128.load(norms), f64x2.mul(low, low)));
        v128.store(norms, f64x2.add(v128.load(norms, 16), f64x2.mul(high, high)), 16);
      } else {
        v128.store(norms, f64x2.add(v128.load(norms), f64x2.mul(value, value)));
      }
      x += VECTOR;
    }
    norms += lanes<T>() * 8;
  }
}

/** Removes each sample's centroid: x_i ← x_i − Σ_j x_j / N. */
export function removeCentroid<T extends number>(x: usize, particles: i32, dimensions: i32, blocks: i32): void {
  const scale = v128.splat<T>(<T>(1.0 / <f64>particles));
  const stride = <usize>dimensions * VECTOR;
  for (let b = 0; b < blocks; b++) {
    for (let a: usize = 0; a < stride; a += VECTOR) {
      let sum = v128.splat<T>(0);
      for (let i: usize = 0; i < <usize>particles; i++) sum = v128.add<T>(sum, v128.load(x + a + i * stride));
      sum = v128.mul<T>(sum, scale);
      for (let i: usize = 0; i < <usize>particles; i++) {
        const p = x + a + i * stride;
        v128.store(p, v128.sub<T>(v128.load(p), sum));
      }
    }
    x += <usize>particles * stride;
  }
}
