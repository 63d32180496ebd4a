import { type HistogramAxis, requireAxis } from '../../analysis/histogram.js';
import { UsageError } from '../../errors.js';
import {
  blockWidth,
  decodeBlock,
  type ProfileRequest,
  type ReweightingPlan,
  WEIGHT_BLOCK_SIZE,
} from '../../reweighting/index.js';
import {
  type Asked,
  checkStoredArrays,
  type NamedSamples,
  openNamedSamples,
  planOf,
  type Question,
  questionOf,
  type Reweighting,
  ReweightingFold,
  requireOnAxis,
  requireTemperature,
  reweightRange,
  settleReweighting,
} from '../../sampling/index.js';
import { describeSystem, systemFromDescription } from '../../systems/index.js';
import type { Job, JobBlock, JobContext, UnitRange } from '../job.js';
import { type Cut, evenBoundaries, firstIndexOf, makePlan, PLAN, type Plan, type Run } from '../plan.js';
import { arraysChecksum } from '../shard-files.js';
import type { CompleteRun } from '../status.js';
import { type MergeContext, runBlocks } from '../stored-blocks.js';
import {
  absolutePaths,
  type InputFile,
  inputFiles,
  requireUnchanged,
  type SamplePaths,
  withContents,
} from './input-files.js';
import {
  cutAsPlanned,
  either,
  everyValue,
  listOf,
  NUMBER,
  oneOf,
  optional,
  RECORD,
  readTask,
  recordOf,
  TEXT,
} from './task.js';
import { requireWeights } from './weights.js';

/** Arrays of a sample set that may be read, unless others stand for them. */
const STORED = ['logQ', 'energy', 'x'] as const;

/** A reweighting, as a plan says it. */
export interface ReweightTask {
  /** The sample set as it was named, null for arrays alone. */
  readonly source: string | null;
  /** Where samples are read from, absolute. */
  readonly paths: SamplePaths;
  /** All files behind these, as they were. */
  readonly files: readonly InputFile[];
  readonly n: number;
  readonly kT: number;
  /** Another target than that of the samples, as `systemFromDescription` reads it. */
  readonly system?: unknown;
  readonly averages: readonly string[];
  readonly profiles: readonly ProfileRequest[];
  /** Of the profiles, as the first samples suggest them where no range was given. */
  readonly axes: readonly HistogramAxis[];
  readonly states: readonly string[];
}

/** A job of reweighting with what is asked. */
export interface ReweightJob extends Job {
  readonly task: ReweightTask;
  /** @internal */
  readonly question: Question;
  /** @internal */
  readonly plan: ReweightingPlan;
}

/** How a reweighting is cut, and whether its input is looked through before. */
export interface ReweightCut extends Cut {
  /**
   * Reads all that is used: compares the set with the checksums in its manifest, which shards cannot, since they are of whole
   * arrays, and notes those of all files, by which shards tell a file that was touched from one that was changed. Default true.
   */
  readonly check?: boolean;
}

/**
 * @throws UsageError for questions that make no sense, input that cannot be read twice, or a number of shards out of range; InputError,
 *   DataError as `reweight`
 */
export async function planReweighting(
  named: NamedSamples,
  asked: Asked,
  { shards, check = true, ...cut }: ReweightCut,
  { onProgress }: Pick<JobContext, 'onProgress'> = {},
): Promise<Plan<ReweightTask>> {
  const { path, system } = named;
  const { samples, stored, ...target } = await openNamedSamples(named);
  const { positions } = questionOf(Object.keys(named.arrays ?? {}), asked);
  const used = STORED.filter((name) => {
    const needed = { logQ: true, energy: system === undefined, x: positions || system !== undefined }[name];
    return needed && named[name] === undefined && stored?.has(name);
  });
  const paths = absolutePaths(named);
  const found = await inputFiles(paths, used);
  const { n, axes } = await settleReweighting(samples, { ...target, ...asked });
  const boundaries = evenBoundaries(n, shards, WEIGHT_BLOCK_SIZE, 'samples');
  if (check && stored !== undefined) await checkStoredArrays(stored, used, onProgress);
  const files = check ? await withContents(found) : found;
  await requireUnchanged(files);
  const { averages = [], profiles = [], states = [] } = asked;
  return makePlan({
    job: 'reweight',
    task: {
      source: path ?? null,
      paths,
      files,
      n,
      kT: target.kT,
      ...(system === undefined ? {} : { system: describeSystem(system) }),
      averages,
      profiles,
      axes,
      states,
    },
    block: WEIGHT_BLOCK_SIZE,
    firstIndex: firstIndexOf(cut),
    boundaries,
  });
}

