import { NumericalError, UsageError } from '../errors.js';
import type { PreparedField, PrepareOptions } from '../fields/index.js';
import {
  type Frames,
  type IntegrationStatistics,
  prepareField,
  prepareTransport,
  type Transport,
} from '../integrators/index.js';
import { type Arithmetic, Kernels, type Precision, STREAM } from '../kernels/index.js';
import { logDensityOfSquaredNorm, priorVariance } from '../priors/index.js';
import type { ContinuousFlow } from './continuous-flow.js';
import { ADAPTIVE_CHUNK, chunkSamples, SampleBlocks } from './sample-blocks.js';

/**
 * Calls on a few samples that let the optimising compiler finish before long calls begin. Adaptive steps are short calls, of
 * which the first samples make many.
 */
const WARM_UP_CALLS = { rk4: 30, dopri5: 3 } as const;

/** Bytes of frames that a film holds at a time, unless four samples of it are more. */
const FILM_BYTES = 32 << 20;

/** Positions by the precision that they are kept in, row-major [n, N, D]. */
export type Positions = Float32Array | Float64Array;

/** Samples with their log-densities. */
export interface DrawnSamples {
  /** [n, N, D] */
  readonly x: Positions;
  /** log q in nats, [n]. */
  readonly logQ: Float64Array;
}

/** How finely a flow is prepared, and with which arithmetic. */
export interface RunnerOptions extends PrepareOptions {
  /** Default `strict`. */
  readonly arithmetic?: Arithmetic;
}

/** A continuous flow in kernel memory at one precision: its stages are prepared once and serve any number of samples. */
export class FlowRunner {
  readonly #kernels: Kernels;
  readonly #field: PreparedField;
  readonly #blocks: SampleBlocks;
  readonly #transport: Transport;
  readonly #logDet: number;
  readonly #norms: number;
  readonly #scratch: number;
  #filmRoom = { offset: 0, bytes: 0 };

