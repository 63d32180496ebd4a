import { UsageError } from '../errors.js';
import { type BoltzmannGenerator, encodeModel, type Positions } from '../flows/index.js';
import { sha256 } from '../formats/checksum.js';
import type { IntegrationStatistics } from '../integrators/index.js';
import { type Arithmetic, MAX_SEED, type Precision } from '../kernels/index.js';
import type { Progress } from '../progress.js';
import type { WorkerPool } from '../workers/index.js';
import { blockIn, blockRoom, type SampleBlock } from './block-room.js';
import type { BlockFacts, LogProbBlock, LogProbBlockInput, ModelMessage, RoomedBlockInput } from './tasks.js';

/** Pairs that a task evaluates: some ten milliseconds, against its own 0.1 ms, and short enough to occupy all workers to the end. */
const TASK_PAIRS = 1 << 23;

/** Evaluations of the field that adaptive steps need, as a rule; see docs/how-to-choose.md. */
const ADAPTIVE_EVALUATIONS = 100;

/** The module of the tasks that workers run. */
export const SAMPLE_TASKS = new URL('./tasks.js', import.meta.url);

/** How many samples are drawn, from which part of which stream, and in which precision. */
export interface SampleOptions {
  readonly n: number;
  readonly seed: number;
  /** Global index of the first sample; runs over disjoint ranges are parts of one stream. */
  readonly first?: number;
  readonly precision?: Precision;
  /** `relaxed` gives up that the bytes are the same on every machine; default `strict`. */
  readonly arithmetic?: Arithmetic;
  readonly onProgress?: Progress;
  /** Hears, block by block, what the integrator did. */
  readonly onIntegration?: (statistics: IntegrationStatistics) => void;
  readonly signal?: AbortSignal;
}

/** Samples with their exact log-densities; everything a reweighting needs. */
export interface SampleSet {
  readonly n: number;
  readonly particles: number;
  readonly dimensions: number;
  readonly kT: number;
  /** Configurations [n, N, D]. */
  readonly x: Positions;
  /** log q(x) in nats, normalised on the mean-free subspace, [n]. */
  readonly logQ: Float64Array;
  /** U(x), never divided by kT, [n]. */
  readonly energy: Float64Array;
  /** −U/kT − log q, [n]. */
  readonly logWeight: Float64Array;
}

export function modelMessage(
  generator: BoltzmannGenerator,
  precision: Precision,
  arithmetic: Arithmetic = 'strict',
): ModelMessage {
  const bytes = encodeModel(generator);
  return { key: `${sha256(bytes)} ${precision} ${arithmetic}`, bytes, precision, arithmetic };
}

/**
 * Draws samples on the pool. Sample i depends on (model, precision, seed, i) alone: any number of workers and any
 * split into ranges give the same bytes.
 *
 * @throws UsageError for a seed or range out of bounds; NumericalError naming the first sample whose log q is not finite.
 */
export async function sample(
  generator: BoltzmannGenerator,
  options: SampleOptions,
  pool: WorkerPool,
): Promise<SampleSet> {
  requireRange(options);
  const { n, precision = 'f32', onProgress } = options;
  const { particles, dimensions, kT } = generator.prior;
  const C = particles * dimensions;
  const x = precision === 'f32' ? new Float32Array(n * C) : new Float64Array(n * C);
  const [logQ, energy, logWeight] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  let done = 0;
  const size = taskSize(generator);
  for await (const block of drawnBlocks<BlockFacts>('sampleBlock', generator, { ...options, size }, pool)) {
    x.set(block.x, done * C);
    logQ.set(block.logQ, done);
    energy.set(block.energy, done);
    logWeight.set(block.logWeight, done);
    done += block.logQ.length;
    options.onIntegration?.(block.integration);
    onProgress?.({ stage: 'sampling', done, total: n });
  }
  return { n, particles, dimensions, kT, x, logQ, energy, logWeight };
}

/** Samples per task where they go into memory: a power of two from 64 to 16384. The samples do not depend on it. */
export function taskSize({ flow: { integrator }, prior: { particles } }: BoltzmannGenerator): number {
  const evaluations = integrator.kind === 'rk4' ? 4 * integrator.steps : ADAPTIVE_EVALUATIONS;
  const samples = TASK_PAIRS / (evaluations * ((particles * (particles - 1)) / 2));
  return 2 ** Math.min(14, Math.max(6, Math.floor(Math.log2(samples))));
}

