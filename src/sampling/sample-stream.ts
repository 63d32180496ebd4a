import { InterruptedError, IoError, NumericalError } from '../errors.js';
import type { BoltzmannGenerator } from '../flows/index.js';
import { loadHdf5 } from '../formats/hdf5/library.js';
import { requireSpace } from '../formats/space.js';
import { WEIGHT_BLOCK_SIZE } from '../reweighting/blocks.js';
import type { WeightReport } from '../reweighting/weights.js';
import { VERSION } from '../version.js';
import type { WorkerPool } from '../workers/index.js';
import type { SampleBlock } from './block-room.js';
import { type BlockSummary, blockChecksum, summarize } from './block-summary.js';
import { openFolderSink } from './folder-sink.js';
import type { openHdf5Sink } from './hdf5-sink.js';
import { Journal } from './journal.js';
import { openPartialFolder, type SamplePlan, type TargetKind } from './partial-folder.js';
import { drawnBlocks, requireRange, type SampleOptions } from './sample.js';
import { sampleManifestOf, sampleProvenance } from './sample-manifest.js';
import type { SampleSink } from './sample-sink.js';
import { type SetLayout, unknownEntries } from './set-arrays.js';
import type { SummarizedFacts } from './tasks.js';
import { WeightStream } from './weight-stream.js';

/** Bytes of positions that a block should have: milliseconds of work for a worker, and few enough to bound memory. */
const BLOCK_BYTES = 1 << 20;

/** What may be lost to a kill, in seconds of work; the device needs a part of that to take what was written. */
const CHECKPOINT_SECONDS = 2;

/** As for `sample`, and what files need. */
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
export function sampleToFolder(
  path: string,
  generator: BoltzmannGenerator,
  options: SampleStreamOptions,
  pool: WorkerPool,
): Promise<WeightReport> {
  return stream(path, 'folder', generator, options, pool);
}

/**
 * Draws samples into one HDF5 file in the layout of H5MD, as `sampleToFolder` draws them into a folder and with the same
 * care for kills. Equal calls give equal data sets; the bytes between them hold dates.
 *
 * @returns the report on the weights, as `importanceWeights` gives it
 * @throws as `sampleToFolder`; UnavailableError without the optional package h5wasm
 */
export function sampleToHdf5(
  path: string,
  generator: BoltzmannGenerator,
  options: SampleStreamOptions,
  pool: WorkerPool,
): Promise<WeightReport> {
  return stream(path, 'file', generator, options, pool);
}

/** Samples in a block of a stream. */
export function streamBlockSize({ prior }: BoltzmannGenerator): number {
  return (
    WEIGHT_BLOCK_SIZE *
    Math.max(1, Math.floor(BLOCK_BYTES / (WEIGHT_BLOCK_SIZE * prior.particles * prior.dimensions * 4)))
  );
}

/** A block with what is to be known of it. */
export type SummarizedBlock = SampleBlock & Pick<SummarizedFacts, 'summary'>;

/** Where the samples of a set come from. */
export interface SampleSource {
  /** The work as progress and messages name it. */
  readonly work: 'sampling' | 'merging';
  /** All samples from number `done` on, in blocks of `streamBlockSize`. */
  blocks(done: number): AsyncIterable<SummarizedBlock>;
}

async function stream(
  path: string,
  kind: TargetKind,
  generator: BoltzmannGenerator,
  options: SampleStreamOptions,
  pool: WorkerPool,
): Promise<WeightReport> {
  requireRange(options);
  const size = streamBlockSize(generator);
  async function* blocks(done: number): AsyncGenerator<SummarizedBlock> {
    const range = { ...options, size, done };
    for await (const block of drawnBlocks<SummarizedFacts>('summarizedSampleBlock', generator, range, pool)) {
      yield block;
      options.onIntegration?.(block.integration);
    }
  }
  return storeSamples(path, kind, generator, options, { work: 'sampling', blocks });
}

/**
 * Writes samples that come in blocks into a folder or an HDF5 file, with the care for kills that `sampleToFolder` describes.
 * @returns the report on the weights
 * @throws as `sampleToFolder`, and what the source throws
 */
