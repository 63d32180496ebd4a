export {
  type AutocorrelationTime,
  type Convergence,
  classifyMinima,
  convergence,
  type DistanceEstimate,
  type DistinctMinima,
  distinctMinima,
  type EnergyAndGradient,
  type Equilibration,
  energyW2,
  equilibration,
  histogram,
  histogram2d,
  integratedAutocorrelationTime,
  isMinimum,
  labelledArrangements,
  type MeanEstimate,
  type Minimization,
  type MinimizeOptions,
  meanWithError,
  minimize,
  minimizeOnPool,
  pairDistributionDistances,
  pairDistributions,
  wassersteinDistance,
} from './analysis/index.js';
export {
  DataError,
  EquiflowError,
  InputError,
  InterruptedError,
  IoError,
  NumericalError,
  OutputError,
  UnavailableError,
  UsageError,
} from './errors.js';
export type { Estimate } from './estimate.js';
export { type Experiment, type ExperimentRecord, runPaperExperiment } from './experiment/index.js';
export {
  DenseField,
  type Field,
  initialDenseField,
  initialKernelField,
  KernelField,
  type KernelFieldBasis,
  type ParameterSet,
  uniformBasis,
} from './fields/index.js';
export {
  type BoltzmannGenerator,
  boltzmannGenerator,
  type ContinuousFlow,
  continuousFlow,
  decodeModel,
  encodeModel,
  FlowRunner,
  type Positions,
  prepareFlow,
} from './flows/index.js';
export {
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  type NpyArray,
  readArray,
  readConfigurations,
  readInput,
  writeOutput,
} from './formats/index.js';
export { type RungeKutta4, rk4 } from './integrators/index.js';
export type { Precision } from './kernels/index.js';
export { logNormalization, type MeanFreeNormal, meanFreeNormal } from './priors/index.js';
export type { Progress, ProgressUpdate } from './progress.js';
export {
  bennettAcceptanceRatio,
  blockBootstrap,
  entropyAndKl,
  exponentialAveraging,
  freeEnergyProfile,
  importanceWeights,
  logWeights,
  mbar,
  normalizedWeights,
  pairDistance,
  paretoKhat,
  radiusOfGyration,
  reducedWork,
  smoothedLogWeights,
  stateFreeEnergyDifference,
  type WeightReport,
  type WeightStatus,
  weightedMean,
} from './reweighting/index.js';
export { type Simulation, type SimulationOptions, simulate } from './samplers/index.js';
export {
  logProb,
  openSampleWeights,
  readSampleWeights,
  reweight,
  type SampleOptions,
  type SampleSet,
  sample,
  sampleToFolder,
  sampleToHdf5,
  writeSampleSet,
} from './sampling/index.js';
export {
  defineSystem,
  describeSystem,
  EnergyEvaluator,
  type EnergyTerm,
  type KnownAnswers,
  listSystems,
  loadSystem,
  type PairFunction,
  type PairTable,
  type System,
  startConfiguration,
  systemFromDefinition,
  systemFromSpec,
  systemSpec,
  tabulatePair,
  tabulatePoints,
} from './systems/index.js';
export {
  type Configurations,
  initialFieldFor,
  splitConfigurations,
  TRAINING_DEFAULTS,
  type TrainedGenerator,
  type TrainingOptions,
  train,
} from './training/index.js';
export { VERSION } from './version.js';
export { WorkerPool, type WorkerPoolOptions } from './workers/index.js';
