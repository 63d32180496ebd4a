import { NumericalError, UsageError } from '../../errors.js';
import type { ParameterSet, PreparedField } from '../../fields/index.js';
import type { ContinuousFlow, Positions } from '../../flows/index.js';
import { SampleBlocks } from '../../flows/sample-blocks.js';
import { type RungeKutta4, requireRungeKutta4, stageTimes } from '../../integrators/index.js';
import { Kernels, type LaneKernels, STREAM } from '../../kernels/index.js';
import { logDensityOfSquaredNorm, priorVariance } from '../../priors/index.js';
import { placeTerms } from '../../systems/energy.js';
import type { System } from '../../systems/index.js';
import {
  type KernelEngineOptions,
  type LossAndGradient,
  type PriorBatch,
  type ReverseKlOptions,
  TRAINING_RESOLUTION,
} from './engine.js';

/** Bytes of stage positions that a chunk keeps for its reverse pass: they should stay in L2. */
const TAPE_BYTES = 262144;
/**
 * Losses and gradients on the WASM kernels: discretise-then-optimise through Runge–Kutta 4. The reverse pass collects the
 * cotangents of the stages, and the field turns them into those of its parameters once a batch.
 */
export class KernelEngine {
  readonly #kernels = new Kernels();
  readonly #lane: LaneKernels;
  readonly #field: PreparedField;
  readonly #blocks: SampleBlocks;
  readonly #coordinates: number;
  readonly #target: { terms: number; count: number } | undefined;
  readonly #offsets: Readonly<
    Record<
      'logDet' | 'norms' | 'weights' | 'logDetBar' | 'xBar' | 'tape' | 'energy' | 'gradient' | 'vectors' | 'kinetic',
      number
    >
  >;
  readonly #integrator: RungeKutta4;
  readonly #work: number;
  readonly #scratch: number;

