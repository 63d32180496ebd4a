import type { KernelField } from '../../../fields/index.js';
import { type FieldModel, FLOOR } from './field.js';
import { product, type Tensor, type TensorFlow } from './tensors.js';

/** Below any distance that f32 tells from 0. It keeps √ differentiable where particles meet, and changes no value. */
const SMALLEST_SQUARE = 1e-30;

/**
 * The kernel field over unordered pairs of particles, Q of them; P pairs of species, K radial and M time kernels. See
 * `KernelField`. Whatever has Q·B·K elements decides the cost, so broadcasts over it are matrix products: their gradients
 * are products too, where those of a broadcast are passes and sums.
 */
export function kernelModel(tf: TensorFlow, field: KernelField): FieldModel {
  const { particles: N, dimensions: D, species } = field;
  const P = species.pairs;
  const K = field.parameters.mu.length;
  const M = field.parameters.muTime.length;
  const pairs: [number, number][] = [];
  for (let i = 0; i < N; i++) for (let j = i + 1; j < N; j++) pairs.push([i, j]);
  const Q = pairs.length;
  /** Differences x_i − x_j of all pairs are a product with it; forces come back by its transpose. */
  const difference = new Float32Array(Q * N);
  /** 1 where a pair of particles is of a pair of species. */
  const kind = new Float32Array(Q * P);
  pairs.forEach(([i, j], q) => {
    difference[q * N + i] = 1;
    difference[q * N + j] = -1;
    kind[q * P + species.of(i, j)] = 1;
  });
  const differences = tf.tensor2d(difference, [Q, N]);
  const kinds = tf.tensor3d(kind, [Q, 1, P]);

  return {
    elementsPerSample: Q * K,

    /** Weights [K·P, M], offsets b + Σ s²W [P, M], inverse widths with minus the centres' multiples of them [2, K]. */
    shared({ weights, bias, importance, mu, logGamma }) {
      const byPair = tf.reshape(weights, [P, K, M]);
      const heights = tf.reshape(tf.square(importance), [1, K, 1]);
      const offsets = tf.add(tf.reshape(bias, [P, M]), tf.sum(tf.mul(heights, byPair), 1));
      const inverseWidths = tf.exp(tf.neg(logGamma));
      const lines = tf.stack([inverseWidths, tf.neg(tf.mul(mu, inverseWidths))]);
      return [tf.reshape(tf.transpose(byPair, [1, 0, 2]), [K * P, M]), offsets, lines];
    },

    motion([weights, offsets, lines], features, x, withDivergence) {
      const B = x.shape[1]! / D;
      const oneTime = features.shape[0] === 1;
      const r = tf.reshape(product(tf, differences, x), [Q, D, B]);
      const d = tf.sqrt(tf.maximum(tf.sum(tf.square(r), 1), SMALLEST_SQUARE));
      /** u = (d − μ)/γ [Q·B, K] */
      const u = product(tf, tf.concat([tf.reshape(d, [Q * B, 1]), tf.ones([Q * B, 1])], 1), lines);
      const e = tf.exp(tf.neg(tf.square(u)));
      // At one time the weights are summed over time features first; else each kernel's sums are, sample by sample.
      const weighting = oneTime
        ? tf.reshape(product(tf, weights, features, false, true), [K, P])
        : tf.reshape(weights, [K, P * M]);
      const columns = tf.concat([weighting, tf.ones([K, 1])], 1);
      /** Σ_k of values [Q·B, K] times the weights at the samples' times, [Q, B, P], and times 1, [Q, B, 1]. */
      const sums = (values: Tensor, matrix: Tensor): [Tensor, Tensor] => {
        const [weighted, plain] = tf.split(product(tf, values, matrix), [matrix.shape[1]! - 1, 1], 1);
        const atTimes = oneTime
          ? tf.reshape(weighted, [Q, B, P])
          : tf.sum(tf.mul(tf.reshape(weighted, [Q, B, P, M]), tf.reshape(features, [1, B, 1, M])), 3);
        return [atTimes, tf.reshape(plain, [Q, B, 1])];
      };
      /** Of values per pair of species [Q, B, P], those of the pair that two particles are. */
      const ofKind = (values: Tensor): Tensor =>
        P === 1 ? tf.reshape(values, [Q, B]) : tf.sum(tf.mul(values, kinds), 2);
      const [numerator, total] = sums(e, columns);
      const normaliser = tf.add(total, FLOOR);
      const mean = tf.div(numerator, normaliser);
      const f = ofKind(tf.add(mean, product(tf, features, offsets, false, true)));
      const forces = tf.reshape(tf.mul(r, tf.expandDims(f, 1)), [Q, D * B]);
      const velocity = product(tf, differences, forces, true);
      if (!withDivergence) return { velocity };
      // de/dd = −2(u/γ)e, so the quotient's slope takes two more sums.
      const slopes = tf.mul(columns, tf.mul(tf.reshape(tf.slice(lines, [0, 0], [1, K]), [K, 1]), -2));
      const [numeratorSlope, totalSlope] = sums(tf.mul(e, u), slopes);
      const slope = ofKind(tf.div(tf.sub(numeratorSlope, tf.mul(mean, totalSlope)), normaliser));
      const divergence = tf.mul(tf.sum(tf.add(tf.mul(d, slope), tf.mul(f, D)), 0), 2);
      return { velocity, divergence };
    },

    dispose() {
      tf.dispose([differences, kinds]);
    },
  };
}
