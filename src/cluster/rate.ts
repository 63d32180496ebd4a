import type { BoltzmannGenerator } from '../flows/index.js';
import { elementBytes } from '../formats/element-writer.js';
import { elementCount } from '../formats/shape.js';
import type { Arithmetic, Precision } from '../kernels/index.js';
import { CHAINS_PER_GROUP, recordsPerChain, runGroups, type SimulationPlan } from '../samplers/index.js';
import { sample, taskSize } from '../sampling/sample.js';
import type { WorkerPool } from '../workers/index.js';
import type { Job } from './job.js';

/** Tasks per worker in one round: enough that the wait for the last one is small against it. */
const TASKS_PER_WORKER = 4;

/** What is measured, and for how long. */
export interface RateOptions {
  readonly precision?: Precision;
  readonly arithmetic?: Arithmetic;
  /** 1 unless told otherwise. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
}

/**
 * How fast a generator draws here: samples a second and thread, with all threads of the pool at work.
 * @throws as `sample`
 */
export async function samplingRate(
  generator: BoltzmannGenerator,
  { seconds = 1, ...options }: RateOptions,
  pool: WorkerPool,
): Promise<number> {
  const n = TASKS_PER_WORKER * pool.workers * taskSize(generator);
  // In the first round workers start and kernels are compiled.
  await sample(generator, { ...options, n, seed: 0 }, pool);
  const started = performance.now();
  let rounds = 0;
  let elapsed = 0;
  for (; elapsed < seconds; elapsed = (performance.now() - started) / 1000) {
    await sample(generator, { ...options, n, seed: 0 }, pool);
    rounds++;
  }
  return (rounds * n) / (elapsed * pool.workers);
}

/** Steps of the first trial, far from enough, and of the last. */
const FIRST_STEPS = 8;
const MOST_STEPS = 1 << 24;

/**
 * How fast chains are run here: chains a second and thread, each with all its steps. A group of chains has one thread, so that is
 * measured with one for each thread of the pool, over ever more steps until these take long enough.
 */
export async function chainRate(
  plan: SimulationPlan,
  { seconds = 1, signal }: Pick<RateOptions, 'seconds' | 'signal'>,
  pool: WorkerPool,
): Promise<number> {
  const { warmUp, stride } = plan.settings;
  const all = warmUp + stride * recordsPerChain(plan);
  const chains = CHAINS_PER_GROUP * pool.workers;
  for (let steps = FIRST_STEPS; ; steps *= 2) {
    const settings = { ...plan.settings, chains, warmUp: steps - 1, stride: 1, adapted: false };
    const trial = { ...plan, n: chains, settings };
    const started = performance.now();
    for await (const _ of runGroups(trial, { first: 0, chains }, pool, signal ? { signal } : {}));
    const elapsed = (performance.now() - started) / 1000;
    if (elapsed >= seconds || steps >= MOST_STEPS) return (CHAINS_PER_GROUP * steps) / (elapsed * all);
  }
}

/**
 * How fast the blocks of a job come here: units a second and thread. The first are done again and again, ever more of them, until
 * they take long enough or are all.
 */
export async function blocksRate(
  job: Job,
  { seconds = 1, signal }: Pick<RateOptions, 'seconds' | 'signal'>,
  pool: WorkerPool,
): Promise<number> {
  for (let n = TASKS_PER_WORKER * pool.workers * job.block; ; n *= 2) {
    const range = { first: 0, n: Math.min(n, job.units) };
    const started = performance.now();
    for await (const _ of job.blocks(range, { pool, ...(signal ? { signal } : {}) }));
    const elapsed = (performance.now() - started) / 1000;
    if (elapsed >= seconds || n >= job.units) return range.n / (elapsed * pool.workers);
  }
}

/** Bytes of a unit in the data files of shards. */
export function unitBytes(job: Job): number {
  const bytes = job
    .layout({ first: 0, n: job.units })
    .reduce((sum, { type, shape }) => sum + elementCount(shape) * elementBytes(type), 0);
  return bytes / job.units;
}
