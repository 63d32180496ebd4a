export {
  type AutocorrelationTime,
  integratedAutocorrelationTime,
  type MeanEstimate,
  meanWithError,
} from './autocorrelation.js';
export { type Convergence, convergence } from './convergence.js';
export { type Equilibration, equilibration } from './equilibration.js';
export { type Histogram, type Histogram2d, type HistogramAxis, histogram, histogram2d } from './histogram.js';
export {
  classifyMinima,
  type DistinctMinima,
  type DistinctMinimaOptions,
  distinctMinima,
  isMinimum,
  type LabelledArrangements,
  labelledArrangements,
  type SameStructure,
} from './minima.js';
export { type EnergyAndGradient, type Minimization, type MinimizeOptions, minimize } from './minimize.js';
export { minimizeOnPool } from './minimize-on-pool.js';
export type { DistanceEstimate, NoiseFloorOptions } from './noise-floor.js';
export {
  type ConfigurationSample,
  type PairDistribution,
  type PairDistributionDistance,
  type Particles,
  pairDistributionDistances,
  pairDistributions,
} from './pair-distribution.js';
export {
  binomialFraction,
  mean,
  quantile,
  standardErrorOfMean,
  weightedFraction,
} from './statistics.js';
export {
  energyW2,
  type ValueSample,
  type WassersteinOrder,
  wassersteinDistance,
} from './wasserstein.js';
