import { UsageError } from '../../../errors.js';
import { DenseField, type Field, KernelField } from '../../../fields/index.js';
import { denseModel } from './dense-model.js';
import { kernelModel } from './kernel-model.js';
import type { Tensor, TensorFlow } from './tensors.js';

/** Velocities [N, D·B] and, where asked for, their divergence [B]. */
export interface Motion {
  readonly velocity: Tensor;
  readonly divergence?: Tensor;
}

/** A field as tensor operations, differentiable once in everything that it is given. Divergences are closed, so nothing is differentiated twice. */
export interface FieldModel {
  /** Largest number of elements per sample in one tensor: what limits how many samples are worked on at a time. */
  readonly elementsPerSample: number;
  /** What does not depend on time, from the parameters in the order of `Field.shapes`. */
  shared(parameters: Readonly<Record<string, Tensor>>): Tensor[];
  /**
   * @param shared as `shared` makes it
   * @param features time features: [1, M] where all samples are at one time, [B, M] where each has its own
   * @param x positions [N, D·B]
   */
  motion(shared: readonly Tensor[], features: Tensor, x: Tensor, withDivergence: boolean): Motion;
  dispose(): void;
}

/** @throws UsageError for a field that has no tensor version */
export function fieldModel(tf: TensorFlow, field: Field): FieldModel {
  if (field instanceof KernelField) return kernelModel(tf, field);
  if (field instanceof DenseField) return denseModel(tf, field);
  throw new UsageError(`tensorflow engine: a field of kind '${field.kind}', expected 'kernel' or 'dense'`);
}

/** Keeps the normaliser away from 0 where all features vanish. */
export const FLOOR = 1e-6;

/** Normalised Gaussian features of times [T], shape [T, M]; `timeFeatures` of the fields, differentiable in centres and widths. */
export function timeFeatureRows(tf: TensorFlow, mu: Tensor, logGamma: Tensor, times: Tensor): Tensor {
  const u = tf.div(tf.sub(tf.expandDims(times, 1), mu), tf.exp(logGamma));
  const e = tf.exp(tf.neg(tf.square(u)));
  return tf.div(e, tf.add(tf.sum(e, 1, true), FLOOR));
}
