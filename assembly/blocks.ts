// What is done to whole blocks: samples in and out of them, one precision from the other, sums and centroids.

import { VECTOR, lanes, loadLanes, mulAdd } from './lanes';

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

/** out = base + scale·k, vector by vector. */
// @ts-ignore: decorator
@inline
export function addScaled<T extends number>(out: usize, base: usize, scale: f64, k: usize, bytes: usize): void {
  const factor = v128.splat<T>(<T>scale);
  for (let p: usize = 0; p < bytes; p += VECTOR) {
    v128.store(out + p, mulAdd<T>(factor, v128.load(k + p), v128.load(base + p)));
  }
}

/** out = factor · w_s · x for every sample s of blocks [blocks][coordinates], with `weights` w f64 per sample. */
export function scaleSamples<T extends number>(
  x: usize,
  weights: usize,
  factor: f64,
  out: usize,
  coordinates: i32,
  blocks: i32,
): void {
  const scale = v128.splat<T>(<T>factor);
  const block = <usize>coordinates * VECTOR;
  for (let b = 0; b < blocks; b++) {
    const weight = v128.mul<T>(scale, loadLanes<T>(weights));
    for (let c: usize = 0; c < block; c += VECTOR) v128.store(out + c, v128.mul<T>(weight, v128.load(x + c)));
    x += block;
    out += block;
    weights += lanes<T>() * 8;
  }
}

/** sum += x, vector by vector. */
export function addVectors<T extends number>(sum: usize, x: usize, vectors: i32): void {
  addScaled<T>(sum, sum, 1, x, <usize>vectors * VECTOR);
}

/** `count` f64 at `from` as f32 at `to`; a multiple of four. */
export function narrow(from: usize, to: usize, count: i32): void {
  const end = to + (<usize>count << 2);
  for (; to < end; to += VECTOR, from += 2 * VECTOR) v128.store(to, loadLanes<f32>(from));
}
