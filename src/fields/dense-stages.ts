import type { Kernels, LaneKernels, Precision } from '../kernels/index.js';
import { DenseReverse } from './dense-reverse.js';
import type { Field, ParameterSet, PreparedField, PreparedReverse } from './field.js';
import { timeFeatures } from './time-features.js';

const DENSE_FIELD = 1;

/** Numbers of coordinates, hidden units and time features. */
export interface DenseSizes {
  readonly coordinates: number;
  readonly hidden: number;
  readonly times: number;
}

/** A dense field in kernel memory, as assembly/dense.ts describes it. */
export class DenseStages implements PreparedField {
  readonly code = DENSE_FIELD;
  readonly parameters: number;
  readonly stages: number;
  readonly stageBytes: number;
  readonly scratchBytes: number;
  readonly reverse?: PreparedReverse;
  readonly lane: LaneKernels;
  readonly sizes: DenseSizes;
  readonly #inputWeights: number;
  readonly #outputWeights: number;
  readonly #trace: number;
  readonly #outputBias: number;
  #times: Float64Array;
  #current: ParameterSet;
  #projected: Float64Array = new Float64Array(0);
  #features: Float64Array = new Float64Array(0);

  constructor(
    readonly kernels: Kernels,
    readonly precision: Precision,
    private readonly field: Field,
    times: Float64Array,
    withReverse: boolean,
  ) {
    const [C, H] = [field.particles * field.dimensions, field.parameters.hiddenBias.length];
    this.sizes = { coordinates: C, hidden: H, times: field.parameters.muTime.length };
    this.lane = kernels.lane(precision);
    this.#times = times;
    this.#current = field.parameters;
    const size = this.lane.bytes;
    this.parameters = kernels.allocate(36);
    this.#inputWeights = kernels.allocate(H * C * size);
    this.#outputWeights = kernels.allocate(C * H * size);
    this.#trace = kernels.allocate(H * size);
    this.#outputBias = kernels.allocate(C * size);
    this.stageBytes = Math.ceil((H * size) / 64) * 64;
    this.stages = kernels.allocate(times.length * this.stageBytes);
    this.scratchBytes = kernels.common.denseScratch(H);
    const reverse = withReverse ? new DenseReverse(this) : undefined;
    kernels
      .u32View(this.parameters, 9)
      .set([
        H,
        ...[this.#inputWeights, this.#outputWeights, this.#trace, this.#outputBias],
        ...(reverse?.bars ?? [0, 0, 0, 0]),
      ]);
    if (reverse) this.reverse = reverse;
    this.update(field.parameters);
  }

  get times(): Float64Array {
    return this.#times;
  }

  get current(): ParameterSet {
    return this.#current;
  }

  /** Time features of all stages, [stages, M]. */
  get features(): Float64Array {
    return this.#features;
  }

  /** PW₂ [C, H]. */
  get projected(): Float64Array {
    return this.#projected;
  }

  update(parameters: ParameterSet, times: Float64Array = this.#times): void {
    const { kernels, precision } = this;
    const { coordinates: C, hidden: H, times: M } = this.sizes;
    this.#current = parameters;
    this.#times = times;
    this.#projected = this.projectRows(parameters.outputWeights);
    const diagonal = new Float64Array(H);
    for (let h = 0; h < H; h++) {
      for (let c = 0; c < C; c++) diagonal[h] += parameters.inputWeights[h * C + c] * this.#projected[c * H + h];
    }
    kernels.view(precision, this.#inputWeights, H * C).set(parameters.inputWeights);
    kernels.view(precision, this.#outputWeights, C * H).set(this.#projected);
    kernels.view(precision, this.#trace, H).set(diagonal);
    kernels.view(precision, this.#outputBias, C).set(this.projectRows(parameters.outputBias));
    this.#features = timeFeatures(parameters.muTime, parameters.logGammaTime, times);
    for (let s = 0; s < times.length; s++) {
      this.#placeOffsets(this.stages + s * this.stageBytes, this.#features.subarray(s * M, (s + 1) * M));
    }
  }

  placeStage(offset: number, t: number): void {
    const { muTime, logGammaTime } = this.#current;
    this.#placeOffsets(offset, timeFeatures(muTime, logGammaTime, Float64Array.of(t)));
  }

  /** P applied to the rows of a matrix [N·D, columns]: subtracts, axis by axis, the mean over particles. */
  projectRows(matrix: Float64Array): Float64Array {
    const { particles, dimensions } = this.field;
    const columns = matrix.length / (particles * dimensions);
    const out = matrix.slice();
    for (let axis = 0; axis < dimensions; axis++) {
      for (let column = 0; column < columns; column++) {
        let mean = 0;
        for (let i = 0; i < particles; i++) mean += matrix[(i * dimensions + axis) * columns + column];
        mean /= particles;
        for (let i = 0; i < particles; i++) out[(i * dimensions + axis) * columns + column] -= mean;
      }
    }
    return out;
  }

  #placeOffsets(stage: number, atTime: Float64Array): void {
    const { hidden: H, times: M } = this.sizes;
    const { hiddenBias, timeWeights } = this.#current;
    const offsets = hiddenBias.slice();
    for (let h = 0; h < H; h++) {
      for (let m = 0; m < M; m++) offsets[h] += timeWeights[h * M + m] * atTime[m];
    }
    this.kernels.view(this.precision, stage, H).set(offsets);
  }
}
