import type { BoltzmannGenerator } from '../flows/index.js';
import { fullGroup, recordsPerChain, runGroups, type SimulationPlan } from '../samplers/index.js';
import { type SampleOptions, sample, taskSize } from '../sampling/sample.js';
import type { Job, JobContext } from './job.js';

/** Tasks per worker in one round: enough that the wait for the last one is small against it. */
const TASKS_PER_WORKER = 4;

/** What a measurement takes at least. */
const SECONDS = 1;

type RateContext = Required<Pick<JobContext, 'pool' | 'signal'>>;

/**
 * How fast a generator draws here: samples a second and thread, with all threads of the pool at work.
 * @throws as `sample`
 */
export async function samplingRate(
  generator: BoltzmannGenerator,
  options: Pick<SampleOptions, 'precision' | 'arithmetic'>,
  { pool, signal }: RateContext,
): Promise<number> {
  const n = TASKS_PER_WORKER * pool.workers * taskSize(generator);
  // In the first round workers start and kernels are compiled.
  const round = () => sample(generator, { ...options, n, seed: 0, signal }, pool);
  await round();
  const started = performance.now();
  let rounds = 0;
  let elapsed = 0;
  for (; elapsed < SECONDS; elapsed = (performance.now() - started) / 1000) {
    await round();
    rounds++;
  }
  return (rounds * n) / (elapsed * pool.workers);
}

/** Steps of the first trial, far from enough, and of the last. */
const FIRST_STEPS = 8;
const MOST_STEPS = 1 << 24;

/**
 * How fast chains are run here: chains a second and thread, each with all its steps. It is measured with a full group of chains for
 * each thread of the pool, over ever more steps until these take long enough. Shards of fewer chains a thread are slower, by a third
 * at most for the smallest systems.
 */
export async function chainRate(plan: SimulationPlan, { pool, signal }: RateContext): Promise<number> {
  const { warmUp, stride } = plan.settings;
  const all = warmUp + stride * recordsPerChain(plan);
  const group = fullGroup(plan.system);
  const chains = group * pool.workers;
  for (let steps = FIRST_STEPS; ; steps *= 2) {
    const settings = { ...plan.settings, chains, warmUp: steps - 1, stride: 1, adapted: false };
    const trial = { ...plan, n: chains, settings };
    const started = performance.now();
    for await (const _ of runGroups(trial, { first: 0, chains }, pool, { signal }));
    const elapsed = (performance.now() - started) / 1000;
    if (elapsed >= SECONDS || steps >= MOST_STEPS) return (group * steps) / (elapsed * all);
  }
}

/**
 * How fast the blocks of a job come here: units a second and thread. The first are done again and again, ever more of them, until
 * they take long enough or are all.
 */
export async function blocksRate(job: Job, context: RateContext): Promise<number> {
  const { pool } = context;
  for (let n = TASKS_PER_WORKER * pool.workers * job.block; ; n *= 2) {
    const range = { first: 0, n: Math.min(n, job.units) };
    const started = performance.now();
    for await (const _ of job.blocks(range, context));
    const elapsed = (performance.now() - started) / 1000;
    if (elapsed >= SECONDS || n >= job.units) return range.n / (elapsed * pool.workers);
  }
}
