import type { PreparedField, PrepareOptions } from '../fields/index.js';
import { stageTimes } from '../integrators/index.js';
import { Kernels, type Precision, STREAM } from '../kernels/index.js';
import { logDensityOfSquaredNorm, priorVariance } from '../priors/index.js';
import type { ContinuousFlow } from './continuous-flow.js';
import { chunkSamples, SampleBlocks } from './sample-blocks.js';

/** Calls on a few samples that let the optimising compiler finish before long calls begin. */
const WARM_UP_CALLS = 30;

/** Positions by the precision that they are kept in, row-major [n, N, D]. */
export type Positions = Float32Array | Float64Array;

/** A continuous flow in kernel memory at one precision: its stages are prepared once and serve any number of samples. */
export class FlowRunner {
  readonly #kernels = new Kernels();
  readonly #field: PreparedField;
  readonly #blocks: SampleBlocks;
  readonly #logDet: number;
  readonly #norms: number;
  readonly #work: number;
  readonly #scratch: number;

  constructor(
    readonly flow: ContinuousFlow,
    readonly precision: Precision,
    options: PrepareOptions = {},
  ) {
    const k = this.#kernels;
    const { particles, dimensions } = flow.prior;
    const C = particles * dimensions;
    const capacity = chunkSamples(precision, C);
    this.#blocks = new SampleBlocks(k, precision, particles, dimensions, capacity);
    this.#logDet = k.allocate(capacity * 8);
    this.#norms = k.allocate(capacity * 8);
    const lane = k.lane(precision);
    this.#work = k.allocate(lane.integratorScratch(C, capacity / lane.lanes));
    this.#field = flow.field.prepare(k, precision, stageTimes(flow.integrator), options);
    this.#scratch = k.allocate(this.#field.scratchBytes);
    this.#warmUp();
  }

  /** x and log|det ∂x/∂z| of prior-space points `z` [n, N, D]; centroids are removed first. */
  forward(z: Positions, n: number): { x: Float64Array; logDet: Float64Array } {
    const { out, logDet } = this.#transport(z, n, false);
    return { x: out, logDet };
  }

  /** z and log|det ∂z/∂x| of configurations `x` [n, N, D]; centroids are removed first. */
  inverse(x: Positions, n: number): { z: Float64Array; logDet: Float64Array } {
    const { out, logDet } = this.#transport(x, n, true);
    return { z: out, logDet };
  }

  /** Normalised log q(x) in nats on the mean-free subspace, shape [n]: log prior(z) + log|det ∂z/∂x| by the inverse flow. */
  logProb(x: Positions, n: number): Float64Array {
    const logQ = new Float64Array(n);
    this.#chunks(n, (first, count) => {
      this.#blocks.load(x, first, count);
      this.#integrate(count, true);
      const prior = this.#logPrior(count);
      const logDet = this.#kernels.f64View(this.#logDet, count);
      for (let s = 0; s < count; s++) logQ[first + s] = prior[s] + logDet[s];
    });
    return logQ;
  }

  /**
   * Samples with global indices `first` … `first + n − 1`, each depending on (flow, precision, seed, index) alone, with
   * log q from the forward pass: log prior(z) − log|det ∂x/∂z|. Positions are stored in the runner's precision.
   */
  sample(seed: number, first: number, n: number): { x: Positions; logQ: Float64Array } {
    const C = this.flow.prior.particles * this.flow.prior.dimensions;
    const x = this.precision === 'f32' ? new Float32Array(n * C) : new Float64Array(n * C);
    const logQ = new Float64Array(n);
    const deviation = Math.sqrt(priorVariance(this.flow.prior));
    this.#chunks(n, (start, count) => {
      this.#blocks.drawNormals(seed, STREAM.prior, first + start, count, deviation);
      const prior = this.#logPrior(count).slice();
      this.#integrate(count, false);
      const logDet = this.#kernels.f64View(this.#logDet, count);
      for (let s = 0; s < count; s++) logQ[start + s] = prior[s] - logDet[s];
      this.#blocks.store(x, start, count);
    });
    return { x, logQ };
  }

  /** Velocities [n, N, D] and divergences [n] at time `t` = stage/(2·steps), for checks and for looking at a field. */
  velocity(x: Positions, n: number, stage: number): { velocity: Float64Array; divergence: Float64Array } {
    const k = this.#kernels;
    const { particles, dimensions } = this.flow.prior;
    const C = particles * dimensions;
    const lane = k.lane(this.precision);
    const velocity = new Float64Array(n * C);
    const divergence = new Float64Array(n);
    const table = this.#field.stages + stage * this.#field.stageBytes;
    this.#chunks(n, (first, count) => {
      this.#blocks.load(x, first, count);
      const blocks = this.#blocks.blocks(count);
      const { code, parameters } = this.#field;
      const { positions } = this.#blocks;
      lane.velocity(
        code,
        parameters,
        table,
        positions,
        this.#work,
        this.#logDet,
        particles,
        dimensions,
        blocks,
        this.#scratch,
      );
      k.scoped(() => {
        const rows = k.allocate(count * C * 8);
        lane.unpackTo64(this.#work, rows, count, C);
        velocity.set(k.f64View(rows, count * C), first * C);
      });
      divergence.set(k.f64View(this.#logDet, count), first);
    });
    return { velocity, divergence };
  }

  #transport(from: Positions, n: number, inverse: boolean): { out: Float64Array; logDet: Float64Array } {
    const out = new Float64Array(from.length);
    const logDet = new Float64Array(n);
    this.#chunks(n, (first, count) => {
      this.#blocks.load(from, first, count);
      this.#integrate(count, inverse);
      this.#blocks.store(out, first, count);
      logDet.set(this.#kernels.f64View(this.#logDet, count), first);
    });
    return { out, logDet };
  }

  #chunks(n: number, body: (first: number, count: number) => void): void {
    for (let first = 0; first < n; first += this.#blocks.capacity)
      body(first, Math.min(this.#blocks.capacity, n - first));
  }

  #integrate(count: number, inverse: boolean): void {
    const { prior, integrator } = this.flow;
    const { code, parameters, stages, stageBytes } = this.#field;
    const blocks = this.#blocks.blocks(count);
    const lane = this.#kernels.lane(this.precision);
    this.#kernels.f64View(this.#logDet, blocks * lane.lanes).fill(0);
    lane.rungeKutta4(
      code,
      parameters,
      stages,
      stageBytes,
      integrator.steps,
      inverse,
      this.#blocks.positions,
      this.#logDet,
      prior.particles,
      prior.dimensions,
      blocks,
      0,
      this.#work,
      this.#scratch,
    );
  }

  #logPrior(count: number): Float64Array {
    const { prior } = this.flow;
    const lane = this.#kernels.lane(this.precision);
    const blocks = this.#blocks.blocks(count);
    lane.squaredNorm(this.#blocks.positions, this.#norms, prior.particles * prior.dimensions, blocks);
    const values = this.#kernels.f64View(this.#norms, count);
    for (let s = 0; s < count; s++) values[s] = logDensityOfSquaredNorm(prior, values[s]);
    return values;
  }

  #warmUp(): void {
    for (let call = 0; call < WARM_UP_CALLS; call++) this.sample(0, 0, 4);
  }
}
