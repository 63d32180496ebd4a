import type { DenseField } from '../../../fields/index.js';
import type { FieldModel } from './field.js';
import { product, type Tensor, type TensorFlow } from './tensors.js';

/** The dense field; see `DenseField`. */
export function denseModel(tf: TensorFlow, field: DenseField): FieldModel {
  const { particles: N, dimensions: D } = field;
  const C = N * D;
  const H = field.parameters.hiddenBias.length;
  /** Rows [C, columns] less their mean over particles. */
  const project = (rows: Tensor): Tensor => {
    const byParticle = tf.reshape(rows, [N, D, -1]);
    return tf.reshape(tf.sub(byParticle, tf.mean(byParticle, 0, true)), [C, -1]);
  };

  return {
    elementsPerSample: Math.max(H, C),

    /** W₁ [H, C], U [H, M], b₁ [H, 1], P W₂ [C, H], P b₂ [C, 1], the diagonal of W₁ P W₂ [1, H]. */
    shared({ inputWeights, timeWeights, hiddenBias, outputWeights, outputBias }) {
      const projected = project(outputWeights);
      const diagonal = tf.sum(tf.mul(inputWeights, tf.transpose(projected)), 1);
      return [
        inputWeights,
        timeWeights,
        tf.reshape(hiddenBias, [H, 1]),
        projected,
        project(tf.reshape(outputBias, [C, 1])),
        tf.reshape(diagonal, [1, H]),
      ];
    },

    motion([input, times, bias, output, outputBias, diagonal], features, x, withDivergence) {
      const offsets = tf.add(product(tf, times, features, false, true), bias);
      const hidden = tf.tanh(tf.add(product(tf, input, tf.reshape(x, [C, -1])), offsets));
      const rows = tf.add(product(tf, output, hidden), outputBias);
      const velocity = tf.reshape(rows, x.shape);
      if (!withDivergence) return { velocity };
      const slopes = tf.sub(1, tf.square(hidden));
      return { velocity, divergence: tf.reshape(product(tf, diagonal, slopes), [-1]) };
    },

    dispose() {},
  };
}
