// Classic fixed-step Runge–Kutta 4 of (x, log|det|) through a field whose stages are prepared: stage s stands at
// t = s/(2·steps), so 2·steps + 1 stages serve forward (t: 0 → 1) and inverse (1 → 0) alike.

import { VECTOR, lanes } from './lanes';
import { velocity } from './field';

/** The stage that substep `substep` (0 … 3) of step `step` needs. */
// @ts-ignore: decorator
@inline
export function stageIndex(step: i32, substep: i32, steps: i32, inverse: bool): i32 {
  const s = 2 * step + ((substep + 1) >> 1);
  return inverse ? 2 * steps - s : s;
}

/** out = base + scale·k, vector by vector. */
// @ts-ignore: decorator
@inline
export function addScaled<T extends number>(out: usize, base: usize, scale: f64, k: usize, bytes: usize): void {
  const factor = v128.splat<T>(<T>scale);
  for (let p: usize = 0; p < bytes; p += VECTOR) {
    v128.store(out + p, v128.add<T>(v128.load(base + p), v128.mul<T>(factor, v128.load(k + p))));
  }
}

// @ts-ignore: decorator
@inline
function addDivergence(logDet: usize, scale: f64, div: usize, bytes: usize): void {
  addScaled<f64>(logDet, logDet, scale, div, bytes);
}

/** Bytes of working memory beside the field's scratch, for `blocks` blocks. */
export function integratorScratch<T extends number>(coordinates: i32, blocks: i32): i32 {
  return blocks * (3 * coordinates * <i32>VECTOR + lanes<T>() * 8);
}

/**
 * Integrates `blocks` blocks at `x` in place and adds ∫ div v dt to the f64 values at `logDet`.
 * With `tape` ≠ 0 the positions of all 4·steps stages are kept there, [4·steps][blocks][coordinates], for the reverse pass.
 * `work` holds `integratorScratch` bytes, `scratch` what the field needs.
 */
export function rungeKutta4<T extends number>(
  kind: i32,
  parameters: usize,
  stages: usize,
  stageBytes: usize,
  steps: i32,
  inverse: bool,
  x: usize,
  logDet: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  tape: usize,
  work: usize,
  scratch: usize,
): void {
  const bytes = <usize>(blocks * particles * dimensions) * VECTOR;
  const sumBytes = <usize>(blocks * lanes<T>() * 8);
  const k = work;
  const next = k + bytes;
  const inner = next + bytes;
  const div = inner + bytes;
  const h = (inverse ? -1.0 : 1.0) / <f64>steps;
  for (let step = 0; step < steps; step++) {
    let position = x;
    if (tape != 0) {
      position = tape + <usize>(4 * step) * bytes;
      memory.copy(position, x, bytes);
    }
    for (let substep = 0; substep < 4; substep++) {
      const stage = stages + <usize>stageIndex(step, substep, steps, inverse) * stageBytes;
      velocity<T>(kind, parameters, stage, position, k, div, particles, dimensions, blocks, scratch);
      const weight = substep == 0 || substep == 3 ? h / 6 : h / 3;
      addDivergence(logDet, weight, div, sumBytes);
      addScaled<T>(next, substep == 0 ? x : next, weight, k, bytes);
      if (substep < 3) {
        position = tape == 0 ? inner : tape + <usize>(4 * step + substep + 1) * bytes;
        addScaled<T>(position, x, substep < 2 ? 0.5 * h : h, k, bytes);
      }
    }
    memory.copy(x, next, bytes);
  }
}