const FIELDS = {
  source: either(TEXT, oneOf(null)),
  paths: recordOf({
    path: optional(TEXT),
    energy: optional(TEXT),
    logQ: optional(TEXT),
    x: optional(TEXT),
    arrays: optional(everyValue(TEXT)),
  }),
  files: listOf(recordOf({ path: TEXT, bytes: NUMBER, modified: TEXT, sha256: optional(TEXT) })),
  n: NUMBER,
  kT: NUMBER,
  system: optional(RECORD),
  averages: listOf(TEXT),
  profiles: listOf(recordOf({ coordinate: TEXT, reference: optional(NUMBER) })),
  axes: listOf(recordOf({ min: NUMBER, max: NUMBER, bins: NUMBER })),
  states: listOf(TEXT),
};

/** @throws UsageError or DataError for a task that `planReweighting` would not make */
function questionIn({ n, kT, paths, axes, system, ...asked }: ReweightTask): Question {
  if (!Number.isSafeInteger(n) || n < 1) throw new UsageError(`n is ${n}, expected a positive integer`);
  requireTemperature(kT);
  if (system !== undefined) systemFromDescription(system, 'system');
  const question = questionOf(Object.keys(paths.arrays ?? {}), asked);
  if (axes.length !== question.profiles.length) {
    throw new UsageError(`${axes.length} axes, expected ${question.profiles.length}, one per profile`);
  }
  for (const [k, { coordinate, reference }] of question.profiles.entries()) {
    requireAxis(`axis of ${coordinate}`, axes[k]);
    if (reference !== undefined) requireOnAxis(coordinate, reference, axes[k]);
  }
  return question;
}

/**
 * Input is looked at when blocks are asked for: the state of a run and its merge need none.
 * @throws DataError if the plan makes no sense
 */
export function openReweightJob(run: Run): ReweightJob {
  const question = readTask(run, FIELDS, questionIn);
  const task = run.plan.task as ReweightTask;
  const block = WEIGHT_BLOCK_SIZE;
  const plan = planOf(question, task.axes);
  const touched = new Map<string, string>();
  const layout = ({ n }: UnitRange) => [
    { name: 'logWeight', type: '<f8' as const, shape: [n] },
    { name: 'blocks', type: '<f8' as const, shape: [Math.ceil(n / block), blockWidth(plan)] },
  ];
  return cutAsPlanned(run, {
    task,
    question,
    plan,
    unit: 'samples' as const,
    units: task.n,
    block,
    grain: block,
    layout,
    async *blocks(range: UnitRange, { pool, ...context }: JobContext): AsyncGenerator<JobBlock> {
      await requireUnchanged(task.files, touched);
      const { samples, stored: _, ...target } = await openInput(task);
      for await (const { logWeight, block } of reweightRange(samples, plan, { ...target, range, ...context }, pool)) {
        const arrays = { logWeight, blocks: block };
        yield { arrays, checksum: arraysChecksum(layout({ first: 0, n: logWeight.length }), arrays) };
      }
      // A file that was written to meanwhile may have been read in part before.
      await requireUnchanged(task.files, touched);
    },
  });
}

function openInput({ paths, kT, system }: ReweightTask) {
  return openNamedSamples({
    ...paths,
    kT,
    ...(system === undefined ? {} : { system: systemFromDescription(system, PLAN) }),
  });
}

/**
 * What all shards say together.
 * @throws DataError if a weight is NaN or infinite, or all are zero; UsageError as `reweight`; InterruptedError if the signal aborts
 */
export async function mergeReweighting(
  complete: CompleteRun<ReweightJob>,
  context: MergeContext = {},
): Promise<Reweighting> {
  const { task, question, plan } = complete.job;
  const fold = new ReweightingFold(task.n);
  for await (const { arrays, range, shard } of runBlocks(complete, context)) {
    const logWeight = arrays.logWeight as Float64Array;
    requireWeights(logWeight, range.first, shard);
    if (range.first === 0) fold.begin(logWeight);
    fold.add(logWeight, [decodeBlock(arrays.blocks as Float64Array, plan)]);
  }
  return fold.result(question, plan, task.kT);
}
