// The module's exports: every generic kernel in f32 and f64 under its name with the width appended.

import * as lanes from './lanes';
import * as math from './math';
import * as field from './field';
import * as integrate from './integrate';
import * as adjoint from './adjoint';
import * as dormandPrince from './dormand-prince';
import * as energies from './energy';
import * as tables from './tables';
import * as blend from './blend';

export { demote } from './lanes';
export { normals, philox } from './random';
export { basisWindows, radialBasis } from './radial-basis';
export { collectReverse, tableProducts, tableProductsReverse, tableReverseScratch } from './tables';
export { clearRows, lastUsed, narrow } from './blend';
export { nextCell } from './cells';
export { pairScratch } from './pair-tiles';
export { denseScratch } from './dense';
export { adjointScratch } from './adjoint';
export { metropolis, metropolisScratch } from './metropolis';
export { energyScratch } from './energy';
export { hamiltonian, hamiltonianScratch } from './langevin';
export { adaptationBytes, adaptStepSize, startAdaptation } from './adaptation';

export function elementary32(kind: i32, x: usize, vectors: i32): void {
  math.elementary<f32>(kind, x, vectors);
}

export function elementary64(kind: i32, x: usize, vectors: i32): void {
  math.elementary<f64>(kind, x, vectors);
}

export function squaredNorm32(x: usize, norms: usize, coordinates: i32, blocks: i32): void {
  lanes.squaredNorm<f32>(x, norms, coordinates, blocks);
}

export function squaredNorm64(x: usize, norms: usize, coordinates: i32, blocks: i32): void {
  lanes.squaredNorm<f64>(x, norms, coordinates, blocks);
}

export function removeCentroid32(x: usize, particles: i32, dimensions: i32, blocks: i32): void {
  lanes.removeCentroid<f32>(x, particles, dimensions, blocks);
}

export function removeCentroid64(x: usize, particles: i32, dimensions: i32, blocks: i32): void {
  lanes.removeCentroid<f64>(x, particles, dimensions, blocks);
}

export function tableRows32(
  knots: usize,
  columns: i32,
  from: i32,
  to: i32,
  tableBytes: usize,
  out: usize,
): void {
  tables.tableRows<f32>(knots, columns, from, to, tableBytes, out);
}

export function tableRows64(
  knots: usize,
  columns: i32,
  from: i32,
  to: i32,
  tableBytes: usize,
  out: usize,
): void {
  tables.tableRows<f64>(knots, columns, from, to, tableBytes, out);
}

export function lastRows32(
  knots: usize,
  columns: i32,
  last: i32,
  constant: bool,
  tableBytes: usize,
  out: usize,
): void {
  tables.lastRows<f32>(knots, columns, last, constant, tableBytes, out);
}

export function lastRows64(
  knots: usize,
  columns: i32,
  last: i32,
  constant: bool,
  tableBytes: usize,
  out: usize,
): void {
  tables.lastRows<f64>(knots, columns, last, constant, tableBytes, out);
}

export function tableRowsReverse32(
  rowBars: usize,
  columns: i32,
  tiles: i32,
  last: i32,
  tableBytes: usize,
  knotBars: usize,
): void {
  tables.tableRowsReverse<f32>(rowBars, columns, tiles, last, tableBytes, knotBars);
}

export function tableRowsReverse64(
  rowBars: usize,
  columns: i32,
  tiles: i32,
  last: i32,
  tableBytes: usize,
  knotBars: usize,
): void {
  tables.tableRowsReverse<f64>(rowBars, columns, tiles, last, tableBytes, knotBars);
}

export function addRows32(
  rows: i32,
  stride: usize,
  bytes: usize,
  sum: usize,
  x: usize,
): void {
  blend.addRows<f32>(rows, stride, bytes, sum, x);
}

export function addRows64(
  rows: i32,
  stride: usize,
  bytes: usize,
  sum: usize,
  x: usize,
): void {
  blend.addRows<f64>(rows, stride, bytes, sum, x);
}

