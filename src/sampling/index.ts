export { type Reweighting, type ReweightOptions, reweight } from './reweight.js';
export { BLOCK_SIZE, logProb, type SampleOptions, type SampleSet, sample } from './sample.js';
export { checkArchiveSize, writeSampleSet } from './sample-files.js';
export { isSampleFolder, type SampleProvenance, sampleProvenance } from './sample-manifest.js';
export { type SampleStreamOptions, sampleToFolder, sampleToHdf5 } from './sample-stream.js';
export {
  openSampleWeights,
  readSampleWeights,
  type SampleWeights,
  type StoredWeights,
} from './stored-weights.js';
export { openVector, type VectorSource } from './vectors.js';
