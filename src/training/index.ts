export type { Configurations } from '../formats/index.js';
export { type CheckpointContext, decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
export {
  KernelEngine,
  type KernelEngineOptions,
  type LossAndGradient,
  type PriorBatch,
  type ReverseKlOptions,
} from './engines/kernels.js';
export { initialFieldFor, radialBasisFor } from './initial-field.js';
export { ADAM, type AdamOptions, type AdamState, adamState, adamUpdate } from './optimizer.js';
export { TRAINING_DEFAULTS, type TrainingOptions } from './options.js';
export { type TrainedGenerator, type TrainHooks, train } from './train.js';
export {
  type LearningCurvePoint,
  splitConfigurations,
  type TrainingResult,
  type TrainingState,
  trainFlow,
} from './trainer.js';
