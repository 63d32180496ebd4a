import { UsageError } from '../errors.js';
import type { Kernels, Precision } from '../kernels/index.js';
import { STREAM, standardNormals } from '../kernels/index.js';
import { DenseStages } from './dense-stages.js';
import type { Field, ParameterSet, PreparedField, PrepareOptions } from './field.js';
import { checkParameters } from './kernel-field.js';
import { uniformTimes } from './time-features.js';

/**
 * The non-equivariant baseline: v = P[W₂ tanh(W₁x + U κ(t) + b₁) + b₂], P the projection on the mean-free subspace, κ the
 * normalised time features. Universal for smooth fields as hidden units grow, and blind to every symmetry but translation.
 *
 * Parameters: `inputWeights` W₁ [H, N·D], `timeWeights` U [H, M], `hiddenBias` b₁ [H], `outputWeights` W₂ [N·D, H],
 * `outputBias` b₂ [N·D], `muTime` [M], `logGammaTime` [M].
 */
export class DenseField implements Field {
  readonly kind = 'dense';
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly frozen: readonly string[] = [];

  constructor(
    readonly particles: number,
    readonly dimensions: number,
    readonly parameters: ParameterSet,
  ) {
    const C = particles * dimensions;
    const H = parameters.hiddenBias?.length ?? 0;
    const M = parameters.muTime?.length ?? 0;
    this.shapes = {
      inputWeights: [H, C],
      timeWeights: [H, M],
      hiddenBias: [H],
      outputWeights: [C, H],
      outputBias: [C],
      muTime: [M],
      logGammaTime: [M],
    };
    checkParameters('dense', parameters, this.shapes);
  }

  prepare(kernels: Kernels, precision: Precision, times: Float64Array, options: PrepareOptions = {}): PreparedField {
    return new DenseStages(kernels, precision, this, times, options.reverse === true);
  }

  withParameters(parameters: ParameterSet): DenseField {
    return new DenseField(this.particles, this.dimensions, parameters);
  }
}

/** A dense field with normal random weights: W₁ of variance 1/C, U of variance 1, W₂ small so that the flow starts near the identity. */
export function initialDenseField(
  particles: number,
  dimensions: number,
  { seed, hidden = 64, times = 10 }: { seed: number; hidden?: number; times?: number },
): DenseField {
  if (!Number.isInteger(hidden) || hidden < 1)
    throw new UsageError(`dense field: hidden is ${hidden}, expected a positive integer`);
  const C = particles * dimensions;
  const normals = standardNormals(seed, STREAM.parameters, 0, hidden, 2 * C + times);
  const row = 2 * C + times;
  const pick = (from: number, width: number, scale: number) =>
    Float64Array.from(
      { length: hidden * width },
      (_, i) => scale * normals[Math.floor(i / width) * row + from + (i % width)],
    );
  return new DenseField(particles, dimensions, {
    inputWeights: pick(0, C, 1 / Math.sqrt(C)),
    timeWeights: pick(2 * C, times, 1),
    hiddenBias: new Float64Array(hidden),
    outputWeights: pick(C, C, 0.1 / Math.sqrt(hidden)),
    outputBias: new Float64Array(C),
    ...uniformTimes(times, 0.3),
  });
}
