export type { Configurations } from '../formats/index.js';
export { type CheckpointContext, decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
export {
  aligner,
  assign,
  type CouplingKind,
  coupling,
  nearestOrthogonal,
  svd,
} from './couplings/index.js';
export { splitConfigurations } from './data.js';
export { emaUpdate } from './ema.js';
export {
  ENGINE_NAMES,
  type EngineChoice,
  type EngineFinding,
  type EngineName,
  type EngineSettings,
  type FlowGradientsOptions,
  type LossAndGradient,
  type PriorBatch,
  type TrainingEngine,
  type VelocityBatch,
} from './engines/engine.js';
export { FlowGradients } from './engines/flow-gradients.js';
export { KernelsEngine } from './engines/kernels-engine.js';
export { type ChosenEngine, chooseEngine, createEngine, stepWork, surveyEngines } from './engines/registry.js';
export { VelocityGradients } from './engines/velocity-gradients.js';
export { matchingBatches } from './flow-matching.js';
export { initialFieldFor } from './initial-field.js';
export { ADAM, type AdamOptions, type AdamState, adamState, adamUpdate } from './optimizer.js';
export { TRAINING_DEFAULTS, type TrainingOptions } from './options.js';
export { recipeFor } from './recipes.js';
export type { LearningCurvePoint, TrainingState } from './state.js';
export { type TrainedGenerator, type TrainHooks, train } from './train.js';
export { type StepRecord, type TrainingResult, trainFlow } from './trainer.js';
