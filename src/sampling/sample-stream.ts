import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { InterruptedError, IoError, NumericalError } from '../errors.js';
import type { BoltzmannGenerator } from '../flows/index.js';
import { writeOutput } from '../formats/index.js';
import { NpyStreamWriter } from '../formats/npy-stream.js';
import type { ArrayEntry } from '../manifest.js';
import type { WeightReport } from '../reweighting/index.js';
import { VERSION } from '../version.js';
import type { WorkerPool } from '../workers/index.js';
import { type BlockSummary, blockChecksum, summarize } from './block-summary.js';
import { Journal } from './journal.js';
import { openPartialFolder, type PartialFolder, type SamplePlan } from './partial-folder.js';
import { BLOCK_SIZE, blockInputs, requireRange, SAMPLE_TASKS, type SampleOptions } from './sample.js';
import { gigabytes, sampleBytes } from './sample-files.js';
import { MANIFEST, sampleManifestOf, sampleProvenance } from './sample-manifest.js';
import type { SampleBlock, SampleBlockInput, SummarizedBlock } from './tasks.js';
import { WeightStream } from './weight-stream.js';

/** Bytes of positions that a block should have: milliseconds of work for a worker, and few enough to bound memory. */
const BLOCK_BYTES = 1 << 20;

/** What may be lost to a kill, in seconds of work; the device needs a part of that to take what was written. */
const CHECKPOINT_SECONDS = 2;

const ARRAYS = ['x', 'logQ', 'energy', 'logWeight'] as const;
type ArrayName = (typeof ARRAYS)[number];

export interface SampleStreamOptions extends SampleOptions {
  /** SHA-256 of the model file, for the manifest. */
  readonly model: string;
  /** Seconds between checkpoints, 2 unless told otherwise. */
  readonly checkpointSeconds?: number;
}

/**
 * Draws samples into a folder of `.npy` as they come, in memory that does not grow with n: the bytes that `sample` and
 * `writeSampleSet` give. Until the last is written, everything stands in `.<name>.<n>.partial` beside the folder. The same call,
 * made again after a kill, an interruption or a full disk, goes on at the first block that is missing or damaged there.
 * A run that is interrupted before its first checkpoint leaves nothing.
 *
 * @returns the report on the weights, as `importanceWeights` gives it
 * @throws UsageError, NumericalError as `sample`; InterruptedError if the signal aborts
 * @throws OutputError if the folder cannot be created or replaced, another process writes it, or another set was begun there;
 *   IoError if the disk is full or fails. What was written stays.
 */
export async function sampleToFolder(
  path: string,
  generator: BoltzmannGenerator,
  options: SampleStreamOptions,
  pool: WorkerPool,
): Promise<WeightReport> {
  requireRange(options);
  const { n, precision = 'f32', signal } = options;
  const { particles, dimensions, kT } = generator.prior;
  const C = particles * dimensions;
  const size = BLOCK_SIZE * Math.max(1, Math.floor(BLOCK_BYTES / (BLOCK_SIZE * C * 4)));
  const provenance = sampleProvenance(generator, options.model, options);
  const plan: SamplePlan = {
    kind: 'unfinished equiflow samples',
    equiflow: VERSION,
    ...provenance,
    kT,
    n,
    block: size,
  };
  const partial = await openPartialFolder(path, plan);
  let run: Run | undefined;
  try {
    run = await Run.open(partial, options, { size, particles, dimensions });
    await run.takeUp();
    await requireSpace(path, partial, n - run.done, sampleBytes(C, precision));
    const inputs = blockInputs(generator, options, size, run.done);
    const task = { module: SAMPLE_TASKS, name: 'summarizedSampleBlock' };
    for await (const block of pool.map<SampleBlockInput, SummarizedBlock>(task, inputs, signal ? { signal } : {})) {
      await run.append(block);
      // Blocks that were under way may all be here before the pool hears of it.
      if (signal?.aborted && run.done < n) throw interrupted(signal);
    }
    const report = run.report();
    const manifest = sampleManifestOf(provenance, kT, n, await run.finish());
    run = undefined;
    await writeOutput(join(partial.set, MANIFEST), new TextEncoder().encode(manifest));
    await partial.publish();
    return report;
  } catch (error) {
    const kept = run === undefined || (await run.leave(error));
    if (kept) partial.release();
    else await partial.remove();
    throw withAdvice(error, run?.checkpointed ?? n, n, kept);
  }
}

/** Fails before the work where its result cannot fit. */
async function requireSpace(path: string, partial: PartialFolder, samples: number, bytes: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(partial.set);
  // Some network file systems do not tell.
  if (blocks === 0 || samples * bytes <= bavail * bsize) return;
  throw new IoError(
    `cannot write ${path}: ${samples} samples need ${gigabytes(samples * bytes)}, and ${gigabytes(bavail * bsize)} are free there`,
  );
}

function interrupted(signal: AbortSignal): InterruptedError {
  return new InterruptedError('sampling was aborted', { cause: signal.reason });
}

function withAdvice(error: unknown, done: number, n: number, kept: boolean): unknown {
  if (error instanceof InterruptedError) {
    const where = kept ? ` after ${done} of ${n} samples; run it again to go on` : '; run it again';
    return new InterruptedError(`sampling was interrupted${where}`, { cause: error });
  }
  if (!(error instanceof IoError) || !kept) return error;
  return new IoError(`${error.message}; ${done} of ${n} samples are kept: run it again to go on`, { cause: error });
}

interface Layout {
  /** Samples a block. */
  readonly size: number;
  readonly particles: number;
  readonly dimensions: number;
}

