export { DenseField, initialDenseField } from './dense-field.js';
export type { Field, ParameterSet, PreparedField, PrepareOptions } from './field.js';
export { initialKernelField, KernelField, type KernelFieldBasis, uniformBasis } from './kernel-field.js';
export { type SpeciesPairs, speciesPairs } from './species.js';
