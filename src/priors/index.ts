export {
  degreesOfFreedom,
  logDensityOfSquaredNorm,
  logNormalization,
  type MeanFreeNormal,
  meanFreeNormal,
  priorVariance,
} from './mean-free-normal.js';
