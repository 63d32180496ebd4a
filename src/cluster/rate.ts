import type { BoltzmannGenerator } from '../flows/index.js';
import type { Arithmetic, Precision } from '../kernels/index.js';
import { sample, taskSize } from '../sampling/sample.js';
import type { WorkerPool } from '../workers/index.js';

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
