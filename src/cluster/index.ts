export { allocatedThreads, type Environment, type Processors, shardIndex } from './allocation.js';
export { type Outlook, outlook, shardTimes } from './cost.js';
export type { Job, JobBlock, JobContext, JobKind, TensorSpec, UnitRange } from './job.js';
export { openJob } from './jobs/index.js';
export {
  type Cut,
  type Plan,
  type Run,
  readRun,
  shardCount,
  shardIndices,
  shardRange,
  writeRun,
} from './plan.js';
export { runShard, SHARDS_LOG, type ShardOutcome } from './shard.js';
export type { ShardManifest } from './shard-files.js';
export {
  type CompleteRun,
  formatIndices,
  type RunStatus,
  requireComplete,
  runStatus,
  type ShardProblem,
} from './status.js';
export type { MergeContext } from './stored-blocks.js';
export {
  type RunVerification,
  type ShardsVerification,
  type VerifyOptions,
  verifyMerged,
  verifyRun,
} from './verify.js';
export { removeLeftovers } from './writers.js';