export function combineRows32(
  a: usize,
  aStride: usize,
  aStep: usize,
  outputs: i32,
  inputs: i32,
  input: usize,
  inStride: usize,
  bytes: usize,
  out: usize,
  outStride: usize,
): void {
  blend.combineRows<f32>(
    a, aStride, aStep, outputs, inputs, input, inStride, bytes, out, outStride,
  );
}

export function combineRows64(
  a: usize,
  aStride: usize,
  aStep: usize,
  outputs: i32,
  inputs: i32,
  input: usize,
  inStride: usize,
  bytes: usize,
  out: usize,
  outStride: usize,
): void {
  blend.combineRows<f64>(
    a, aStride, aStep, outputs, inputs, input, inStride, bytes, out, outStride,
  );
}

export function rowProducts32(
  row: usize,
  rowStride: usize,
  rows: i32,
  column: usize,
  columnStride: usize,
  columns: i32,
  bytes: usize,
  out: usize,
): void {
  blend.rowProducts<f32>(
    row, rowStride, rows, column, columnStride, columns, bytes, out,
  );
}

export function rowProducts64(
  row: usize,
  rowStride: usize,
  rows: i32,
  column: usize,
  columnStride: usize,
  columns: i32,
  bytes: usize,
  out: usize,
): void {
  blend.rowProducts<f64>(
    row, rowStride, rows, column, columnStride, columns, bytes, out,
  );
}

export function velocity32(
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
  field.velocity<f32>(kind, parameters, stage, x, v, div, particles, dimensions, blocks, scratch);
}

export function velocity64(
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
  field.velocity<f64>(kind, parameters, stage, x, v, div, particles, dimensions, blocks, scratch);
}

export function velocityReverse32(
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
  field.velocityReverse<f32>(
    kind, parameters, stage, stageBar, x, vBar,
    divBar, xBar, particles, dimensions, blocks, scratch,
  );
}

export function velocityReverse64(
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
  field.velocityReverse<f64>(
    kind, parameters, stage, stageBar, x, vBar,
    divBar, xBar, particles, dimensions, blocks, scratch,
  );
}

export function integratorScratch32(coordinates: i32, blocks: i32): i32 {
  return integrate.integratorScratch<f32>(coordinates, blocks);
}

export function integratorScratch64(coordinates: i32, blocks: i32): i32 {
  return integrate.integratorScratch<f64>(coordinates, blocks);
}

export function rungeKutta432(
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
  integrate.rungeKutta4<f32>(
    kind, parameters, stages, stageBytes, steps, inverse, x,
    logDet, particles, dimensions, blocks, tape, work, scratch,
  );
}

export function rungeKutta464(
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
  integrate.rungeKutta4<f64>(
    kind, parameters, stages, stageBytes, steps, inverse, x,
    logDet, particles, dimensions, blocks, tape, work, scratch,
  );
}

export function dormandPrinceScratch32(coordinates: i32): i32 {
  return dormandPrince.dormandPrinceScratch<f32>(coordinates);
}

export function dormandPrinceScratch64(coordinates: i32): i32 {
  return dormandPrince.dormandPrinceScratch<f64>(coordinates);
}

export function dormandPrinceStart32(
  kind: i32,
  parameters: usize,
  stage: usize,
  state: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  dormandPrince.dormandPrinceStart<f32>(kind, parameters, stage, state, particles, dimensions, blocks, scratch);
}

export function dormandPrinceStep32(
  kind: i32,
  parameters: usize,
  stages: usize,
  h: f64,
  state: usize,
  control: usize,
  members: usize,
  count: i32,
  frames: usize,
  particles: i32,
  dimensions: i32,
  work: usize,
  scratch: usize,
): i32 {
  return dormandPrince.dormandPrinceStep<f32>(
    kind, parameters, stages, h, state, control, members, count, frames, particles, dimensions, work, scratch,
  );
}

export function dormandPrinceStart64(
  kind: i32,
  parameters: usize,
  stage: usize,
  state: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  dormandPrince.dormandPrinceStart<f64>(kind, parameters, stage, state, particles, dimensions, blocks, scratch);
}

