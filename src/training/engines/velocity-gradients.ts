import { NumericalError } from '../../errors.js';
import type { Field, ParameterSet, PreparedField } from '../../fields/index.js';
import { SampleBlocks } from '../../flows/sample-blocks.js';
import { Kernels, type LaneKernels } from '../../kernels/index.js';
import { type FlowGradientsOptions, type LossAndGradient, TRAINING_RESOLUTION, type VelocityBatch } from './engine.js';

/** Most samples that are worked on at a time: their positions, velocities and cotangents should stay in L1. */
const MAX_CHUNK = 64;

/** Regression of a field on given velocities, on the WASM kernels: a field evaluation and its reverse, nothing integrated. */
export class VelocityGradients {
  readonly #kernels = new Kernels();
  readonly #lane: LaneKernels;
  readonly #prepared: PreparedField;
  readonly #positions: SampleBlocks;
  readonly #wanted: SampleBlocks;
  readonly #coordinates: number;
  readonly #offsets: Readonly<Record<'v' | 'div' | 'vBar' | 'divBar' | 'xBar' | 'norms' | 'weights', number>>;
  readonly #scratch: number;

  constructor(
    readonly field: Field,
    readonly stages: number,
    { precision = 'f64', ...options }: FlowGradientsOptions = {},
  ) {
    const k = this.#kernels;
    const { particles, dimensions } = field;
    const C = particles * dimensions;
    this.#lane = k.lane(precision);
    this.#coordinates = C;
    this.#positions = new SampleBlocks(k, precision, particles, dimensions, MAX_CHUNK);
    this.#wanted = new SampleBlocks(k, precision, particles, dimensions, MAX_CHUNK);
    const blocks = MAX_CHUNK / this.#lane.lanes;
    this.#offsets = {
      v: k.allocate(blocks * C * 16),
      div: k.allocate(MAX_CHUNK * 8),
      vBar: k.allocate(blocks * C * 16),
      divBar: k.allocate(blocks * 16),
      xBar: k.allocate(blocks * C * 16),
      norms: k.allocate(MAX_CHUNK * 8),
      weights: k.allocate(MAX_CHUNK * 8),
    };
    // Any times will do until the first batch brings its own.
    this.#prepared = field.prepare(k, precision, new Float64Array(stages), {
      resolution: TRAINING_RESOLUTION,
      ...options,
      reverse: true,
    });
    this.#scratch = k.allocate(this.#prepared.scratchBytes);
  }

  /**
   * Mean over the batch of |v(t, x) − velocity|² summed over coordinates, and its gradient. Centroids of `x` and `velocity`
   * are removed.
   * @throws NumericalError naming the first sample whose loss is not finite.
   */
  lossGradient(parameters: ParameterSet, batch: VelocityBatch): LossAndGradient {
    const reverse = this.#prepared.reverse!;
    this.#prepared.update(parameters, batch.times);
    let loss: number;
    try {
      loss = this.#loss(batch);
    } catch (error) {
      // Not finite perhaps because the field was not prepared that far.
      if (!(error instanceof NumericalError && this.#prepared.widen?.())) throw error;
      loss = this.#loss(batch);
    }
    return { loss, gradient: reverse.gradient(1) };
  }

  /** The loss; what belongs to the gradient is in the stages' cotangents. */
  #loss({ x, velocity, n }: VelocityBatch): number {
    this.#kernels.perform(this.#prepared.reverse!.reset(0));
    let sum = 0;
    for (let stage = 0; stage < this.stages; stage++) {
      const end = Math.ceil(((stage + 1) * n) / this.stages);
      for (let first = Math.ceil((stage * n) / this.stages); first < end; first += MAX_CHUNK) {
        sum += this.#chunk(stage, x, velocity, first, Math.min(MAX_CHUNK, end - first), n);
      }
    }
    return sum / n;
  }

  /** Sum of the losses of samples first … first + count − 1; their part of the gradient goes to the stage's cotangents. */
  #chunk(stage: number, x: Float64Array, velocity: Float64Array, first: number, count: number, n: number): number {
    const { particles, dimensions } = this.field;
    const { code, parameters, stages, stageBytes, reverse } = this.#prepared;
    const { stageBarBytes } = reverse!;
    const stageBars = reverse!.stageBars(0);
    const { v, div, vBar, divBar, xBar, norms, weights } = this.#offsets;
    const lane = this.#lane;
    const blocks = this.#positions.blocks(count);
    const at = stages + stage * stageBytes;
    this.#positions.load(x, first, count);
    this.#wanted.load(velocity, first, count);
    const { positions } = this.#positions;
    lane.velocity(code, parameters, at, positions, v, div, particles, dimensions, blocks, this.#scratch);
    const lanes = this.#kernels.f64View(weights, blocks * lane.lanes).fill(-1);
    lane.scaleSamples(this.#wanted.positions, weights, 1, vBar, this.#coordinates, blocks);
    lane.addVectors(v, vBar, blocks * this.#coordinates);
    lane.squaredNorm(v, norms, this.#coordinates, blocks);
    const losses = this.#kernels.f64View(norms, count);
    const bad = losses.findIndex((loss) => !Number.isFinite(loss));
    if (bad >= 0)
      throw new NumericalError(`flow-matching loss of sample ${first + bad} of the batch is ${losses[bad]}`);
    lanes.fill(2 / n, 0, count).fill(0, count);
    lane.scaleSamples(v, weights, 1, vBar, this.#coordinates, blocks);
    this.#kernels.u8View(divBar, blocks * 16).fill(0);
    const bar = stageBars + stage * stageBarBytes;
    lane.velocityReverse(
      code,
      parameters,
      at,
      bar,
      positions,
      vBar,
      divBar,
      xBar,
      particles,
      dimensions,
      blocks,
      this.#scratch,
    );
    return losses.reduce((total, loss) => total + loss, 0);
  }
}
