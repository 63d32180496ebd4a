export {
  type Ensemble,
  type EnsembleDensity,
  type EnsembleFreeEnergies,
  ensembleFreeEnergies,
} from './ensembles.js';
export { type ExportOptions, exportSelection, isExportName } from './export-selection.js';
export { type NamedSamples, type OpenedInput, openNamedSamples } from './named-samples.js';
export type { TargetKind } from './partial-folder.js';
export { type ReweightOptions, requireTemperature, reweight } from './reweight.js';
export { ReweightingFold } from './reweight-fold.js';
export type { ReweightingSamples } from './reweight-pieces.js';
export { type Asked, planOf, type Question, questionOf } from './reweight-question.js';
export { type EncodedBlock, reweightRange, settleReweighting } from './reweight-range.js';
export type {
  PlainHistogram,
  ReweightedAverage,
  ReweightedProfile,
  ReweightedState,
  Reweighting,
} from './reweighting-result.js';
export { requireOnAxis } from './reweighting-result.js';
export { logProb, type SampleOptions, type SampleSet, sample, taskSize } from './sample.js';
export { checkArchiveSize, writeSampleSet } from './sample-files.js';
export { type ManifestContent, type SampleProvenance, sampleProvenance } from './sample-manifest.js';
export { type SampleStreamOptions, sampleToFolder, sampleToHdf5 } from './sample-stream.js';
export { type SelectedSamples, type Selection, selectSamples, type VectorName } from './selection.js';
export { type StepChoice, type StepChoiceOptions, withFewestSteps } from './step-choice.js';
export {
  checkStoredArrays,
  openSamples,
  openSampleWeights,
  readSampleWeights,
  type SampleWeights,
  type StoredSamples,
  type StoredWeights,
  storedVector,
} from './stored-weights.js';
export {
  type ArraySource,
  arrayInMemory,
  asVector,
  collect,
  openArray,
  openVector,
  type SampleRange,
  type VectorSource,
  vectorInMemory,
} from './vectors.js';
export type { ErrorSummary, Verification, VerificationStatus } from './verification.js';
export { verifySamples } from './verify.js';
export type { TracePoint } from './weight-trace.js';
