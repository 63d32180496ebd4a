// The integrators' view of a field: velocity and divergence of blocks at a prepared stage, and the reverse pass.
// A new field is a new file and a case in each of these two functions.

import { denseField } from './dense';
import { denseFieldReverse } from './dense-reverse';
import { kernelField } from './pairs';
import { kernelFieldReverse } from './pairs-reverse';

export const KERNEL_FIELD: i32 = 0;
export const DENSE_FIELD: i32 = 1;

/** Velocity (blocks of T) into `v`, divergence (f64 per sample) into `div`. */
export function velocity<T extends number>(
  kind: i32,
  parameters: usize,
  stage: usize,
  x: usize,
  v: usize,
  div: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  if (kind == DENSE_FIELD) denseField<T>(parameters, stage, x, v, div, particles * dimensions, blocks, scratch);
  else kernelField<T>(parameters, stage, x, v, div, particles, dimensions, blocks, scratch);
}

/** Cotangents: `vBar` (blocks of T) and `divBar` (a vector of T a block) in; `xBar` written, `stageBar` added to. */
export function velocityReverse<T extends number>(
  kind: i32,
  parameters: usize,
  stage: usize,
  stageBar: usize,
  x: usize,
  vBar: usize,
  divBar: usize,
  xBar: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  if (kind == DENSE_FIELD) {
    denseFieldReverse<T>(
      parameters, stage, stageBar, x, vBar, divBar, xBar, particles * dimensions, blocks, scratch,
    );
  } else {
    kernelFieldReverse<T>(
      parameters, stage, stageBar, x, vBar, divBar, xBar, particles, dimensions, blocks, scratch,
    );
  }
}
