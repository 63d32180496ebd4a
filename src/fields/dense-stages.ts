import type { KernelJob, Kernels, Precision } from '../kernels/index.js';
import type { Field, ParameterSet, PreparedField, PreparedReverse } from './field.js';
import { timeFeatures, timeFeaturesReverse } from './time-features.js';

const DENSE_FIELD = 1;
const VECTOR = 16;

/** P applied to the rows of a [N·D, columns] matrix: subtracts, axis by axis, the mean over particles. */
function projectRows(matrix: Float64Array, particles: number, dimensions: number, columns: number): Float64Array {
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

/** Places a dense field in kernel memory as assembly/dense.ts describes. */
export function prepareDense(
  kernels: Kernels,
  precision: Precision,
  field: Field,
  initialTimes: Float64Array,
  withReverse: boolean,
): PreparedField {
  let times = initialTimes;
  const { particles: N, dimensions: D } = field;
  const lane = kernels.lane(precision);
  const C = N * D;
  const H = field.parameters.hiddenBias.length;
  const M = field.parameters.muTime.length;
  const size = lane.bytes;

  const header = kernels.allocate(36);
  const inputWeights = kernels.allocate(H * C * size);
  const outputWeights = kernels.allocate(C * H * size);
  const trace = kernels.allocate(H * size);
  const outputBias = kernels.allocate(C * size);
  const stageBytes = Math.ceil((H * size) / 64) * 64;
  const stages = kernels.allocate(times.length * stageBytes);
  const bars = withReverse
    ? {
        input: kernels.allocate(H * C * VECTOR),
        output: kernels.allocate(C * H * VECTOR),
        trace: kernels.allocate(H * VECTOR),
        bias: kernels.allocate(C * VECTOR),
      }
    : { input: 0, output: 0, trace: 0, bias: 0 };
  kernels
    .u32View(header, 9)
    .set([H, inputWeights, outputWeights, trace, outputBias, bars.input, bars.output, bars.trace, bars.bias]);

  let current: ParameterSet = field.parameters;
  let projected: Float64Array = new Float64Array(0);
  /** Time features of all stages. */
  let features: Float64Array = new Float64Array(0);

  function update(parameters: ParameterSet, movedTimes: Float64Array = times): void {
    current = parameters;
    times = movedTimes;
    projected = projectRows(parameters.outputWeights, N, D, H);
    const diagonal = new Float64Array(H);
    for (let h = 0; h < H; h++) {
      for (let c = 0; c < C; c++) diagonal[h] += parameters.inputWeights[h * C + c] * projected[c * H + h];
    }
    kernels.view(precision, inputWeights, H * C).set(parameters.inputWeights);
    kernels.view(precision, outputWeights, C * H).set(projected);
    kernels.view(precision, trace, H).set(diagonal);
    kernels.view(precision, outputBias, C).set(projectRows(parameters.outputBias, N, D, 1));
    features = timeFeatures(parameters.muTime, parameters.logGammaTime, times);
    for (let s = 0; s < times.length; s++) {
      placeOffsets(stages + s * stageBytes, features.subarray(s * M, (s + 1) * M));
    }
  }

  function placeOffsets(stage: number, atTime: Float64Array): void {
    const { hiddenBias, timeWeights } = current;
    const offsets = hiddenBias.slice();
    for (let h = 0; h < H; h++) {
      for (let m = 0; m < M; m++) offsets[h] += timeWeights[h * M + m] * atTime[m];
    }
    kernels.view(precision, stage, H).set(offsets);
  }

  function placeStage(offset: number, t: number): void {
    placeOffsets(offset, timeFeatures(current.muTime, current.logGammaTime, Float64Array.of(t)));
  }

  /** Sums of the lanes of `count` vectors. */
  function laneSums(offset: number, count: number): Float64Array {
    const lanes = kernels.view(precision, offset, count * lane.lanes);
    const sums = new Float64Array(count);
    for (let i = 0; i < lanes.length; i++) sums[Math.floor(i / lane.lanes)] += lanes[i];
    return sums;
  }

  function makeReverse(): PreparedReverse {
    const stageBarBytes = H * VECTOR;
    const stageBars = kernels.allocate(times.length * stageBarBytes);

    function reset(): KernelJob {
      const sizes: [number, number][] = [
        [bars.input, H * C],
        [bars.output, C * H],
        [bars.trace, H],
        [bars.bias, C],
        [stageBars, times.length * H],
      ];
      return sizes.map(([offset, vectors]) => ['clearRows', 1, offset, 0, vectors * VECTOR] as const);
    }

    function gradient(): ParameterSet {
      const input = laneSums(bars.input, H * C);
      const projectedBar = laneSums(bars.output, C * H);
      const traceBar = laneSums(bars.trace, H);
      for (let h = 0; h < H; h++) {
        for (let c = 0; c < C; c++) {
          input[h * C + c] += traceBar[h] * projected[c * H + h];
          projectedBar[c * H + h] += traceBar[h] * current.inputWeights[h * C + c];
        }
      }
      const timeWeights = new Float64Array(H * M);
      const hiddenBias = new Float64Array(H);
      const featuresBar = new Float64Array(times.length * M);
      for (let s = 0, row = 0; s < times.length; s++, row += M) {
        const offsetBar = laneSums(stageBars + s * stageBarBytes, H);
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
        outputWeights: projectRows(projectedBar, N, D, H),
        outputBias: projectRows(laneSums(bars.bias, C), N, D, 1),
        ...timeFeaturesReverse(current.muTime, current.logGammaTime, times, features, featuresBar),
      };
    }

    // All parts would add to the same cotangents of the weights.
    return { maxParts: 1, stageBarBytes, stageBars: () => stageBars, reset, gradient };
  }

  update(field.parameters);
  return {
    code: DENSE_FIELD,
    parameters: header,
    stages,
    stageBytes,
    scratchBytes: kernels.common.denseScratch(H),
    update,
    placeStage,
    ...(withReverse ? { reverse: makeReverse() } : {}),
  };
}
