import { foldBlocks, largestLogWeights, type WeightBlock } from '../reweighting/blocks.js';
import { tailLength } from '../reweighting/psis.js';
import { type WeightReport, weightReport } from '../reweighting/weights.js';

/** Log-weights beyond the kept ones that are gathered before the smaller ones are dropped. */
const ROOM = 65_536;

/** The report of n weights that come by in order, to the bit what `importanceWeights` says of all at once. */
export class WeightStream {
  #total: WeightBlock = foldBlocks([]);
  /** Largest log-weights that the report needs. */
  readonly keep: number;
  readonly #candidates: Float64Array;
  #filled = 0;
  #threshold = Number.NEGATIVE_INFINITY;

  constructor(n: number) {
    this.keep = tailLength(n) + 1;
    this.#candidates = new Float64Array(this.keep + Math.max(this.keep, ROOM));
  }

  /**
   * @param logWeight the next log-weights, finite or −Inf; those that are not above `floor` may be left out
   * @param blocks their summaries as of `weightBlocks`: all calls but the last bring whole blocks
   */
  add(logWeight: Float64Array, blocks: Iterable<WeightBlock>): void {
    for (const block of blocks) this.#total = foldBlocks([this.#total, block]);
    // By index: an iterator over so many numbers leaves garbage until it is compiled.
    for (let i = 0; i < logWeight.length; i++) {
      const l = logWeight[i];
      if (l <= this.#threshold && this.#filled >= this.keep) continue;
      if (this.#filled === this.#candidates.length) this.#drop();
      this.#candidates[this.#filled++] = l;
    }
  }

  /** Log-weights up to here are not among the largest any more. */
  get floor(): number {
    return this.#filled < this.keep ? Number.NEGATIVE_INFINITY : this.#threshold;
  }

  /** Summary of all weights so far. */
  get total(): WeightBlock {
    return this.#total;
  }

  /** @throws DataError if there were no weights */
  report(): WeightReport {
    return weightReport(this.#total, largestLogWeights(this.#candidates.subarray(0, this.#filled), this.keep));
  }

  #drop(): void {
    const largest = largestLogWeights(this.#candidates, this.keep);
    this.#candidates.set(largest);
    this.#filled = largest.length;
    this.#threshold = largest[largest.length - 1];
  }
}
