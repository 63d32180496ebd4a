import { combineReweighting, entropiesOf, type ReweightingBlock, type ReweightingPlan } from '../reweighting/index.js';
import type { Question } from './reweight-question.js';
import { type Reweighting, reweightingResult } from './reweighting-result.js';
import { WeightStream } from './weight-stream.js';
import { WeightTrace } from './weight-trace.js';

/** Blocks of samples that come by in global order, wherever they come from. */
export class ReweightingFold {
  readonly #weights: WeightStream;
  readonly #trace = new WeightTrace();
  #total: ReweightingBlock | undefined;

  /** @param n samples in all */
  constructor(n: number) {
    this.#weights = new WeightStream(n);
  }

  /** Of the largest log-weights so many are wanted, … */
  get keep(): number {
    return this.#weights.keep;
  }

  /** … and only those above this. */
  get floor(): number {
    return this.#weights.floor;
  }

  /** Before the first `add`. @param logWeight of the first samples, a block of weights at least if there are as many */
  begin(logWeight: Float64Array): void {
    this.#trace.begin(logWeight);
  }

  /** The next blocks. @param logWeight their log-weights; those that are not above `floor` may be left out */
  add(logWeight: Float64Array, blocks: readonly ReweightingBlock[]): void {
    this.#weights.add(
      logWeight,
      blocks.map((block) => block.weights),
    );
    for (const block of blocks) {
      this.#total = this.#total === undefined ? block : combineReweighting(this.#total, block);
      this.#trace.add(this.#total.weights);
    }
  }

  /**
   * What all blocks say, of which there was one at least.
   * @throws DataError if all weights are zero; UsageError as `reweightingResult`
   */
  result(question: Question, plan: ReweightingPlan, kT: number): Reweighting {
    const total = this.#total!;
    const report = this.#weights.report();
    return reweightingResult(total, report, plan, question, this.#trace.points, entropiesOf(total, report, { kT }));
  }
}