export async function storeSamples(
  path: string,
  kind: TargetKind,
  generator: BoltzmannGenerator,
  options: SampleStreamOptions,
  source: SampleSource,
): Promise<WeightReport> {
  const { n, first = 0, precision = 'f32', signal } = options;
  const { particles, dimensions, kT } = generator.prior;
  const size = streamBlockSize(generator);
  const layout: SetLayout = { n, first, particles, dimensions, precision, species: generator.target.species };
  const provenance = sampleProvenance(generator, options.model, options);
  const manifest = (entries: ReturnType<SampleSink['entries']>) => sampleManifestOf(provenance, kT, n, entries);
  const plan: SamplePlan = {
    kind: 'unfinished equiflow samples',
    equiflow: VERSION,
    ...provenance,
    kT,
    n,
    block: size,
  };
  const openSink = await sinkOpener(kind);
  const partial = await openPartialFolder(path, plan, kind, signal);
  let run: Run | undefined;
  try {
    const journal = await Journal.open(partial.journal);
    run = new Run(journal, options, size, source.work);
    const sink = await openSink(partial.set, layout, Buffer.byteLength(manifest(unknownEntries(layout))));
    await run.takeUp(sink);
    const left = n - run.done;
    await requireSpace(path, partial.set, left * sink.sampleBytes, `${left} samples need`);
    for await (const block of source.blocks(run.done)) {
      await run.append(block);
      // Blocks that were under way may all be here before the pool hears of it.
      if (signal?.aborted && run.done < n) throw interrupted(source.work, signal);
    }
    const report = await run.finish(manifest);
    run = undefined;
    await partial.publish();
    return report;
  } catch (error) {
    const kept = run === undefined || (await run.leave(error));
    if (kept) partial.release();
    else await partial.remove();
    throw withAdvice(error, source.work, run?.checkpointed ?? n, n, kept);
  }
}

/** HDF5 is loaded only for those who ask for it. */
async function sinkOpener(kind: TargetKind): Promise<typeof openHdf5Sink> {
  if (kind === 'folder') return openFolderSink;
  await loadHdf5();
  return (await import('./hdf5-sink.js')).openHdf5Sink;
}

function interrupted(work: string, signal: AbortSignal): InterruptedError {
  return new InterruptedError(`${work} was aborted`, { cause: signal.reason });
}

function withAdvice(error: unknown, work: string, done: number, n: number, kept: boolean): unknown {
  if (error instanceof InterruptedError) {
    const where = kept ? ` after ${done} of ${n} samples; run it again to go on` : '; run it again';
    return new InterruptedError(`${work} was interrupted${where}`, { cause: error });
  }
  if (!(error instanceof IoError) || !kept) return error;
  return new IoError(`${error.message}; ${done} of ${n} samples are kept: run it again to go on`, { cause: error });
}

/** A sample set while it grows. */
class Run {
  done = 0;
  readonly #weights: WeightStream;
  /** Checksums of blocks that are written and not in the journal. */
  #fresh: number[] = [];
  #checkpoint: Promise<void> | undefined;
  #lastCheckpoint: number | undefined;
  #failure: unknown;

  #sink: SampleSink | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly options: SampleStreamOptions,
    /** Samples a block. */
    private readonly size: number,
    private readonly work: SampleSource['work'],
  ) {
    this.#weights = new WeightStream(options.n);
  }

  /** Samples that a later run would find. */
  get checkpointed(): number {
    return Math.min(this.options.n, this.journal.checksums.length * this.size);
  }

  /** Goes through what an earlier run has left, up to the first block that is not what its journal says. */
  async takeUp(sink: SampleSink): Promise<void> {
    this.#sink = sink;
    const { n, signal, onProgress } = this.options;
    const expected = this.journal.checksums;
    let block = 0;
    for (; block < expected.length && this.done < n; block++) {
      if (signal?.aborted) throw interrupted(this.work, signal);
      const found = await sink.take(Math.min(this.size, n - this.done));
      if (found === undefined || blockChecksum(found) !== expected[block]) break;
      await sink.accept(found);
      this.#count(found, summarize(found));
      onProgress?.({ stage: 'checking what is there', done: this.done, total: this.checkpointed });
    }
    await this.journal.truncate(block);
    await sink.truncate();
  }

  async append(block: SummarizedBlock): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#sink!.append(block);
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
    this.options.onProgress?.({ stage: this.work, done: this.done, total: this.options.n });
  }

  /** Ends the set with the manifest that goes with its arrays; its weights are judged while the device takes what is left. */
  async finish(manifest: (entries: ReturnType<SampleSink['entries']>) => string): Promise<WeightReport> {
    await this.#checkpoint;
    if (this.#failure !== undefined) throw this.#failure;
    const recorded = this.#record();
    const report = this.#weights.report();
    await recorded;
    await this.#sink!.finish(manifest(this.#sink!.entries()));
    await this.#close();
    return report;
  }

  /**
   * Ends early, with a last checkpoint if it had one before.
   * @returns whether there is something for a later run
   */
  async leave(reason: unknown): Promise<boolean> {
    await this.#checkpoint;
    const kept = this.journal.checksums.length > 0 && !(reason instanceof NumericalError);
    // A device that is full or broken may refuse; what it has taken before is enough.
    if (kept && this.#failure === undefined && this.#sink !== undefined) await this.#record().catch(() => {});
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
    await this.#sink!.sync();
    await this.journal.append(checksums);
  }

  async #close(): Promise<void> {
    await Promise.all([this.#sink?.close(), this.journal.close()]);
  }
}