/** The files of a sample set while they grow. */
class Run {
  done = 0;
  readonly #weights: WeightStream;
  /** Checksums of blocks that are written and not in the journal. */
  #fresh: number[] = [];
  #checkpoint: Promise<void> | undefined;
  #lastCheckpoint: number | undefined;
  #failure: unknown;

  private constructor(
    private readonly files: Readonly<Record<ArrayName, NpyStreamWriter>>,
    private readonly journal: Journal,
    private readonly options: SampleStreamOptions,
    private readonly layout: Layout,
  ) {
    this.#weights = new WeightStream(options.n);
  }

  static async open(partial: PartialFolder, options: SampleStreamOptions, layout: Layout): Promise<Run> {
    const { n, precision } = options;
    const opened: { close(): Promise<void> }[] = [];
    const kept = <T extends { close(): Promise<void> }>(file: T) => {
      opened.push(file);
      return file;
    };
    const file = async (name: ArrayName) => {
      const shape = name === 'x' ? [n, layout.particles, layout.dimensions] : [n];
      const type = name === 'x' && precision !== 'f64' ? '<f4' : '<f8';
      return kept(await NpyStreamWriter.open(join(partial.set, `${name}.npy`), type, shape));
    };
    try {
      const journal = kept(await Journal.open(partial.journal));
      const vectors = { logQ: await file('logQ'), energy: await file('energy'), logWeight: await file('logWeight') };
      return new Run({ x: await file('x'), ...vectors }, journal, options, layout);
    } catch (error) {
      await Promise.all(opened.map((entry) => entry.close()));
      throw error;
    }
  }

  /** Samples that a later run would find. */
  get checkpointed(): number {
    return Math.min(this.options.n, this.journal.checksums.length * this.layout.size);
  }

  /** Goes through what an earlier run has left, up to the first block that is not what its journal says. */
  async takeUp(): Promise<void> {
    const { n, signal, onProgress } = this.options;
    const { size, particles, dimensions } = this.layout;
    const expected = this.journal.checksums;
    let block = 0;
    for (; block < expected.length && this.done < n; block++) {
      if (signal?.aborted) throw interrupted(signal);
      const count = Math.min(size, n - this.done);
      const x = await this.files.x.peek(count * particles * dimensions);
      const [logQ, energy, logWeight] = await Promise.all(
        [this.files.logQ, this.files.energy, this.files.logWeight].map((file) => file.peek(count)),
      );
      const found = { x, logQ, energy, logWeight } as SampleBlock;
      if (ARRAYS.some((name) => found[name] === undefined) || blockChecksum(found) !== expected[block]) break;
      for (const name of ARRAYS) this.files[name].accept(found[name]);
      this.#count(found, summarize(found));
      onProgress?.({ stage: 'checking what is there', done: this.done, total: this.checkpointed });
    }
    await this.journal.truncate(block);
    for (const name of ARRAYS) await this.files[name].truncate();
  }

  async append(block: SummarizedBlock): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await Promise.all(ARRAYS.map((name) => this.files[name].append(block[name])));
    this.#count(block, block.summary);
    this.#fresh.push(block.summary.checksum);
    const now = performance.now();
    this.#lastCheckpoint ??= now;
    const interval = 1000 * (this.options.checkpointSeconds ?? CHECKPOINT_SECONDS);
    if (this.#checkpoint === undefined && now - this.#lastCheckpoint >= interval) {
      // Sampling goes on meanwhile.
      this.#checkpoint = this.#record().then(
        () => {
          this.#checkpoint = undefined;
          this.#lastCheckpoint = performance.now();
        },
        (error) => {
          this.#failure = error;
        },
      );
    }
    this.options.onProgress?.({ stage: 'sampling', done: this.done, total: this.options.n });
  }

  report(): WeightReport {
    return this.#weights.report();
  }

  /** Ends the files. */
  async finish(): Promise<Record<ArrayName, ArrayEntry>> {
    await this.#checkpoint;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#record();
    const { n, precision = 'f32' } = this.options;
    const { particles, dimensions } = this.layout;
    const vector = (name: ArrayName): ArrayEntry => ({ shape: [n], dtype: 'f64', sha256: this.files[name].digest() });
    const x: ArrayEntry = { shape: [n, particles, dimensions], dtype: precision, sha256: this.files.x.digest() };
    const entries = { x, logQ: vector('logQ'), energy: vector('energy'), logWeight: vector('logWeight') };
    await this.#close();
    return entries;
  }

  /**
   * Ends early, with a last checkpoint if it had one before.
   * @returns whether there is something for a later run
   */
  async leave(reason: unknown): Promise<boolean> {
    await this.#checkpoint;
    const kept = this.journal.checksums.length > 0 && !(reason instanceof NumericalError);
    // A device that is full or broken may refuse; what it has taken before is enough.
    if (kept && this.#failure === undefined) await this.#record().catch(() => {});
    await this.#close();
    return kept;
  }

  #count(block: SampleBlock, { weights }: BlockSummary): void {
    this.#weights.add(block.logWeight, weights);
    this.done += block.logQ.length;
  }

  /** The data first, then the lines that vouch for it. */
  async #record(): Promise<void> {
    const checksums = this.#fresh;
    this.#fresh = [];
    await Promise.all(ARRAYS.map((name) => this.files[name].sync()));
    await this.journal.append(checksums);
  }

  async #close(): Promise<void> {
    await Promise.all([...ARRAYS.map((name) => this.files[name].close()), this.journal.close()]);
  }
}
