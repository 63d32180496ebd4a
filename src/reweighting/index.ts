export {
  foldBlocks,
  largestLogWeights,
  WEIGHT_BLOCK_SIZE,
  type WeightBlock,
  weightBlock,
  weightBlocks,
} from './blocks.js';
export { type EntropyAndKl, type EntropyAndKlOptions, entropyAndKl } from './divergence.js';
export { logWeights } from './log-weights.js';
export { paretoKhat, smoothedLogWeights, tailLength } from './psis.js';
export type { WeightStatus } from './status.js';
export {
  type ImportanceWeightOptions,
  importanceWeights,
  normalizedWeights,
  type WeightReport,
  weightedMean,
  weightReport,
} from './weights.js';