  /** `target` is needed for the reverse KL only. */
  constructor(
    readonly flow: ContinuousFlow,
    { precision = 'f64', ...options }: KernelEngineOptions = {},
    target?: System,
  ) {
    const k = this.#kernels;
    const { particles, dimensions } = flow.prior;
    const C = particles * dimensions;
    const lane = k.lane(precision);
    this.#integrator = requireRungeKutta4(flow.integrator, 'training');
    const blockTape = 4 * this.#integrator.steps * C * 16;
    const groups = Math.min(16, Math.max(1, Math.floor((TAPE_BYTES * lane.lanes) / (4 * blockTape))));
    const capacity = 4 * groups;
    const blocks = capacity / lane.lanes;
    this.#lane = lane;
    this.#coordinates = C;
    this.#blocks = new SampleBlocks(k, precision, particles, dimensions, capacity);
    this.#offsets = {
      logDet: k.allocate(capacity * 8),
      norms: k.allocate(capacity * 8),
      weights: k.allocate(capacity * 8),
      logDetBar: k.allocate(capacity * 8),
      xBar: k.allocate(blocks * C * 16),
      tape: k.allocate(blocks * blockTape),
      energy: k.allocate(capacity * 8),
      gradient: k.allocate(blocks * C * 16),
      vectors: k.allocate(k.common.energyScratch(particles)),
      kinetic: k.allocate(capacity * 8),
    };
    this.#work = k.allocate(Math.max(lane.integratorScratch(C, blocks), k.common.adjointScratch(C, blocks)));
    this.#field = flow.field.prepare(k, precision, stageTimes(this.#integrator), {
      resolution: TRAINING_RESOLUTION,
      ...options,
      reverse: true,
    });
    this.#scratch = k.allocate(this.#field.scratchBytes);
    this.#target = target === undefined ? undefined : placeTerms(k, target, precision);
  }

  /** Takes new parameters of the same shapes; all stages are recomputed. */
  update(parameters: ParameterSet): void {
    this.#field.update(parameters);
  }

  /** Mean negative log-likelihood of configurations `x` [n, N, D], normalised, in nats. */
  nll(x: Positions, n: number): number {
    return this.#everywhere(() => this.#nll(x, n, false));
  }

  /**
   * The same and its gradient. With `kineticWeight` λ the loss is NLL + λ·⟨∫|v|² dt⟩ along the paths of the batch, which
   * draws the flow towards optimal transport (Finlay et al. 2020, arXiv 2002.02798).
   * @throws NumericalError naming the first sample whose log q is not finite.
   */
  nllGradient(x: Positions, n: number, kineticWeight = 0): LossAndGradient {
    const reverse = this.#field.reverse!;
    const loss = this.#everywhere(() => {
      reverse.reset();
      return this.#nll(x, n, true, kineticWeight);
    });
    return { loss, gradient: reverse.gradient() };
  }

  /** Reverse KL up to the constant log Z: the mean of U(x)/kT + log q(x) over the flow's own samples, in nats. */
  reverseKl(batch: PriorBatch, energyCap = Number.POSITIVE_INFINITY): number {
    return this.#everywhere(() => this.#reverseKl(batch, energyCap, 'value'));
  }

  /**
   * The same and its gradient.
   * @throws NumericalError naming the first sample whose loss is not finite.
   */
  reverseKlGradient(batch: PriorBatch, { estimator, energyCap }: ReverseKlOptions): LossAndGradient {
    const reverse = this.#field.reverse!;
    // Scores are not looked at before they are used, so nothing may be missing for them.
    if (estimator === 'path') this.#field.widen?.();
    const loss = this.#everywhere(() => {
      const scores = estimator === 'path' ? this.#scores(batch) : undefined;
      reverse.reset();
      return this.#reverseKl(batch, energyCap, scores ?? 'total');
    });
    return { loss, gradient: reverse.gradient() };
  }

  /** What is not finite because the field was not prepared that far is computed again on all of it. */
  #everywhere<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof NumericalError && this.#field.widen?.())) throw error;
      return body();
    }
  }

  #nll(x: Positions, n: number, withGradient: boolean, kineticWeight = 0): number {
    const { prior } = this.flow;
    let sum = 0;
    this.#chunks(n, (first, count) => {
      this.#blocks.load(x, first, count);
      this.#integrate(count, true, withGradient);
      const norms = this.#squaredNorms(count);
      const logDet = this.#kernels.f64View(this.#offsets.logDet, count);
      for (let s = 0; s < count; s++) {
        const logQ = logDensityOfSquaredNorm(prior, norms[s]) + logDet[s];
        if (!Number.isFinite(logQ)) throw new NumericalError(`log q of sample ${first + s} of the batch is ${logQ}`);
        sum -= logQ;
      }
      if (withGradient) sum += this.#pullBackNll(count, n, kineticWeight);
    });
    return sum / n;
  }

  /** `mode`: the value alone, the total derivative, or scores ∂log q/∂x per chunk for the path derivative. */
  #reverseKl(batch: PriorBatch, energyCap: number, mode: 'value' | 'total' | Uint8Array[]): number {
    const { prior } = this.flow;
    const { n } = batch;
    let sum = 0;
    let chunk = 0;
    this.#chunks(n, (first, count) => {
      this.#loadPrior(batch, first, count);
      const logPrior = this.#squaredNorms(count).map((norm) => logDensityOfSquaredNorm(prior, norm));
      this.#integrate(count, false, mode !== 'value');
      const slopes = this.#energies(count, energyCap);
      const energy = this.#kernels.f64View(this.#offsets.energy, count);
      const logDet = this.#kernels.f64View(this.#offsets.logDet, count);
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
        this.#kernels.u8View(this.#offsets.gradient, mode[chunk].length).set(mode[chunk]);
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
      scores.push(this.#kernels.u8View(this.#offsets.xBar, bytes).slice());
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
    const values = this.#kernels.f64View(energy, count);
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
    return this.#kernels.f64View(norms, count);
  }

  /** Moves the loaded chunk through the flow in place. */
  #integrate(count: number, inverse: boolean, keepTape: boolean): void {
    const { prior } = this.flow;
    const blocks = this.#blocks.blocks(count);
    const { logDet, tape } = this.#offsets;
    this.#kernels.f64View(logDet, blocks * this.#lane.lanes).fill(0);
    this.#lane.rungeKutta4(
      this.#field.code,
      this.#field.parameters,
      this.#field.stages,
      this.#field.stageBytes,
      this.#integrator.steps,
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

  /**
   * Cotangents of the mean of −log q over n samples, from the chunk just taken to prior space, back to its configurations.
   * Returns what the kinetic energies add to the chunk's sum of losses.
   */
  #pullBackNll(count: number, n: number, kineticWeight = 0): number {
    this.#setWeights(count, () => 1 / n, -1 / n);
    const { weights, xBar } = this.#offsets;
    const scale = 1 / priorVariance(this.flow.prior);
    const blocks = this.#blocks.blocks(count);
    this.#lane.scaleSamples(this.#blocks.positions, weights, scale, xBar, this.#coordinates, blocks);
    return kineticWeight * this.#reverse(count, true, kineticWeight);
  }

  /** Weights per sample and the cotangents of log|det|; idle lanes weigh nothing. */
  #setWeights(count: number, weight: (sample: number) => number, logDetBar: number): void {
    const lanes = this.#blocks.blocks(count) * this.#lane.lanes;
    const weights = this.#kernels.f64View(this.#offsets.weights, lanes);
    const bars = this.#kernels.f64View(this.#offsets.logDetBar, lanes);
    for (let s = 0; s < lanes; s++) {
      weights[s] = s < count ? weight(s) : 0;
      bars[s] = s < count ? logDetBar : 0;
    }
  }

  /**
   * Reverse pass of the integration just taped, from the cotangents at `xBar` to those at its start, in place. The loss may
   * also have `kineticWeight` times the kinetic energy of every sample, weighted as the samples are; returns their sum then.
   */
  #reverse(count: number, inverse: boolean, kineticWeight = 0): number {
    const { prior } = this.flow;
    const { stageBars, stageBarBytes } = this.#field.reverse!;
    const { tape, xBar, logDetBar, weights, kinetic } = this.#offsets;
    const lanes = this.#blocks.blocks(count) * this.#lane.lanes;
    const kineticBars = this.#kernels.f64View(weights, lanes);
    for (let s = 0; s < lanes; s++) kineticBars[s] *= kineticWeight;
    const energies = this.#kernels.f64View(kinetic, lanes).fill(0);
    this.#lane.rungeKutta4Reverse(
      this.#field.code,
      this.#field.parameters,
      this.#field.stages,
      this.#field.stageBytes,
      stageBars,
      stageBarBytes,
      this.#integrator.steps,
      inverse,
      tape,
      xBar,
      logDetBar,
      kineticWeight > 0 ? weights : 0,
      kinetic,
      prior.particles,
      prior.dimensions,
      this.#blocks.blocks(count),
      this.#work,
      this.#scratch,
    );
    return energies.subarray(0, count).reduce((total, energy) => total + energy, 0);
  }
}
