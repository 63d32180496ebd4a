import { foldBlocks, WEIGHT_BLOCK_SIZE, type WeightBlock, weightBlock } from '../reweighting/index.js';

/** What the first n samples say. */
export interface TracePoint {
  readonly n: number;
  /** Kish's effective size. */
  readonly ess: number;
  readonly logZ: number;
  /** The delta method's error, without a fit of the tail. */
  readonly standardError: number;
}

/** Points lie this factor apart, from the first on. */
const STEP = 1.15;
const FIRST = 50;

/** ESS and log Z against the number of samples, at blocks of weights: a jump betrays one sample that weighs more than all before. */
export class WeightTrace {
  readonly #points: TracePoint[] = [];
  #next = FIRST;
  #last: WeightBlock = foldBlocks([]);

  /** The points within the first block. @param logWeight of the first samples */
  begin(logWeight: Float64Array): void {
    for (; this.#next < Math.min(logWeight.length, WEIGHT_BLOCK_SIZE); this.#next = Math.ceil(this.#next * STEP)) {
      this.#points.push(tracePoint(weightBlock(logWeight.subarray(0, this.#next))));
    }
  }

  /** @param total fold of all blocks so far */
  add(total: WeightBlock): void {
    this.#last = total;
    if (total.n < this.#next) return;
    this.#points.push(tracePoint(total));
    this.#next = total.n * STEP;
  }

  get points(): readonly TracePoint[] {
    const end = this.#points.at(-1);
    return end?.n === this.#last.n ? this.#points : [...this.#points, tracePoint(this.#last)];
  }
}

function tracePoint({ n, maximum, sum, squaredDeviations }: WeightBlock): TracePoint {
  const variance = squaredDeviations / n / (sum / n) ** 2;
  return {
    n,
    ess: sum > 0 ? n / (1 + variance) : 0,
    logZ: maximum + Math.log(sum / n),
    standardError: Math.sqrt(variance / (n - 1)),
  };
}
