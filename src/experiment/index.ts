export { type Experiment, type ExperimentOptions, runPaperExperiment } from './paper.js';
export type { Claim, ExperimentRecord, GeneratorRun, TrainingSet } from './record.js';
export { EXPERIMENT_SETTINGS, type ExperimentSettings } from './settings.js';
