import { NumericalError, UsageError } from '../../errors.js';
import type { PreparedField } from '../../fields/index.js';
import type { ContinuousFlow } from '../../flows/index.js';
import { SampleBlocks } from '../../flows/sample-blocks.js';
import { type RungeKutta4, requireRungeKutta4 } from '../../integrators/index.js';
import { type Kernels, type LaneKernels, type Precision, STREAM } from '../../kernels/index.js';
import { logDensityOfSquaredNorm, priorVariance } from '../../priors/index.js';
import { placeTerms } from '../../systems/energy.js';
import type { System } from '../../systems/index.js';
import type { PriorBatch, ReverseKlOptions } from './engine.js';

/** Reverse KLs of batches, chunk by chunk on one thread. */
export class ReverseKl {
  readonly #lane: LaneKernels;
  readonly #blocks: SampleBlocks;
  readonly #integrator: RungeKutta4;
  readonly #coordinates: number;
  readonly #target: { terms: number; count: number } | undefined;
  readonly #offsets: Readonly<
    Record<'logDet' | 'norms' | 'weights' | 'logDetBar' | 'xBar' | 'tape' | 'energy' | 'gradient' | 'vectors', number>
  >;
  readonly #work: number;
  readonly #scratch: number;

  /** @param capacity samples of a chunk, a multiple of four */
  constructor(
    private readonly kernels: Kernels,
    private readonly flow: ContinuousFlow,
    precision: Precision,
    private readonly field: PreparedField,
    capacity: number,
    target?: System,
  ) {
    const { particles, dimensions } = flow.prior;
    const C = particles * dimensions;
    const lane = kernels.lane(precision);
    const blocks = capacity / lane.lanes;
    this.#lane = lane;
    this.#integrator = requireRungeKutta4(flow.integrator, 'training');
    this.#coordinates = C;
    this.#target = target === undefined ? undefined : placeTerms(kernels, target, precision);
    this.#blocks = new SampleBlocks(kernels, precision, particles, dimensions, capacity);
    this.#offsets = {
      logDet: kernels.allocate(capacity * 8),
      norms: kernels.allocate(capacity * 8),
      weights: kernels.allocate(capacity * 8),
      logDetBar: kernels.allocate(capacity * 8),
      xBar: kernels.allocate(blocks * C * 16),
      tape: kernels.allocate(blocks * 4 * this.#integrator.steps * C * 16),
      energy: kernels.allocate(capacity * 8),
      gradient: kernels.allocate(blocks * C * 16),
      vectors: kernels.allocate(kernels.common.energyScratch(particles)),
    };
    this.#work = kernels.allocate(
      Math.max(lane.rungeKutta4Scratch(C, blocks), kernels.common.rungeKutta4ReverseScratch(C, blocks)),
    );
    this.#scratch = kernels.allocate(field.scratchBytes);
  }

  /** The mean of U(x)/kT + log q(x) over the flow's own samples, energies above `energyCap` as their logarithm. */
  value(batch: PriorBatch, energyCap: number): number {
    return this.#sum(batch, energyCap, 'value');
  }

  /** The same; its cotangents of the stages are in part 0. */
  collect(batch: PriorBatch, { estimator, energyCap }: ReverseKlOptions): number {
    const scores = estimator === 'path' ? this.#scores(batch) : undefined;
    this.kernels.perform(this.field.reverse!.reset(0));
    return this.#sum(batch, energyCap, scores ?? 'total');
  }

  /** `mode`: the value alone, the total derivative, or scores ∂log q/∂x per chunk for the path derivative. */
  #sum(batch: PriorBatch, energyCap: number, mode: 'value' | 'total' | Uint8Array[]): number {
    const { prior } = this.flow;
    const { n } = batch;
    let sum = 0;
    let chunk = 0;
    this.#chunks(n, (first, count) => {
      this.#loadPrior(batch, first, count);
      const logPrior = this.#squaredNorms(count).map(logDensityOfSquaredNorm(prior));
      this.#integrate(count, false, mode !== 'value');
      const slopes = this.#energies(count, energyCap);
      const energy = this.kernels.f64View(this.#offsets.energy, count);
      const logDet = this.kernels.f64View(this.#offsets.logDet, count);
      for (let s = 0; s < count; s++) {
        const loss = energy[s] / prior.kT + logPrior[s] - logDet[s];
        if (!Number.isFinite(loss))
          throw new NumericalError(`reverse KL of sample ${first + s} of the batch is ${loss}`);
        sum += loss;
      }
      if (mode === 'value') return;
      const weight = 1 / (n * prior.kT);
      this.#setWeights(count, (s) => weight * slopes[s], mode === 'total' ? -1 / n : 0);
      const blocks = this.#blocks.blocks(count);
      const { gradient, weights, xBar } = this.#offsets;
      this.#lane.scaleSamples(gradient, weights, 1, xBar, this.#coordinates, blocks);
      if (mode !== 'total') {
        this.kernels.u8View(this.#offsets.gradient, mode[chunk].length).set(mode[chunk]);
        this.#lane.addVectors(xBar, gradient, blocks * this.#coordinates);
      }
      this.#reverse(count, false);
      chunk++;
    });
    return sum / n;
  }

  /** ∂ log q(x)/∂x / n at the flow's own samples, chunk by chunk as blocks of lanes: by the reverse of the inverse flow. */
  #scores(batch: PriorBatch): Uint8Array[] {
    const scores: Uint8Array[] = [];
    this.#chunks(batch.n, (first, count) => {
      this.#loadPrior(batch, first, count);
      this.#integrate(count, false, false);
      this.#integrate(count, true, true);
      // The reverse pass gives the derivative of −log q.
      this.#pullBackNll(count, -batch.n);
      const bytes = this.#blocks.blocks(count) * this.#coordinates * 16;
      scores.push(this.kernels.u8View(this.#offsets.xBar, bytes).slice());
    });
    return scores;
  }

  #loadPrior(batch: PriorBatch, first: number, count: number): void {
    if ('z' in batch) this.#blocks.load(batch.z, first, count);
    else {
      const deviation = Math.sqrt(priorVariance(this.flow.prior));
      this.#blocks.drawNormals(batch.seed, STREAM.reverseKl, batch.first + first, count, deviation);
    }
  }

  /** Capped energies into their place, gradients of the uncapped ones into theirs; returns dU_capped/dU per sample. */
  #energies(count: number, cap: number): Float64Array {
    if (this.#target === undefined)
      throw new UsageError('reverse KL: no target, expected the system that the flow is to sample');
    const { particles, dimensions } = this.flow.prior;
    const { terms, count: termCount } = this.#target;
    const { energy, gradient, vectors } = this.#offsets;
    const { positions } = this.#blocks;
    const blocks = this.#blocks.blocks(count);
    this.#lane.potential(terms, termCount, positions, energy, gradient, particles, dimensions, blocks, vectors);
    const values = this.kernels.f64View(energy, count);
    return values.map((u, s) => {
      if (!(u > cap)) return 1;
      values[s] = cap + Math.log1p(u - cap);
      return 1 / (1 + u - cap);
    });
  }

  #chunks(n: number, body: (first: number, count: number) => void): void {
    for (let first = 0; first < n; first += this.#blocks.capacity)
      body(first, Math.min(this.#blocks.capacity, n - first));
  }

  #squaredNorms(count: number): Float64Array {
    const { norms } = this.#offsets;
    this.#lane.squaredNorm(this.#blocks.positions, norms, this.#coordinates, this.#blocks.blocks(count));
    return this.kernels.f64View(norms, count);
  }

  /** Moves the loaded chunk through the flow in place. */
  #integrate(count: number, inverse: boolean, keepTape: boolean): void {
    const { prior } = this.flow;
    const integrator = this.#integrator;
    const blocks = this.#blocks.blocks(count);
    const { logDet, tape } = this.#offsets;
    this.kernels.f64View(logDet, blocks * this.#lane.lanes).fill(0);
    this.#lane.rungeKutta4(
      this.field.code,
      this.field.parameters,
      this.field.stages,
      this.field.stageBytes,
      integrator.steps,
      inverse,
      this.#blocks.positions,
      logDet,
      prior.particles,
      prior.dimensions,
      blocks,
      keepTape ? tape : 0,
      this.#work,
      this.#scratch,
    );
  }

  /** Cotangents of the mean of −log q over n samples, from the chunk just taken to prior space, back to its configurations. */
  #pullBackNll(count: number, n: number): void {
    this.#setWeights(count, () => 1 / n, -1 / n);
    const { weights, xBar } = this.#offsets;
    const scale = 1 / priorVariance(this.flow.prior);
    const blocks = this.#blocks.blocks(count);
    this.#lane.scaleSamples(this.#blocks.positions, weights, scale, xBar, this.#coordinates, blocks);
    this.#reverse(count, true);
  }

  /** Weights per sample and the cotangents of log|det|; idle lanes weigh nothing. */
  #setWeights(count: number, weight: (sample: number) => number, logDetBar: number): void {
    const lanes = this.#blocks.blocks(count) * this.#lane.lanes;
    const weights = this.kernels.f64View(this.#offsets.weights, lanes);
    const bars = this.kernels.f64View(this.#offsets.logDetBar, lanes);
    for (let s = 0; s < lanes; s++) {
      weights[s] = s < count ? weight(s) : 0;
      bars[s] = s < count ? logDetBar : 0;
    }
  }

  /** Reverse pass of the integration just taped, from the cotangents at `xBar` to those at its start, in place. */
  #reverse(count: number, inverse: boolean): void {
    const { prior } = this.flow;
    const integrator = this.#integrator;
    const reverse = this.field.reverse!;
    const { tape, xBar, logDetBar } = this.#offsets;
    this.#lane.rungeKutta4Reverse(
      this.field.code,
      this.field.parameters,
      this.field.stages,
      this.field.stageBytes,
      reverse.stageBars(0),
      reverse.stageBarBytes,
      integrator.steps,
      inverse,
      tape,
      xBar,
      logDetBar,
      0,
      0,
      prior.particles,
      prior.dimensions,
      this.#blocks.blocks(count),
      this.#work,
      this.#scratch,
    );
  }
}
