export type { Configurations } from '../formats/index.js';
export { type CheckpointContext, decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
export {
  type Aligner,
  type Alignment,
  type Assignment,
  aligner,
  assign,
  type Coupling,
  type CouplingKind,
  coupling,
  nearestOrthogonal,
  svd,
} from './couplings/index.js';
export { type Batch, splitConfigurations } from './data.js';
export { emaUpdate } from './ema.js';
export {
  type Awaitable,
  ENGINE_NAMES,
  type EngineChoice,
  type EngineDemand,
  type EngineFinding,
  type EngineName,
  type EngineProvider,
  type EngineSettings,
  type EngineTables,
  type KernelEngineOptions,
  type LossAndGradient,
  type PriorBatch,
  type ReverseKlOptions,
  type TrainingEngine,
  type VelocityBatch,
} from './engines/engine.js';
export { KernelEngine } from './engines/kernels.js';
export { KernelsEngine } from './engines/kernels-engine.js';
export { type ChosenEngine, chooseEngine, createEngine, stepWork, surveyEngines } from './engines/registry.js';
export { VelocityEngine } from './engines/velocity.js';
export { matchingBatches } from './flow-matching.js';
export { initialFieldFor, radialBasisFor } from './initial-field.js';
export { ADAM, type AdamOptions, type AdamState, adamState, adamUpdate } from './optimizer.js';
export { TRAINING_DEFAULTS, type TrainingOptions } from './options.js';
export { type Recipe, recipeFor } from './recipes.js';
export type { LearningCurvePoint, TrainingState } from './state.js';
export { type TrainedGenerator, type TrainHooks, train } from './train.js';
export { type StepRecord, type TrainingResult, trainFlow } from './trainer.js';
