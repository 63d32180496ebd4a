import { dormandPrinceScratch, dormandPrinceStart, dormandPrinceStep } from '../dormand-prince';
import { rungeKutta4, rungeKutta4Scratch } from '../runge-kutta';
import { rungeKutta4Reverse } from '../runge-kutta-reverse';

export function rungeKutta4Scratch32(coordinates: i32, blocks: i32): i32 {
  return rungeKutta4Scratch<f32>(coordinates, blocks);
}

export function rungeKutta4Scratch64(coordinates: i32, blocks: i32): i32 {
  return rungeKutta4Scratch<f64>(coordinates, blocks);
}

export function rungeKutta432(
  kind: i32, parameters: usize, stages: usize, stageBytes: usize, steps: i32, inverse: bool, x: usize, logDet: usize,
  particles: i32, dimensions: i32, blocks: i32, tape: usize, work: usize, scratch: usize,
): void {
  rungeKutta4<f32>(
    kind, parameters, stages, stageBytes, steps, inverse, x, logDet, particles, dimensions, blocks, tape, work, scratch,
  );
}

export function rungeKutta464(
  kind: i32, parameters: usize, stages: usize, stageBytes: usize, steps: i32, inverse: bool, x: usize, logDet: usize,
  particles: i32, dimensions: i32, blocks: i32, tape: usize, work: usize, scratch: usize,
): void {
  rungeKutta4<f64>(
    kind, parameters, stages, stageBytes, steps, inverse, x, logDet, particles, dimensions, blocks, tape, work, scratch,
  );
}

export function rungeKutta4Reverse32(
  kind: i32, parameters: usize, stages: usize, stageBytes: usize, stageBars: usize, stageBarBytes: usize, steps: i32,
  inverse: bool, tape: usize, xBar: usize, logDetBar: usize, kineticBar: usize, kinetic: usize, particles: i32,
  dimensions: i32, blocks: i32, work: usize, scratch: usize,
): void {
  rungeKutta4Reverse<f32>(
    kind, parameters, stages, stageBytes, stageBars, stageBarBytes, steps, inverse, tape, xBar, logDetBar, kineticBar,
    kinetic, particles, dimensions, blocks, work, scratch,
  );
}

export function rungeKutta4Reverse64(
  kind: i32, parameters: usize, stages: usize, stageBytes: usize, stageBars: usize, stageBarBytes: usize, steps: i32,
  inverse: bool, tape: usize, xBar: usize, logDetBar: usize, kineticBar: usize, kinetic: usize, particles: i32,
  dimensions: i32, blocks: i32, work: usize, scratch: usize,
): void {
  rungeKutta4Reverse<f64>(
    kind, parameters, stages, stageBytes, stageBars, stageBarBytes, steps, inverse, tape, xBar, logDetBar, kineticBar,
    kinetic, particles, dimensions, blocks, work, scratch,
  );
}

export function dormandPrinceScratch32(coordinates: i32): i32 {
  return dormandPrinceScratch<f32>(coordinates);
}

export function dormandPrinceScratch64(coordinates: i32): i32 {
  return dormandPrinceScratch<f64>(coordinates);
}

export function dormandPrinceStart32(
  kind: i32, parameters: usize, stage: usize, state: usize, particles: i32, dimensions: i32, blocks: i32,
  scratch: usize,
): void {
  dormandPrinceStart<f32>(kind, parameters, stage, state, particles, dimensions, blocks, scratch);
}

export function dormandPrinceStart64(
  kind: i32, parameters: usize, stage: usize, state: usize, particles: i32, dimensions: i32, blocks: i32,
  scratch: usize,
): void {
  dormandPrinceStart<f64>(kind, parameters, stage, state, particles, dimensions, blocks, scratch);
}

export function dormandPrinceStep32(
  kind: i32, parameters: usize, stages: usize, h: f64, state: usize, control: usize, members: usize, count: i32,
  frames: usize, particles: i32, dimensions: i32, work: usize, scratch: usize,
): i32 {
  return dormandPrinceStep<f32>(
    kind, parameters, stages, h, state, control, members, count, frames, particles, dimensions, work, scratch,
  );
}

export function dormandPrinceStep64(
  kind: i32, parameters: usize, stages: usize, h: f64, state: usize, control: usize, members: usize, count: i32,
  frames: usize, particles: i32, dimensions: i32, work: usize, scratch: usize,
): i32 {
  return dormandPrinceStep<f64>(
    kind, parameters, stages, h, state, control, members, count, frames, particles, dimensions, work, scratch,
  );
}
