// Classic fixed-step Runge–Kutta 4 of (x, log|det|) through a field whose stages are prepared: stage s stands at
// t = s/(2·steps), so 2·steps + 1 stages serve forward (t: 0 → 1) and inverse (1 → 0) alike.

import { addScaled } from './blocks';
import { VECTOR, lanes, mulAdd } from './lanes';
import { KERNEL_FIELD, velocity } from './field';
import { ADVANCE, END, forwardFour, isFour } from './four-particles';

/** The stage that substep `substep` (0 … 3) of step `step` needs. */
// @ts-ignore: decorator
@inline
export function stageIndex(step: i32, substep: i32, steps: i32, inverse: bool): i32 {
  const s = 2 * step + ((substep + 1) >> 1);
  return inverse ? 2 * steps - s : s;
}

/** next = sum + weight·k and position = x + offset·k in one pass. */
// @ts-ignore: decorator
@inline
function advance<T extends number>(
  x: usize,
  sum: usize,
  k: usize,
  weight: f64,
  offset: f64,
  next: usize,
  position: usize,
  bytes: usize,
): void {
  const a = v128.splat<T>(<T>weight);
  const b = v128.splat<T>(<T>offset);
  for (let p: usize = 0; p < bytes; p += VECTOR) {
    const slope = v128.load(k + p);
    v128.store(next + p, mulAdd<T>(a, slope, v128.load(sum + p)));
    v128.store(position + p, mulAdd<T>(b, slope, v128.load(x + p)));
  }
}

/** A substep of four particles in one pass: what `velocity`, `addScaled` and `advance` do to others one after the other. */
// @ts-ignore: decorator
@inline
function substepFour<T extends number>(
  substep: i32,
  parameters: usize,
  stage: usize,
  position: usize,
  sums: usize,
  blocks: i32,
  x: usize,
  next: usize,
  h: f64,
  following: usize,
  scratch: usize,
): void {
  if (substep == 3) {
    forwardFour<T>(END, parameters, stage, position, sums, blocks, x, next, h / 6, 0, 0, 0, scratch);
  } else {
    const sum = substep == 0 ? x : next;
    const weight = substep == 0 ? h / 6 : h / 3;
    const offset = substep == 2 ? h : 0.5 * h;
    forwardFour<T>(ADVANCE, parameters, stage, position, sums, blocks, next, sum, weight, x, offset, following, scratch);
  }
}

/** Bytes of positions that a substep works on at a time, so that velocities and sums of a group are used while in L1. */
const GROUP_BYTES: i32 = 4096;

/** Blocks of a group: a multiple of 8, which fills the tiles of the fields, unless blocks are large. */
// @ts-ignore: decorator
@inline
function groupBlocks(coordinates: i32): i32 {
  const blocks = max(1, GROUP_BYTES / (coordinates * <i32>VECTOR));
  return blocks > 8 ? blocks & ~7 : blocks;
}

/** Bytes of working memory beside the field's scratch, for `blocks` blocks. */
export function rungeKutta4Scratch<T extends number>(coordinates: i32, blocks: i32): i32 {
  const group = groupBlocks(coordinates);
  return (2 * blocks + group) * coordinates * <i32>VECTOR + group * lanes<T>() * 8;
}

/**
 * Integrates `blocks` blocks at `x` in place and adds ∫ div v dt to the f64 values at `logDet`.
 * With `tape` ≠ 0 the positions of all 4·steps stages are kept there, [4·steps][blocks][coordinates], for the reverse pass.
 * `work` holds `rungeKutta4Scratch` bytes, `scratch` what the field needs.
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
  const coordinates = particles * dimensions;
  const blockBytes = <usize>coordinates * VECTOR;
  const bytes = <usize>blocks * blockBytes;
  const sumBytes = <usize>(lanes<T>() * 8);
  const group = groupBlocks(coordinates);
  const four = kind == KERNEL_FIELD && isFour(parameters, particles, dimensions);
  const next = work;
  const inner = next + bytes;
  const k = inner + bytes;
  const div = k + <usize>group * blockBytes;
  const h = (inverse ? -1.0 : 1.0) / <f64>steps;
  for (let step = 0; step < steps; step++) {
    let position = x;
    if (tape != 0) {
      position = tape + <usize>(4 * step) * bytes;
      memory.copy(position, x, bytes);
    }
    for (let substep = 0; substep < 4; substep++) {
      const stage = stages + <usize>stageIndex(step, substep, steps, inverse) * stageBytes;
      const weight = substep == 0 || substep == 3 ? h / 6 : h / 3;
      const following = tape == 0 ? inner : tape + <usize>(4 * step + substep + 1) * bytes;
      for (let b = 0; b < blocks; b += group) {
        const count = min(group, blocks - b);
        const at = <usize>b * blockBytes;
        const size = <usize>count * blockBytes;
        const sums = logDet + <usize>b * sumBytes;
        if (four) {
          substepFour<T>(
            substep, parameters, stage, position + at, sums, count, x + at, next + at, h, following + at, scratch,
          );
          continue;
        }
        velocity<T>(kind, parameters, stage, position + at, k, div, particles, dimensions, count, scratch);
        addScaled<f64>(sums, sums, weight, div, <usize>count * sumBytes);
        // The last substep's sum is the step's end, and nothing needs its start any more.
        if (substep == 3) addScaled<T>(x + at, next + at, weight, k, size);
        else {
          const offset = substep < 2 ? 0.5 * h : h;
          const sum = substep == 0 ? x : next;
          advance<T>(x + at, sum + at, k, weight, offset, next + at, following + at, size);
        }
      }
      position = following;
    }
  }
}
