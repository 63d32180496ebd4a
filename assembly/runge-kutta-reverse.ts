// Reverse pass of Runge–Kutta 4 (discretise, then optimise): exact derivatives of what `rungeKutta4` computes.

import { addScaled } from './blocks';
import { VECTOR, accumulate, lanes, loadLanes } from './lanes';
import { velocity, velocityReverse } from './field';
import { stageIndex } from './runge-kutta';

/** Bytes of working memory beside the field's scratch, for `blocks` blocks. */
export function rungeKutta4ReverseScratch(coordinates: i32, blocks: i32): i32 {
  return blocks * (4 * coordinates + 3) * <i32>VECTOR;
}

/** kBar = weight·xBar + offset·stageXBar and sum += stageXBar in one pass: what a stage's k feeds, and what it fed. */
// @ts-ignore: decorator
@inline
function retreat<T extends number>(
  kBar: usize,
  weight: f64,
  xBar: usize,
  offset: f64,
  stageXBar: usize,
  sum: usize,
  bytes: usize,
): void {
  const a = v128.splat<T>(<T>weight);
  const b = v128.splat<T>(<T>offset);
  for (let p: usize = 0; p < bytes; p += VECTOR) {
    const bar = v128.load(stageXBar + p);
    v128.store(kBar + p, v128.add<T>(v128.mul<T>(a, v128.load(xBar + p)), v128.mul<T>(b, bar)));
    v128.store(sum + p, v128.add<T>(v128.load(sum + p), bar));
  }
}

/** kBar = weight·xBar and sum = xBar. */
// @ts-ignore: decorator
@inline
function retreatFirst<T extends number>(kBar: usize, weight: f64, xBar: usize, sum: usize, bytes: usize): void {
  const a = v128.splat<T>(<T>weight);
  for (let p: usize = 0; p < bytes; p += VECTOR) {
    const bar = v128.load(xBar + p);
    v128.store(kBar + p, v128.mul<T>(a, bar));
    v128.store(sum + p, bar);
  }
}

/** kBar += 2·weight·c_s·k and kinetic_s += weight·|k_s|² for every sample s, with `cotangents` c f64 per sample. */
// @ts-ignore: decorator
@inline
function addKinetic<T extends number>(
  kBar: usize,
  k: usize,
  weight: f64,
  cotangents: usize,
  kinetic: usize,
  coordinates: i32,
  blocks: i32,
): void {
  const block = <usize>coordinates * VECTOR;
  const factor = v128.splat<T>(<T>weight);
  for (let b = 0; b < blocks; b++) {
    const half = v128.mul<T>(factor, loadLanes<T>(cotangents));
    const scale = v128.add<T>(half, half);
    let squared = v128.splat<T>(<T>0);
    for (let c: usize = 0; c < block; c += VECTOR) {
      const slope = v128.load(k + c);
      v128.store(kBar + c, v128.add<T>(v128.load(kBar + c), v128.mul<T>(scale, slope)));
      squared = v128.add<T>(squared, v128.mul<T>(slope, slope));
    }
    accumulate<T>(kinetic, v128.mul<T>(factor, squared));
    k += block;
    kBar += block;
    cotangents += lanes<T>() * 8;
    kinetic += lanes<T>() * 8;
  }
}

/**
 * Pulls the cotangent of the final positions, at `xBar`, back to the initial ones in place, given the cotangents of
 * log|det| (f64 per sample) and the `tape` of the forward pass; `stageBars`, laid out as the stages with
 * `stageBarBytes` each, and the field's own parameter cotangents are added to.
 *
 * With `kineticBar` ≠ 0 (f64 per sample) the loss also has the kinetic energies ∫|v|² dt of the samples with these
 * cotangents. They are added to `kinetic` (f64 per sample), by the integrator's own quadrature.
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
  kineticBar: usize,
  kinetic: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  work: usize,
  scratch: usize,
): void {
  const coordinates = particles * dimensions;
  const bytes = <usize>(blocks * coordinates) * VECTOR;
  const kBar = work;
  const stageXBar = kBar + bytes;
  const sum = stageXBar + bytes;
  const k = sum + bytes;
  const divBar = k + bytes;
  const div = divBar + <usize>blocks * VECTOR;
  const h = (inverse ? -1.0 : 1.0) / <f64>steps;
  for (let step = steps - 1; step >= 0; step--) {
    for (let substep = 3; substep >= 0; substep--) {
      const weight = substep == 0 || substep == 3 ? h / 6 : h / 3;
      // k of this substep feeds the step's end, and the next substep's position (unless it is the last)
      if (substep == 3) retreatFirst<T>(kBar, weight, xBar, sum, bytes);
      else retreat<T>(kBar, weight, xBar, substep < 2 ? 0.5 * h : h, stageXBar, sum, bytes);
      const s = <usize>stageIndex(step, substep, steps, inverse);
      const stage = stages + s * stageBytes;
      const position = tape + <usize>(4 * step + substep) * bytes;
      if (kineticBar != 0) {
        velocity<T>(kind, parameters, stage, position, k, div, particles, dimensions, blocks, scratch);
        addKinetic<T>(kBar, k, abs(weight), kineticBar, kinetic, coordinates, blocks);
      }
      const factor = v128.splat<T>(<T>weight);
      for (let b: usize = 0; b < <usize>blocks; b++) {
        const bar = loadLanes<T>(logDetBar + b * <usize>(lanes<T>() * 8));
        v128.store(divBar + b * VECTOR, v128.mul<T>(factor, bar));
      }
      velocityReverse<T>(
        kind, parameters, stage, stageBars + s * stageBarBytes,
        position, kBar, divBar, stageXBar, particles, dimensions, blocks, scratch,
      );
    }
    addScaled<T>(xBar, sum, 1, stageXBar, bytes);
  }
}
