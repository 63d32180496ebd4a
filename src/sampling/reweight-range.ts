import type { HistogramAxis } from '../analysis/histogram.js';
import type { Progress } from '../progress.js';
import { coordinatesOf, needsConfigurations, type ReweightingPlan, WEIGHT_BLOCK_SIZE } from '../reweighting/index.js';
import type { WorkerPool } from '../workers/index.js';
import { requireTemperature, type TargetOptions } from './reweight.js';
import { BadValues } from './reweight-faults.js';
import { openPieces, type ReweightingSamples } from './reweight-pieces.js';
import { type Asked, axesOf, questionOf } from './reweight-question.js';
import { type EncodedPiece, type EncodedPieceInput, reweightingData } from './reweight-tasks.js';
import { requireOnAxis } from './reweighting-result.js';
import type { SampleRange } from './vectors.js';

/* A reweighting in parts that know nothing of one another: what is settled before, and the blocks of any range. */

const TASK = { module: new URL('./reweight-tasks.js', import.meta.url), name: 'encodedPiece' };

/** What blocks depend on beside their own samples. */
export interface SettledReweighting {
  /** Samples in all. */
  readonly n: number;
  /** Of the profiles, as the first samples suggest them to `reweight`. */
  readonly axes: readonly HistogramAxis[];
}

/** Settles what blocks depend on. @throws as `reweight`, and if a reference lies beyond its axis */
export async function settleReweighting(
  samples: ReweightingSamples,
  options: TargetOptions & Asked,
): Promise<SettledReweighting> {
  const { kT = 1, source = 'samples', system } = options;
  requireTemperature(kT);
  const question = questionOf(Object.keys(samples.arrays ?? {}), options);
  const { n, pieceLength, pieces } = openPieces(samples, { ...options, source, positions: question.positions });
  for await (const first of pieces({ first: 0, n: Math.min(n, pieceLength) })) {
    const axes = axesOf(question, reweightingData(first, kT, system));
    for (const [k, { coordinate, reference }] of question.profiles.entries()) {
      if (reference !== undefined) requireOnAxis(coordinate, reference, axes[k]);
    }
    return { n, axes };
  }
  throw new Error(`${source}: ${n} samples without a first piece`);
}

/** What a reweighting takes from up to `WEIGHT_BLOCK_SIZE` samples, as numbers for a file. */
export interface EncodedBlock {
  readonly logWeight: Float64Array;
  /** As of `encodeBlock`. */
  readonly block: Float64Array;
}

/** Which samples, and who hears of progress. */
export interface RangeOptions extends TargetOptions {
  /** From a multiple of `WEIGHT_BLOCK_SIZE` to another, or to the end. */
  readonly range: SampleRange;
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * The blocks of a range, in order; nothing outside the range is read. `ReweightingFold` makes of those of all ranges what `reweight`
 * finds, bit by bit.
 *
 * @throws as `reweight`, of the first piece in which something is wrong
 */
export async function* reweightRange(
  samples: ReweightingSamples,
  plan: ReweightingPlan,
  { kT = 1, source = 'samples', system, range, onProgress, signal }: RangeOptions,
  pool: WorkerPool,
): AsyncGenerator<EncodedBlock> {
  const positions = coordinatesOf(plan).some(needsConfigurations);
  const opened = openPieces(samples, { source, positions, ...(system === undefined ? {} : { system }) });
  async function* inputs(): AsyncGenerator<EncodedPieceInput> {
    for await (const piece of opened.pieces(range)) {
      yield system === undefined ? { piece, kT, plan } : { piece, kT, plan, system };
    }
  }
  let done = 0;
  for await (const result of pool.map<EncodedPieceInput, EncodedPiece>(TASK, inputs(), signal ? { signal } : {})) {
    const faults = new BadValues(source, opened.n);
    faults.add(result.bad, range.first + done);
    faults.throwIfAny();
    for (const [k, block] of result.blocks.entries()) {
      const start = k * WEIGHT_BLOCK_SIZE;
      yield { logWeight: result.logWeight.subarray(start, start + WEIGHT_BLOCK_SIZE), block };
    }
    done += result.n;
    if (done < range.n) onProgress?.({ stage: 'reweighting', done, total: range.n });
  }
}
