export { plainEstimate, weightedEstimate, weightedMean } from './averages.js';
export { type BennettOptions, bennettAcceptanceRatio } from './bar.js';
export {
  type BinShare,
  binIndex,
  logRatioVariance,
  plainShares,
  weightedShares,
} from './bins.js';
export { blockWidth, decodeBlock, encodeBlock } from './block-codec.js';
export {
  foldBlocks,
  largestLogWeights,
  WEIGHT_BLOCK_SIZE,
  type WeightBlock,
  weightBlock,
  weightBlocks,
} from './blocks.js';
export { type BootstrapEstimate, type BootstrapOptions, blockBootstrap, blockLength } from './bootstrap.js';
export {
  type Coordinate,
  coordinateValues,
  isPerPair,
  needsConfigurations,
  parseCoordinate,
  sampleValues,
} from './coordinate.js';
export { type ConfigurationShape, pairDistance, radiusOfGyration } from './coordinates.js';
export { type EntropyAndKl, type EntropyAndKlOptions, entropiesOf, entropyAndKl } from './divergence.js';
export type { JudgedEstimate } from './estimates.js';
export {
  type ExponentialAveragingOptions,
  exponentialAveraging,
  judgedDifference,
  reducedWork,
  type StateDifferenceOptions,
  stateFreeEnergyDifference,
} from './free-energy.js';
export type { ChainLengths } from './influence.js';
export { logWeights } from './log-weights.js';
export { type Mbar, type MbarOptions, mbar } from './mbar.js';
export { type FreeEnergyProfile, freeEnergyProfile, type ProfileBands, type ProfileOptions } from './profile.js';
export { type ProfileRequest, profileAxis } from './profile-axis.js';
export { paretoKhat, smoothedLogWeights, tailLength } from './psis.js';
export {
  combineReweighting,
  coordinatesOf,
  type ReweightingBlock,
  type ReweightingData,
  type ReweightingPlan,
  reweightingBlock,
} from './reweighting-block.js';
export { parseState } from './states.js';
export type { WeightStatus } from './status.js';
export { type TwoSidedDifference, twoSidedDifference } from './two-sided.js';
export {
  type ImportanceWeightOptions,
  importanceWeights,
  normalizedWeights,
  type WeightReport,
  weightReport,
} from './weights.js';
