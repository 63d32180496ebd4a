// Reverse pass of Runge–Kutta 4 (discretise, then optimise): exact derivatives of what `rungeKutta4` computes.

import { VECTOR, lanes, loadLanes } from './lanes';
import { velocityReverse } from './field';
import { addScaled, stageIndex } from './integrate';

/** Bytes of working memory beside the field's scratch, for `blocks` blocks. */
export function adjointScratch(coordinates: i32, blocks: i32): i32 {
  return blocks * (3 * coordinates + 1) * <i32>VECTOR;
}

// @ts-ignore: decorator
@inline
function scaled<T extends number>(out: usize, scale: f64, from: usize, bytes: usize): void {
  const factor = v128.splat<T>(<T>scale);
  for (let p: usize = 0; p < bytes; p += VECTOR) v128.store(out + p, v128.mul<T>(factor, v128.load(from + p)));
}

/**
 * Pulls the cotangent of the final positions, at `xBar`, back to the initial ones in place, given the cotangents of
 * log|det| (f64 per sample) and the `tape` of the forward pass; `stageBars`, laid out as the stages with
 * `stageBarBytes` each, and the field's own parameter cotangents are added to.
 */
export function rungeKutta4Reverse<T extends number>(
  kind: i32,
  parameters: usize,
  stages: usize,
  stageBytes: usize,
  stageBars: usize,
  stageBarBytes: usize,
  steps: i32,
  inverse: bool,
  tape: usize,
  xBar: usize,
  logDetBar: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  work: usize,
  scratch: usize,
): void {
  const bytes = <usize>(blocks * particles * dimensions) * VECTOR;
  const kBar = work;
  const stageXBar = kBar + bytes;
  const sum = stageXBar + bytes;
  const divBar = sum + bytes;
  const h = (inverse ? -1.0 : 1.0) / <f64>steps;
  for (let step = steps - 1; step >= 0; step--) {
    memory.copy(sum, xBar, bytes);
    for (let substep = 3; substep >= 0; substep--) {
      const weight = substep == 0 || substep == 3 ? h / 6 : h / 3;
      // k of this substep feeds the step's end, and the next substep's position (unless it is the last)
      scaled<T>(kBar, weight, xBar, bytes);
      if (substep < 3) addScaled<T>(kBar, kBar, substep < 2 ? 0.5 * h : h, stageXBar, bytes);
      const factor = v128.splat<T>(<T>weight);
      for (let b: usize = 0; b < <usize>blocks; b++) {
        const bar = loadLanes<T>(logDetBar + b * <usize>(lanes<T>() * 8));
        v128.store(divBar + b * VECTOR, v128.mul<T>(factor, bar));
      }
      const s = <usize>stageIndex(step, substep, steps, inverse);
      const position = tape + <usize>(4 * step + substep) * bytes;
      velocityReverse<T>(
        kind, parameters, stages + s * stageBytes, stageBars + s * stageBarBytes,
        position, kBar, divBar, stageXBar, particles, dimensions, blocks, scratch,
      );
      addScaled<T>(sum, sum, 1, stageXBar, bytes);
    }
    memory.copy(xBar, sum, bytes);
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
