import type * as tfjs from '@tensorflow/tfjs-core';

/** The library, as its backends load it; model code takes it as an argument and imports types only. */
export type TensorFlow = typeof tfjs;

export type Tensor = tfjs.Tensor;

/**
 * Configurations [n, N, D] of samples `first` … `first + count − 1` as columns, [N, D·count] with the sample running fastest, so that pair
 * differences, sums over particles and dense layers are one matrix product each. Centroids are removed in f64.
 */
export function columnsOf(
  tf: TensorFlow,
  x: Float32Array | Float64Array,
  first: number,
  count: number,
  particles: number,
  dimensions: number,
): Tensor {
  const C = particles * dimensions;
  const columns = new Float32Array(C * count);
  for (let s = 0; s < count; s++) {
    const row = (first + s) * C;
    for (let axis = 0; axis < dimensions; axis++) {
      let mean = 0;
      for (let i = 0; i < particles; i++) mean += x[row + i * dimensions + axis];
      mean /= particles;
      for (let c = axis; c < C; c += dimensions) columns[c * count + s] = x[row + c] - mean;
    }
  }
  return tf.tensor2d(columns, [particles, dimensions * count]);
}

/** The way back from `columnsOf`: rows [count, N, D]. */
export function rowsOf(columns: ArrayLike<number>, count: number): Float64Array {
  const C = columns.length / count;
  return Float64Array.from(columns, (_, i) => columns[(i % C) * count + Math.floor(i / C)]);
}

/** Product of matrices, either of them transposed on the way. */
export function product(tf: TensorFlow, a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  return tf.matMul(a as tfjs.Tensor2D, b as tfjs.Tensor2D, transposeA, transposeB);
}

/** Runs `body`, which gives no tensor away, and frees every tensor that it made, also where it throws. */
export function freeing<T>(tf: TensorFlow, body: () => T): T {
  tf.engine().startScope();
  try {
    return body();
  } finally {
    tf.engine().endScope();
  }
}