/** @throws UsageError for a seed or range out of bounds */
export function requireRange({ n, seed, first = 0 }: SampleOptions): void {
  if (!Number.isInteger(n) || n < 1) throw new UsageError(`sample: n is ${n}, expected a positive integer`);
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) {
    throw new UsageError(`sample: seed is ${seed}, expected an integer from 0 to ${MAX_SEED}`);
  }
  if (!Number.isInteger(first) || first < 0 || first + n > Number.MAX_SAFE_INTEGER) {
    throw new UsageError(`sample: the range from ${first} is not within the safe integers`);
  }
}

/** Which samples go into which blocks. */
export interface BlockOptions extends SampleOptions {
  /** Samples in a block. */
  readonly size: number;
  /** Where to begin: samples of the range before this one are there already. */
  readonly done?: number;
}

/**
 * The samples of a range in blocks, in order, each with what the task of that name in `SAMPLE_TASKS` says of it. A block is valid
 * until the next one is asked for: its memory serves another one then.
 */
export async function* drawnBlocks<Facts>(
  name: string,
  generator: BoltzmannGenerator,
  { n, seed, first = 0, precision = 'f32', arithmetic, signal, size, done = 0 }: BlockOptions,
  pool: WorkerPool,
): AsyncGenerator<SampleBlock & Facts> {
  const { particles, dimensions } = generator.prior;
  const model = modelMessage(generator, precision, arithmetic);
  const shape = (count: number) => ({ n: count, coordinates: particles * dimensions, precision });
  const free: SharedArrayBuffer[] = [];
  const underway: RoomedBlockInput[] = [];
  function* inputs(): Generator<RoomedBlockInput> {
    for (let start = done; start < n; start += size) {
      const room = free.pop() ?? blockRoom(shape(Math.min(size, n)));
      const input = { model, seed, first: first + start, n: Math.min(size, n - start), room };
      underway.push(input);
      yield input;
    }
  }
  const task = { module: SAMPLE_TASKS, name };
  for await (const facts of pool.map<RoomedBlockInput, Facts>(task, inputs(), signal ? { signal } : {})) {
    const input = underway.shift()!;
    yield { ...blockIn(input.room, shape(input.n)), ...facts };
    free.push(input.room);
  }
}

/**
 * Normalised log q of configurations [n, N, D] by the inverse flow, in f64 unless told otherwise. It differs from the log q
 * that `sample` reports by the integrator's discretisation error.
 *
 * @throws UsageError for an x of another length; NumericalError naming the first sample whose log q is not finite.
 */
export async function logProb(
  generator: BoltzmannGenerator,
  x: Float64Array,
  n: number,
  pool: WorkerPool,
  {
    precision = 'f64',
    onProgress,
    onIntegration,
    signal,
  }: Pick<SampleOptions, 'precision' | 'onProgress' | 'onIntegration' | 'signal'> = {},
): Promise<Float64Array> {
  const C = generator.prior.particles * generator.prior.dimensions;
  if (x.length !== n * C) throw new UsageError(`logProb: x has ${x.length} numbers, expected ${n} times ${C}`);
  const model = modelMessage(generator, precision);
  const inputs: LogProbBlockInput[] = [];
  const size = taskSize(generator);
  for (let start = 0; start < n; start += size) {
    const count = Math.min(size, n - start);
    inputs.push({ model, x: x.slice(start * C, (start + count) * C), n: count, first: start });
  }
  const logQ = new Float64Array(n);
  let done = 0;
  const task = { module: SAMPLE_TASKS, name: 'logProbBlock' };
  for await (const { logQ: block, integration } of pool.map<LogProbBlockInput, LogProbBlock>(
    task,
    inputs,
    signal ? { signal } : {},
  )) {
    logQ.set(block, done);
    done += block.length;
    onIntegration?.(integration);
    onProgress?.({ stage: 'log-densities', done, total: n });
  }
  return logQ;
}
