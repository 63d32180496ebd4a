export type { CommonKernels, LaneKernels } from './exports.js';
export { Kernels, type Precision } from './module.js';
export { MAX_SEED, permutation, randomWords, STREAM, standardNormals } from './random.js';
