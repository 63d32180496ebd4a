import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { type BoltzmannGenerator, decodeModel, integratedBy } from '../../flows/index.js';
import { sha256 } from '../../formats/checksum.js';
import { readInput } from '../../formats/files.js';
import { brief } from '../../formats/text.js';
import { type Integrator, integratorFromDescription } from '../../integrators/index.js';
import type { Arithmetic, Precision } from '../../kernels/index.js';
import { drawnBlocks, requireRange, type SampleOptions } from '../../sampling/sample.js';
import { sampleProvenance } from '../../sampling/sample-manifest.js';
import { streamBlockSize } from '../../sampling/sample-stream.js';
import { ARRAYS, shapeOf, typeOf } from '../../sampling/set-arrays.js';
import type { SummarizedFacts } from '../../sampling/tasks.js';
import type { Job, JobBlock, JobContext, UnitRange } from '../job.js';
import { type Cut, evenBoundaries, firstIndexOf, makePlan, type Plan, type Run, writeRun } from '../plan.js';
import { mergedBlocks } from './merged-blocks.js';
import { cutAsPlanned, NUMBER, oneOf, RECORD, readTask, TEXT } from './task.js';

/** Name of the model in its run folder. */
export const MODEL = 'model.safetensors';

/** Samples of a flow, as a plan says it. */
export interface SampleTask {
  /** SHA-256 of the model file. */
  readonly model: string;
  readonly seed: number;
  /** Global index of the first sample. */
  readonly first: number;
  readonly n: number;
  readonly precision: Precision;
  readonly arithmetic: Arithmetic;
  readonly integrator: Integrator;
}

/** A job of sampling with the generator that it draws from. */
export interface SampleJob extends Job {
  readonly task: SampleTask;
  readonly generator: BoltzmannGenerator;
}

/** What is sampled, and in how many shards. */
export interface SampleRunOptions
  extends Cut,
    Pick<SampleOptions, 'n' | 'seed' | 'first' | 'precision' | 'arithmetic'> {
  /** Instead of the model's own. */
  readonly integrator?: Integrator;
}

/**
 * Plans samples of a model and makes the run folder, with a copy of the model in it.
 *
 * @param model the model file's bytes
 * @throws DataError if they are no model; UsageError for a seed, range or number of shards out of bounds; OutputError, IoError as
 *   `writeRun`
 */
export async function createSampleRun(folder: string, model: Uint8Array, options: SampleRunOptions): Promise<Run> {
  const { n, seed, first = 0, precision = 'f32', arithmetic = 'strict' } = options;
  const { generator } = decodeModel(model, 'model');
  const integrator = options.integrator ?? generator.flow.integrator;
  const task = { model: sha256(model), seed, first, n, precision, arithmetic };
  const plan = planSamples(integratedBy(generator, integrator), task, options);
  return writeRun(folder, plan, new Map([[MODEL, model]]));
}

/** @throws UsageError for a seed, range or number of shards out of bounds */
export function planSamples(
  generator: BoltzmannGenerator,
  task: Omit<SampleTask, 'integrator'>,
  cut: Cut,
): Plan<SampleTask> {
  requireRange(task);
  return makePlan({
    job: 'sample',
    task: { ...task, integrator: generator.flow.integrator },
    block: streamBlockSize(generator),
    firstIndex: firstIndexOf(cut),
    boundaries: evenBoundaries(task.n, cut.shards, 1, 'samples'),
  });
}

/** @throws InputError if the model of the run is missing; DataError if it is another */
export async function openSampleJob(run: Run): Promise<SampleJob> {
  return sampleJobOf(run, await readInput(join(run.folder, MODEL)));
}

const FIELDS = {
  model: TEXT,
  seed: NUMBER,
  first: NUMBER,
  n: NUMBER,
  precision: oneOf('f32', 'f64'),
  arithmetic: oneOf('strict', 'relaxed'),
  integrator: RECORD,
};

/** @param model bytes of the model file of the run */
export function sampleJobOf(run: Run, model: Uint8Array): SampleJob {
  const task = readTask(run, FIELDS, (task: SampleTask) => {
    requireRange(task);
    return { ...task, integrator: integratorFromDescription(task.integrator) };
  });
  const path = join(run.folder, MODEL);
  const hash = sha256(model);
  if (hash !== task.model) throw new DataError(`${path}: its SHA-256 is ${hash}, the plan has ${brief(task.model)}`);
  const generator = integratedBy(decodeModel(model, path).generator, task.integrator);
  // Samples come in blocks of any size; larger ones would take memory that nobody reckons with.
  const block = Math.min(run.plan.block, streamBlockSize(generator));
  return cutAsPlanned(run, sampleJob(generator, task, block));
}

function sampleJob(generator: BoltzmannGenerator, task: SampleTask, block: number): SampleJob {
  const { particles, dimensions } = generator.prior;
  const { n, first, precision } = task;
  return {
    task,
    generator,
    unit: 'samples',
    units: n,
    block,
    grain: 1,
    layout(range) {
      const set = { ...range, particles, dimensions, precision, species: generator.target.species };
      return ARRAYS.map((name) => ({ name, type: typeOf(name, set), shape: shapeOf(name, set) }));
    },
    async *blocks(range: UnitRange, { pool, signal, onProgress }: JobContext): AsyncGenerator<JobBlock> {
      const options = { ...task, ...range, first: first + range.first, size: block, ...(signal ? { signal } : {}) };
      let done = 0;
      for await (const drawn of drawnBlocks<SummarizedFacts>('summarizedSampleBlock', generator, options, pool)) {
        const { x, logQ, energy, logWeight, summary } = drawn;
        yield { arrays: { x, logQ, energy, logWeight }, checksum: summary.checksum };
        done += logQ.length;
        onProgress?.({ stage: 'sampling', done, total: range.n });
      }
    },
    merged: (path) => mergedBlocks(path, { ...sampleProvenance(generator, task.model, task), n }, ARRAYS, block),
  };
}
