export { BLOCK_SIZE, logProb, type SampleOptions, type SampleSet, sample } from './sample.js';
export {
  isSampleFolder,
  readSampleWeights,
  type SampleProvenance,
  type SampleWeights,
  writeSampleSet,
} from './sample-files.js';