export function dormandPrinceStep64(
  kind: i32,
  parameters: usize,
  stages: usize,
  h: f64,
  state: usize,
  control: usize,
  members: usize,
  count: i32,
  frames: usize,
  particles: i32,
  dimensions: i32,
  work: usize,
  scratch: usize,
): i32 {
  return dormandPrince.dormandPrinceStep<f64>(
    kind, parameters, stages, h, state, control, members, count, frames, particles, dimensions, work, scratch,
  );
}

export function rungeKutta4Reverse32(
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
  adjoint.rungeKutta4Reverse<f32>(
    kind, parameters, stages, stageBytes, stageBars, stageBarBytes, steps, inverse,
    tape, xBar, logDetBar, kineticBar, kinetic, particles, dimensions, blocks, work, scratch,
  );
}

export function rungeKutta4Reverse64(
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
  adjoint.rungeKutta4Reverse<f64>(
    kind, parameters, stages, stageBytes, stageBars, stageBarBytes, steps, inverse,
    tape, xBar, logDetBar, kineticBar, kinetic, particles, dimensions, blocks, work, scratch,
  );
}

export function scaleSamples32(
  x: usize,
  weights: usize,
  factor: f64,
  out: usize,
  coordinates: i32,
  blocks: i32,
): void {
  adjoint.scaleSamples<f32>(x, weights, factor, out, coordinates, blocks);
}

export function addVectors32(sum: usize, x: usize, vectors: i32): void {
  adjoint.addVectors<f32>(sum, x, vectors);
}

export function scaleSamples64(
  x: usize,
  weights: usize,
  factor: f64,
  out: usize,
  coordinates: i32,
  blocks: i32,
): void {
  adjoint.scaleSamples<f64>(x, weights, factor, out, coordinates, blocks);
}

export function addVectors64(sum: usize, x: usize, vectors: i32): void {
  adjoint.addVectors<f64>(sum, x, vectors);
}

export function potential32(
  terms: usize,
  count: i32,
  x: usize,
  energy: usize,
  gradient: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  energies.potential<f32>(terms, count, x, energy, gradient, particles, dimensions, blocks, scratch);
}

export function potential64(
  terms: usize,
  count: i32,
  x: usize,
  energy: usize,
  gradient: usize,
  particles: i32,
  dimensions: i32,
  blocks: i32,
  scratch: usize,
): void {
  energies.potential<f64>(terms, count, x, energy, gradient, particles, dimensions, blocks, scratch);
}

export function pack32to32(from: usize, to: usize, samples: i32, coordinates: i32): void {
  lanes.pack<f32, f32>(from, to, samples, coordinates);
}

export function unpack32to32(from: usize, to: usize, samples: i32, coordinates: i32): void {
  lanes.unpack<f32, f32>(from, to, samples, coordinates);
}

export function pack32to64(from: usize, to: usize, samples: i32, coordinates: i32): void {
  lanes.pack<f32, f64>(from, to, samples, coordinates);
}

export function unpack32to64(from: usize, to: usize, samples: i32, coordinates: i32): void {
  lanes.unpack<f32, f64>(from, to, samples, coordinates);
}

export function pack64to32(from: usize, to: usize, samples: i32, coordinates: i32): void {
  lanes.pack<f64, f32>(from, to, samples, coordinates);
}

export function unpack64to32(from: usize, to: usize, samples: i32, coordinates: i32): void {
  lanes.unpack<f64, f32>(from, to, samples, coordinates);
}

export function pack64to64(from: usize, to: usize, samples: i32, coordinates: i32): void {
  lanes.pack<f64, f64>(from, to, samples, coordinates);
}

export function unpack64to64(from: usize, to: usize, samples: i32, coordinates: i32): void {
  lanes.unpack<f64, f64>(from, to, samples, coordinates);
}

/** First byte that the host may hand out. */
export function heapBase(): usize {
  return __heap_base;
}
