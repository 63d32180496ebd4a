export { type Experiment, type ExperimentOptions, runPaperExperiment } from './paper.js';
export type {
  Claim,
  EnsembleView,
  EquilibriumDistance,
  EquilibriumDistances,
  ExperimentRecord,
  GeneratorRun,
  MinimaShares,
  MinimizedConfiguration,
  TrainingSet,
  Uncertain,
} from './record.js';
export { EXPERIMENT_SETTINGS, type ExperimentSettings } from './settings.js';
