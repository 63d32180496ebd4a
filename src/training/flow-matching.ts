import { NumericalError } from '../errors.js';
import type { ContinuousFlow } from '../flows/index.js';
import { randomWords, STREAM, standardNormals } from '../kernels/index.js';
import { priorVariance } from '../priors/index.js';
import { coupling } from './couplings/index.js';
import type { Batch } from './data.js';
import type { VelocityBatch } from './engines/engine.js';
import type { TrainingOptions } from './options.js';

/**
 * What conditional flow matching with straight paths (Lipman et al. 2023, arXiv 2210.02747; Tong et al. 2023, arXiv 2302.00482)
 * compares velocities with at training step `step`: the loss is E |v(t, x_t) − (x₁ − x₀)|² with x_t = (1−t) x₀ + t x₁,
 * t uniform, x₀ of the prior, x₁ of the batch, paired by a coupling. Prior samples and times depend on seed and step alone.
 */
export function matchingBatches(
  flow: ContinuousFlow,
  species: readonly number[],
  options: TrainingOptions,
): (batch: Batch, step: number) => VelocityBatch {
  const pairs = matchingPairs(flow, species, options);
  return ({ x, indices }, step) => {
    const n = indices.length;
    const { x0, x1 } = pairs(x, n, step);
    return interpolate(x0, x1, n, matchingTimes(options.seed, Math.min(options.matchingTimes, n), step));
  };
}

/** Coupled prior samples and configurations of a step, mean-free [n, N, D]. */
function matchingPairs(
  { prior }: ContinuousFlow,
  species: readonly number[],
  { seed, coupling: kind, couplingGroup }: TrainingOptions,
): (x: Float64Array, n: number, step: number) => { x0: Float64Array; x1: Float64Array } {
  const { particles, dimensions } = prior;
  const couple = coupling(kind, couplingGroup, species, dimensions);
  const deviation = Math.sqrt(priorVariance(prior));
  return (x, n, step) => {
    const normals = standardNormals(seed, STREAM.flowMatching, step * n, n, particles * dimensions);
    const x0 = withoutCentroids(normals, particles, dimensions).map((value) => deviation * value);
    const x1 = withoutCentroids(x, particles, dimensions);
    // Distances that are not numbers would lead an assignment astray.
    const bad = x1.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const sample = Math.floor(bad / (particles * dimensions));
      throw new NumericalError(`flow-matching loss of sample ${sample} of the batch is ${x1[bad]}`);
    }
    couple(x0, x1, n);
    return { x0, x1 };
  };
}

/** One time in each of `count` equal parts of [0, 1], uniform there: stratified, so that the mean over times scatters less. */
function matchingTimes(seed: number, count: number, step: number): Float64Array {
  const words = randomWords(seed, STREAM.matchingTimes, count, step);
  return Float64Array.from(words, (word, s) => (s + (word + 0.5) / 2 ** 32) / count);
}

/** Points of the straight paths from x0 to x1 at the times of their stages, and the paths' velocities. */
function interpolate(x0: Float64Array, x1: Float64Array, n: number, times: Float64Array): VelocityBatch {
  const C = x0.length / n;
  const velocity = x1.map((value, c) => value - x0[c]);
  const x = x0.map((value, c) => value + times[Math.floor((Math.floor(c / C) * times.length) / n)] * velocity[c]);
  return { times, x, velocity, n };
}

function withoutCentroids(x: Float64Array, particles: number, dimensions: number): Float64Array {
  const C = particles * dimensions;
  const out = x.slice();
  for (let row = 0; row < x.length; row += C) {
    for (let axis = 0; axis < dimensions; axis++) {
      let mean = 0;
      for (let c = axis; c < C; c += dimensions) mean += x[row + c];
      mean /= particles;
      for (let c = axis; c < C; c += dimensions) out[row + c] -= mean;
    }
  }
  return out;
}
