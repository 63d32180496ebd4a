export { type BennettOptions, bennettAcceptanceRatio } from './bar.js';
export {
  foldBlocks,
  largestLogWeights,
  WEIGHT_BLOCK_SIZE,
  type WeightBlock,
  weightBlock,
  weightBlocks,
} from './blocks.js';
export { type BootstrapEstimate, type BootstrapOptions, blockBootstrap, blockLength } from './bootstrap.js';
export { type ConfigurationShape, pairDistance, radiusOfGyration } from './coordinates.js';
export { type EntropyAndKl, type EntropyAndKlOptions, entropyAndKl } from './divergence.js';
export type { JudgedEstimate } from './estimates.js';
export {
  type ExponentialAveragingOptions,
  exponentialAveraging,
  reducedWork,
  type StateDifferenceOptions,
  stateFreeEnergyDifference,
} from './free-energy.js';
export type { ChainLengths } from './influence.js';
export { logWeights } from './log-weights.js';
export { type Mbar, type MbarOptions, mbar } from './mbar.js';
export { type FreeEnergyProfile, freeEnergyProfile, type ProfileOptions } from './profile.js';
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