  constructor(
    readonly flow: ContinuousFlow,
    readonly precision: Precision,
    { arithmetic, ...options }: RunnerOptions = {},
  ) {
    const k = new Kernels(undefined, arithmetic);
    this.#kernels = k;
    const { particles, dimensions } = flow.prior;
    const C = particles * dimensions;
    const capacity = flow.integrator.kind === 'dopri5' ? ADAPTIVE_CHUNK : chunkSamples(precision, C);
    this.#blocks = new SampleBlocks(k, precision, particles, dimensions, capacity);
    this.#logDet = k.allocate(capacity * 8);
    this.#norms = k.allocate(capacity * 8);
    this.#field = prepareField(flow.integrator, flow.field, k, precision, options);
    this.#scratch = k.allocate(this.#field.scratchBytes);
    this.#transport = prepareTransport(
      flow.integrator,
      {
        kernels: k,
        precision,
        particles,
        dimensions,
        capacity,
        positions: this.#blocks.positions,
        logDet: this.#logDet,
        scratch: this.#scratch,
      },
      this.#field,
    );
    this.#warmUp();
  }

  /** x and log|det ∂x/∂z| of prior-space points `z` [n, N, D]; centroids are removed first. */
  forward(z: Positions, n: number): { x: Float64Array; logDet: Float64Array } {
    const { out, logDet } = this.#moved(z, n, false);
    return { x: out, logDet };
  }

  /** z and log|det ∂z/∂x| of configurations `x` [n, N, D]; centroids are removed first. */
  inverse(x: Positions, n: number): { z: Float64Array; logDet: Float64Array } {
    const { out, logDet } = this.#moved(x, n, true);
    return { z: out, logDet };
  }

  /**
   * Normalised log q(x) in nats on the mean-free subspace, shape [n]: log prior(z) + log|det ∂z/∂x| by the inverse flow.
   * `number` is the first configuration's in error messages.
   */
  logProb(x: Positions, n: number, number = 0): Float64Array {
    const logQ = new Float64Array(n);
    const logPrior = logDensityOfSquaredNorm(this.flow.prior);
    this.#chunks(n, (first, count) => {
      this.#blocks.load(x, first, count);
      this.#transport.integrate(count, true, number + first);
      this.#squareNorms(count);
      const [norms, logDet] = [this.#norms, this.#logDet].map((at) => this.#kernels.f64View(at, count));
      for (let s = 0; s < count; s++) logQ[first + s] = logPrior(norms[s]) + logDet[s];
    });
    return logQ;
  }

  /** The prior-space points z [n, N, D] that `sample` moves to the samples of the same indices, in the runner's precision. */
  priorSample(seed: number, first: number, n: number): Float64Array {
    const z = new Float64Array(n * this.flow.prior.particles * this.flow.prior.dimensions);
    const deviation = Math.sqrt(priorVariance(this.flow.prior));
    this.#chunks(n, (start, count) => {
      this.#blocks.drawNormals(seed, STREAM.prior, first + start, count, deviation);
      this.#blocks.store(z, start, count);
    });
    return z;
  }

  /**
   * Samples with global indices `first` … `first + n − 1`, each depending on (flow, precision, seed, index) alone, with
   * log q from the forward pass: log prior(z) − log|det ∂x/∂z|. Positions are stored in the runner's precision, where told so in
   * arrays at hand.
   */
  sample(seed: number, first: number, n: number, into: DrawnSamples = this.#room(n)): DrawnSamples {
    const { x, logQ } = into;
    const deviation = Math.sqrt(priorVariance(this.flow.prior));
    const logPrior = logDensityOfSquaredNorm(this.flow.prior);
    this.#chunks(n, (start, count) => {
      this.#blocks.drawNormals(seed, STREAM.prior, first + start, count, deviation);
      this.#squareNorms(count);
      this.#transport.integrate(count, false, first + start);
      const [norms, logDet] = [this.#norms, this.#logDet].map((at) => this.#kernels.f64View(at, count));
      for (let s = 0; s < count; s++) logQ[start + s] = logPrior(norms[s]) - logDet[s];
      this.#blocks.store(x, start, count);
    });
    return into;
  }

  #room(n: number): DrawnSamples {
    const C = this.flow.prior.particles * this.flow.prior.dimensions;
    const x = this.precision === 'f32' ? new Float32Array(n * C) : new Float64Array(n * C);
    return { x, logQ: new Float64Array(n) };
  }

  /**
   * States along the way from prior-space points `z` [n, N, D], at each of F ascending `times` in [0, 1]: positions `x`
   * [F, n, N, D] and log|det ∂x/∂z| [F, n], by the fourth-order interpolant of the integrator's own steps. At t = 1 they are
   * `forward`'s, to the bit.
   * @throws UsageError for other times, or if the flow's integrator is not dopri5
   */
  trajectory(z: Positions, n: number, times: ArrayLike<number>): { x: Float64Array; logDet: Float64Array } {
    if (this.flow.integrator.kind !== 'dopri5') {
      throw new UsageError(
        `trajectory: the flow's integrator is ${this.flow.integrator.kind}, expected dopri5, whose steps carry an interpolant`,
      );
    }
    const sorted = Float64Array.from(times);
    const bad = sorted.findIndex((t, f) => !(t >= 0 && t <= 1 && (f === 0 || t > sorted[f - 1])));
    if (bad >= 0) {
      throw new UsageError(`trajectory: time ${bad} is ${sorted[bad]}, expected ascending times from 0 to 1`);
    }
    const C = this.flow.prior.particles * this.flow.prior.dimensions;
    const x = new Float64Array(sorted.length * n * C);
    const logDet = new Float64Array(sorted.length * n);
    // The state at t = 0 is what is brought in.
    const begun = sorted[0] === 0 ? 1 : 0;
    const film = this.#film(sorted.subarray(begun));
    for (let first = 0; first < n; first += film.samples) {
      const count = Math.min(film.samples, n - first);
      this.#blocks.load(z, first, count);
      if (begun === 1) this.#blocks.store(x, first, count);
      this.#transport.integrate(count, false, first, film.frames);
      for (let f = begun; f < sorted.length; f++) {
        const at = film.frames.positions + (f - begun) * film.frames.positionBytes;
        this.#blocks.store(x, f * n + first, count, at);
        const values = film.frames.logDet + (f - begun) * film.frames.logDetBytes;
        logDet.set(this.#kernels.f64View(values, count), f * n + first);
      }
    }
    return { x, logDet };
  }

  /** Room for the frames of a film, of as many samples at a time as it holds. */
  #film(progress: Float64Array): { samples: number; frames: Frames } {
    const C = this.flow.prior.particles * this.flow.prior.dimensions;
    const sampleBytes = C * this.#kernels.lane(this.precision).bytes + 8;
    const most = Math.floor(FILM_BYTES / (Math.max(1, progress.length) * sampleBytes)) & ~3;
    const samples = Math.max(4, Math.min(most, this.#blocks.capacity));
    const bytes = progress.length * samples * sampleBytes;
    if (bytes > this.#filmRoom.bytes) this.#filmRoom = { bytes, offset: this.#kernels.allocate(bytes) };
    const positionBytes = samples * (sampleBytes - 8);
    const positions = this.#filmRoom.offset;
    const logDet = positions + progress.length * positionBytes;
    return { samples, frames: { progress, positions, positionBytes, logDet, logDetBytes: samples * 8 } };
  }

  /**
   * Where the way from `start` [N, D] leaves the finite range, for an error about a sample whose log q is not finite: a
   * prior-space point, or `inverse`, a configuration.
   */
  whereNotFinite(start: Positions, inverse: boolean): string {
    this.#blocks.load(start, 0, 1);
    const found = this.#transport.whereNotFinite?.(inverse);
    if (found === undefined) return 'the flow leaves the finite range';
    return `the flow leaves the finite range at t = ${found.t.toPrecision(3)}, in step ${found.step}: use more steps, or dopri5`;
  }

  /** The work of all integrations since the last call of this. */
  takeStatistics(): IntegrationStatistics {
    return this.#transport.takeStatistics();
  }

  /** Velocities [n, N, D] and divergences [n] at time `t`, for checks and for looking at a field. */
  velocity(x: Positions, n: number, t: number): { velocity: Float64Array; divergence: Float64Array } {
    const k = this.#kernels;
    const { particles, dimensions } = this.flow.prior;
    const C = particles * dimensions;
    const lane = k.lane(this.precision);
    const { code, parameters, stageBytes } = this.#field;
    const velocity = new Float64Array(n * C);
    const divergence = new Float64Array(n);
    k.scoped(() => {
      const stage = k.allocate(stageBytes);
      this.#field.placeStage(stage, t);
      const rows = k.allocate(this.#blocks.capacity * C * 8);
      const v = k.allocate(this.#blocks.capacity * C * lane.bytes);
      this.#chunks(n, (first, count) => {
        this.#blocks.load(x, first, count);
        const blocks = this.#blocks.blocks(count);
        const { positions } = this.#blocks;
        lane.velocity(
          code,
          parameters,
          stage,
          positions,
          v,
          this.#logDet,
          particles,
          dimensions,
          blocks,
          this.#scratch,
        );
        lane.unpackTo64(v, rows, count, C);
        velocity.set(k.f64View(rows, count * C), first * C);
        divergence.set(k.f64View(this.#logDet, count), first);
      });
    });
    return { velocity, divergence };
  }

  #moved(from: Positions, n: number, inverse: boolean): { out: Float64Array; logDet: Float64Array } {
    const out = new Float64Array(from.length);
    const logDet = new Float64Array(n);
    this.#chunks(n, (first, count) => {
      this.#blocks.load(from, first, count);
      this.#transport.integrate(count, inverse, first);
      this.#blocks.store(out, first, count);
      logDet.set(this.#kernels.f64View(this.#logDet, count), first);
    });
    return { out, logDet };
  }

  #chunks(n: number, body: (first: number, count: number) => void): void {
    for (let first = 0; first < n; first += this.#blocks.capacity)
      body(first, Math.min(this.#blocks.capacity, n - first));
  }

  /** Leaves |x|² of the first `count` samples of the blocks at `#norms`. */
  #squareNorms(count: number): void {
    const { prior } = this.flow;
    const lane = this.#kernels.lane(this.precision);
    const blocks = this.#blocks.blocks(count);
    lane.squaredNorm(this.#blocks.positions, this.#norms, prior.particles * prior.dimensions, blocks);
  }

  #warmUp(): void {
    try {
      for (let call = WARM_UP_CALLS[this.flow.integrator.kind]; call > 0; call--) this.sample(0, 0, 4);
    } catch (error) {
      // A flow that cannot be integrated says so when it is asked for samples, with their numbers.
      if (!(error instanceof NumericalError)) throw error;
    }
    this.takeStatistics();
  }
}

/** Prepares a flow for work at one precision; the cost is a few milliseconds, so keep the runner. */
export function prepareFlow(
  flow: ContinuousFlow,
  precision: Precision = 'f64',
  options: RunnerOptions = {},
): FlowRunner {
  return new FlowRunner(flow, precision, options);
}
