import type { KernelJob } from '../kernels/index.js';
import type { DenseStages } from './dense-stages.js';
import type { ParameterSet, PreparedReverse } from './field.js';
import { timeFeaturesReverse } from './time-features.js';

const VECTOR = 16;

/** The reverse of `DenseStages`: from the cotangents of stages and weights, in lanes, to those of the parameters. */
export class DenseReverse implements PreparedReverse {
  /** All parts would add to the same cotangents of the weights. */
  readonly maxParts = 1;
  readonly stageBarBytes: number;
  /** Where the kernels collect the cotangents of W₁, PW₂, the trace and Pb₂. */
  readonly bars: readonly [input: number, output: number, trace: number, bias: number];
  readonly #stageBars: number;

  constructor(private readonly prepared: DenseStages) {
    const { kernels, sizes, times } = prepared;
    const { coordinates: C, hidden: H } = sizes;
    const place = (vectors: number) => kernels.allocate(vectors * VECTOR);
    this.bars = [place(H * C), place(C * H), place(H), place(C)];
    this.stageBarBytes = H * VECTOR;
    this.#stageBars = kernels.allocate(times.length * this.stageBarBytes);
  }

  stageBars(): number {
    return this.#stageBars;
  }

  reset(): KernelJob {
    const { sizes, times } = this.prepared;
    const { coordinates: C, hidden: H } = sizes;
    const [input, output, trace, bias] = this.bars;
    const areas = [
      [input, H * C],
      [output, C * H],
      [trace, H],
      [bias, C],
      [this.#stageBars, times.length * H],
    ] as const;
    return areas.map(([offset, vectors]) => ['clearRows', 1, offset, 0, vectors * VECTOR] as const);
  }

  gradient(): ParameterSet {
    const { prepared } = this;
    const { sizes, times, current, features, projected } = prepared;
    const { coordinates: C, hidden: H, times: M } = sizes;
    const [inputBar, outputBar, traceBar, biasBar] = this.bars;
    const input = this.#laneSums(inputBar, H * C);
    const output = this.#laneSums(outputBar, C * H);
    const trace = this.#laneSums(traceBar, H);
    for (let h = 0; h < H; h++) {
      for (let c = 0; c < C; c++) {
        input[h * C + c] += trace[h] * projected[c * H + h];
        output[c * H + h] += trace[h] * current.inputWeights[h * C + c];
      }
    }
    const timeWeights = new Float64Array(H * M);
    const hiddenBias = new Float64Array(H);
    const featuresBar = new Float64Array(times.length * M);
    for (let s = 0, row = 0; s < times.length; s++, row += M) {
      const offsetBar = this.#laneSums(this.#stageBars + s * this.stageBarBytes, H);
      for (let h = 0; h < H; h++) {
        hiddenBias[h] += offsetBar[h];
        for (let m = 0; m < M; m++) {
          timeWeights[h * M + m] += offsetBar[h] * features[row + m];
          featuresBar[row + m] += offsetBar[h] * current.timeWeights[h * M + m];
        }
      }
    }
    return {
      inputWeights: input,
      timeWeights,
      hiddenBias,
      // P is symmetric, so it is its own reverse.
      outputWeights: prepared.projectRows(output),
      outputBias: prepared.projectRows(this.#laneSums(biasBar, C)),
      ...timeFeaturesReverse(current.muTime, current.logGammaTime, times, features, featuresBar),
    };
  }

  /** Sums of the lanes of `count` vectors. */
  #laneSums(offset: number, count: number): Float64Array {
    const { kernels, precision, lane } = this.prepared;
    const lanes = kernels.view(precision, offset, count * lane.lanes);
    const sums = new Float64Array(count);
    for (let i = 0; i < lanes.length; i++) sums[Math.floor(i / lane.lanes)] += lanes[i];
    return sums;
  }
}
