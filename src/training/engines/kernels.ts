import { NumericalError } from '../../errors.js';
import type { ParameterSet, PreparedField, PrepareOptions } from '../../fields/index.js';
import type { ContinuousFlow, Positions } from '../../flows/index.js';
import { SampleBlocks } from '../../flows/sample-blocks.js';
import { stageTimes } from '../../integrators/index.js';
import { Kernels, type Precision } from '../../kernels/index.js';
import { logDensityOfSquaredNorm, priorVariance } from '../../priors/index.js';

/** Bytes of stage positions that a chunk keeps for its reverse pass: they should stay in L2. */
const TAPE_BYTES = 262144;
/** Knots per narrowest width while training: the loss is within 1e-6 of finer tables, and tables cost half of a DW4 step. */
const TRAINING_RESOLUTION = 24;

export interface KernelEngineOptions extends Omit<PrepareOptions, 'reverse'> {
  readonly precision?: Precision;
}

/** Loss in nats per sample and its gradient, of everything that the loss depends on. */
export interface LossAndGradient {
  readonly loss: number;
  readonly gradient: ParameterSet;
}

/**
 * Losses and gradients on the WASM kernels: discretise-then-optimise through Runge–Kutta 4. The reverse pass collects the
 * cotangents of the stages, and the field turns them into those of its parameters once a batch.
 */
export class KernelEngine {
  readonly #kernels = new Kernels();
  readonly #precision: Precision;
  readonly #field: PreparedField;
  readonly #blocks: SampleBlocks;
  readonly #offsets: { logDet: number; norms: number; weights: number; logDetBar: number; zBar: number; tape: number };
  readonly #work: number;
  readonly #scratch: number;

  constructor(
    readonly flow: ContinuousFlow,
    { precision = 'f64', ...options }: KernelEngineOptions = {},
  ) {
    const k = this.#kernels;
    const { particles, dimensions } = flow.prior;
    const C = particles * dimensions;
    const lane = k.lane(precision);
    const blockTape = 4 * flow.integrator.steps * C * 16;
    const groups = Math.min(16, Math.max(1, Math.floor((TAPE_BYTES * lane.lanes) / (4 * blockTape))));
    const capacity = 4 * groups;
    const blocks = capacity / lane.lanes;
    this.#precision = precision;
    this.#blocks = new SampleBlocks(k, precision, particles, dimensions, capacity);
    this.#offsets = {
      logDet: k.allocate(capacity * 8),
      norms: k.allocate(capacity * 8),
      weights: k.allocate(capacity * 8),
      logDetBar: k.allocate(capacity * 8),
      zBar: k.allocate(blocks * C * 16),
      tape: k.allocate(blocks * blockTape),
    };
    this.#work = k.allocate(Math.max(lane.integratorScratch(C, blocks), k.common.adjointScratch(C, blocks)));
    this.#field = flow.field.prepare(k, precision, stageTimes(flow.integrator), {
      resolution: TRAINING_RESOLUTION,
      ...options,
      reverse: true,
    });
    this.#scratch = k.allocate(this.#field.scratchBytes);
  }

  /** Takes new parameters of the same shapes; all stages are recomputed. */
  update(parameters: ParameterSet): void {
    this.#field.update(parameters);
  }

  /**
   * Mean negative log-likelihood of configurations `x` [n, N, D], normalised, in nats, and its gradient.
   * @throws NumericalError naming the first sample whose log q is not finite.
   */
  nllGradient(x: Positions, n: number): LossAndGradient {
    const reverse = this.#field.reverse!;
    reverse.reset();
    const loss = this.#nll(x, n, (count) => this.#pullBack(count, n)) / n;
    return { loss, gradient: reverse.gradient() };
  }

  /** Mean negative log-likelihood alone. */
  nll(x: Positions, n: number): number {
    return this.#nll(x, n) / n;
  }

  #nll(x: Positions, n: number, afterChunk?: (count: number) => void): number {
    const { prior } = this.flow;
    const { capacity } = this.#blocks;
    let sum = 0;
    for (let first = 0; first < n; first += capacity) {
      const count = Math.min(capacity, n - first);
      this.#blocks.load(x, first, count);
      this.#integrate(count, afterChunk !== undefined);
      const norms = this.#kernels.f64View(this.#offsets.norms, count);
      const logDet = this.#kernels.f64View(this.#offsets.logDet, count);
      for (let s = 0; s < count; s++) {
        const logQ = logDensityOfSquaredNorm(prior, norms[s]) + logDet[s];
        if (!Number.isFinite(logQ)) throw new NumericalError(`log q of sample ${first + s} of the batch is ${logQ}`);
        sum -= logQ;
      }
      afterChunk?.(count);
    }
    return sum;
  }

  /** Inverse flow of the loaded chunk, and |z|² of where it ends. */
  #integrate(count: number, keepTape: boolean): void {
    const { prior, integrator } = this.flow;
    const lane = this.#kernels.lane(this.#precision);
    const blocks = this.#blocks.blocks(count);
    const { logDet, norms, tape } = this.#offsets;
    this.#kernels.f64View(logDet, blocks * lane.lanes).fill(0);
    lane.rungeKutta4(
      this.#field.code,
      this.#field.parameters,
      this.#field.stages,
      this.#field.stageBytes,
      integrator.steps,
      true,
      this.#blocks.positions,
      logDet,
      prior.particles,
      prior.dimensions,
      blocks,
      keepTape ? tape : 0,
      this.#work,
      this.#scratch,
    );
    lane.squaredNorm(this.#blocks.positions, norms, prior.particles * prior.dimensions, blocks);
  }

  /** Reverse pass of the chunk just integrated, whose samples weigh 1/n each; idle lanes weigh nothing. */
  #pullBack(count: number, n: number): void {
    const { prior, integrator } = this.flow;
    const { weights, logDetBar, zBar, tape } = this.#offsets;
    const lane = this.#kernels.lane(this.#precision);
    const blocks = this.#blocks.blocks(count);
    const reverse = this.#field.reverse!;
    const weightOf = (s: number) => (s < count ? 1 / n : 0);
    this.#kernels.f64View(weights, blocks * lane.lanes).forEach((_, s, all) => {
      all[s] = weightOf(s);
    });
    this.#kernels.f64View(logDetBar, blocks * lane.lanes).forEach((_, s, all) => {
      all[s] = -weightOf(s);
    });
    const C = prior.particles * prior.dimensions;
    lane.priorCotangent(this.#blocks.positions, weights, 1 / priorVariance(prior), zBar, C, blocks);
    lane.rungeKutta4Reverse(
      this.#field.code,
      this.#field.parameters,
      this.#field.stages,
      this.#field.stageBytes,
      reverse.stageBars,
      reverse.stageBarBytes,
      integrator.steps,
      true,
      tape,
      zBar,
      logDetBar,
      prior.particles,
      prior.dimensions,
      blocks,
      this.#work,
      this.#scratch,
    );
  }
}
