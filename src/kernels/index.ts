export type { LaneKernels } from './exports.js';
export { type Arithmetic, type KernelCall, type KernelJob, Kernels, type Precision } from './module.js';
export { MAX_SEED, permutation, randomWords, STREAM, scatteredIndices, standardNormals } from './random.js';
export { dismiss, MAX_MEMBERS, reportLoss, serve, TeamKernels, type TeamMemory, teamMemory } from './team.js';
