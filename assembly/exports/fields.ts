import { velocity, velocityReverse } from '../field';

export function velocity32(
  kind: i32, parameters: usize, stage: usize, x: usize, v: usize, div: usize, particles: i32, dimensions: i32,
  blocks: i32, scratch: usize,
): void {
  velocity<f32>(kind, parameters, stage, x, v, div, particles, dimensions, blocks, scratch);
}

export function velocity64(
  kind: i32, parameters: usize, stage: usize, x: usize, v: usize, div: usize, particles: i32, dimensions: i32,
  blocks: i32, scratch: usize,
): void {
  velocity<f64>(kind, parameters, stage, x, v, div, particles, dimensions, blocks, scratch);
}

export function velocityReverse32(
  kind: i32, parameters: usize, stage: usize, stageBar: usize, x: usize, vBar: usize, divBar: usize, xBar: usize,
  particles: i32, dimensions: i32, blocks: i32, scratch: usize,
): void {
  velocityReverse<f32>(
    kind, parameters, stage, stageBar, x, vBar, divBar, xBar, particles, dimensions, blocks, scratch,
  );
}

export function velocityReverse64(
  kind: i32, parameters: usize, stage: usize, stageBar: usize, x: usize, vBar: usize, divBar: usize, xBar: usize,
  particles: i32, dimensions: i32, blocks: i32, scratch: usize,
): void {
  velocityReverse<f64>(
    kind, parameters, stage, stageBar, x, vBar, divBar, xBar, particles, dimensions, blocks, scratch,
  );
}
