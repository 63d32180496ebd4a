import { UsageError } from '../errors.js';
import type { Progress } from '../progress.js';
import type { ReweightingPlan } from '../reweighting/index.js';
import type { System } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import { BadValues } from './reweight-faults.js';
import { ReweightingFold } from './reweight-fold.js';
import { openPieces, type ReweightingSamples } from './reweight-pieces.js';
import { type Asked, axesOf, planOf, questionOf } from './reweight-question.js';
import { type PieceInput, type PieceResult, reweightingData } from './reweight-tasks.js';
import type { Reweighting } from './reweighting-result.js';

const TASK = { module: new URL('./reweight-tasks.js', import.meta.url), name: 'reweightPiece' };

/** The target, and what messages call the samples. */
export interface TargetOptions {
  /** Temperature of the target in units of energy; default 1. */
  readonly kT?: number;
  /** What messages call the samples; default `samples`. */
  readonly source?: string;
  /** Target whose energies are evaluated from x, in f64, instead of `energy`. */
  readonly system?: System;
}

/** What is found from weighted samples beside the verdict on the weights. */
export interface ReweightOptions extends TargetOptions, Asked {
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Weights, entropies, divergences, averages, histograms, free-energy profiles and differences of a set of any size, in one pass
 * on the pool and a fixed amount of memory. Blocks of 4096 samples are folded in global order: any number of workers gives
 * the same bits, and `importanceWeights`, `entropyAndKl` and `weightedMean` of vectors in memory give them too.
 *
 * Samples are taken as independent, as those of a flow are.
 *
 * @throws UsageError if kT is not positive, or for coordinates, ranges or states that make no sense; DataError if lengths differ, there are no
 *   samples, weights are NaN, +Inf or all zero, or an array is not finite where the weight is positive
 */
export async function reweight(
  samples: ReweightingSamples,
  options: ReweightOptions,
  pool: WorkerPool,
): Promise<Reweighting> {
  const { kT = 1, source = 'samples', system, onProgress, signal } = options;
  requireTemperature(kT);
  const question = questionOf(Object.keys(samples.arrays ?? {}), options);
  const { n, pieces } = openPieces(samples, { ...options, source, positions: question.positions });
  const fold = new ReweightingFold(n);
  const faults = new BadValues(source, n);
  let plan: ReweightingPlan | undefined;
  let done = 0;
  async function* inputs(): AsyncGenerator<PieceInput> {
    for await (const piece of pieces()) {
      if (plan === undefined) {
        const first = reweightingData(piece, kT, system);
        plan = planOf(question, axesOf(question, first));
        fold.begin(first.logWeight);
      }
      const common = { piece, kT, plan, keep: fold.keep, floor: fold.floor };
      yield system === undefined ? common : { ...common, system };
    }
  }
  for await (const result of pool.map<PieceInput, PieceResult>(TASK, inputs(), signal ? { signal } : {})) {
    faults.add(result.bad, done);
    if (!faults.found) fold.add(result.largest, result.blocks);
    done += result.n;
    // A set of one piece is done before a bar is of use.
    if (done < n) onProgress?.({ stage: 'reweighting', done, total: n });
  }
  faults.throwIfAny();
  return fold.result(question, plan!, kT);
}

/** @throws UsageError unless kT is positive and finite */
export function requireTemperature(kT: number): void {
  if (!(kT > 0 && kT < Number.POSITIVE_INFINITY)) throw new UsageError(`kT: ${kT}, expected a positive number`);
}
