// The module's exports. Kernels that are generic over the lane type are instantiated in exports/.

export * from './exports/blocks';
export * from './exports/energies';
export * from './exports/fields';
export * from './exports/integrators';
export * from './exports/math';
export * from './exports/tables';

export { adaptationBytes, adaptStepSizes, averagedStepSizes, startAdaptation } from './adaptation';
export { clearRows, lastUsed } from './blend';
export { demote, narrow } from './blocks';
export { nextCell } from './cells';
export { denseScratch } from './dense';
export { energyScratch } from './energy';
export { hamiltonian, hamiltonianScratch } from './langevin';
export { metropolis, metropolisScratch } from './metropolis';
export { momenta, momentaBytes } from './momenta';
export { pairScratch } from './pair-tiles';
export { basisWindows, radialBasis } from './radial-basis';
export { normals, philox } from './random';
export { rungeKutta4ReverseScratch } from './runge-kutta-reverse';
export { tableProducts } from './tables';
export { collectReverse, tableProductsReverse, tableReverseScratch } from './tables-reverse';

/** First byte that the host may hand out. */
export function heapBase(): usize {
  return __heap_base;
}
