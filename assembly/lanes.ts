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

/** Sum of the lanes. */
// @ts-ignore: decorator
@inline
export function laneSum<T extends number>(v: v128): f64 {
  if (sizeof<T>() == 8) return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
  return (
    <f64>f32x4.extract_lane(v, 0) + <f64>f32x4.extract_lane(v, 1) + <f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3)
  );
}
