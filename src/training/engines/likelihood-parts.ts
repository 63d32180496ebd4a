import { NumericalError } from '../../errors.js';
import type { PreparedField } from '../../fields/index.js';
import type { ContinuousFlow, Positions } from '../../flows/index.js';
import { type RungeKutta4, requireRungeKutta4 } from '../../integrators/index.js';
import type { KernelCall, Kernels, LaneKernels, Precision } from '../../kernels/index.js';
import { logDensityOfSquaredNorm, priorVariance } from '../../priors/index.js';

/** Samples that are laid out at a time; larger batches come in several of these. */
const SLAB = 2048;
/** Pairs of particles times samples that a part has about: its own cotangents have to be zeroed and added up. */
const PART_PAIRS = 2500;
const MOST_PARTS = 16;

/** Where one part of a batch works. Byte offsets. */
interface PartBuffers {
  readonly double: number;
  readonly positions: number;
  readonly xBar: number;
  readonly tape: number;
  readonly work: number;
  readonly scratch: number;
}

/**
 * Negative log-likelihoods of batches, in parts that are jobs of their own. How a batch is cut depends on its size alone and
 * all sums have a fixed order, so losses and gradients are the same bits on any number of threads.
 */
export class LikelihoodParts {
  readonly #lane: LaneKernels;
  readonly #integrator: RungeKutta4;
  readonly #coordinates: number;
  readonly #parts: PartBuffers[] = [];
  /** Rows of a slab, and one f64 per sample of it each. */
  readonly #rows: number;
  readonly #norms: number;
  readonly #logDet: number;
  readonly #weights: number;
  readonly #logDetBar: number;
  readonly #kineticBar: number;
  readonly #kinetic: number;

  /** @param capacity samples that a part works on at a time, a multiple of four */
  constructor(
    private readonly kernels: Kernels,
    private readonly flow: ContinuousFlow,
    private readonly precision: Precision,
    private readonly field: PreparedField,
    private readonly capacity: number,
  ) {
    this.#lane = kernels.lane(precision);
    this.#integrator = requireRungeKutta4(flow.integrator, 'training');
    this.#coordinates = flow.prior.particles * flow.prior.dimensions;
    this.#rows = kernels.allocate(SLAB * this.#coordinates * 8);
    const perSample = () => kernels.allocate(SLAB * 8);
    this.#norms = perSample();
    this.#logDet = perSample();
    this.#weights = perSample();
    this.#logDetBar = perSample();
    this.#kineticBar = perSample();
    this.#kinetic = perSample();
  }

  /** Mean negative log-likelihood of the rows `x` [n, N, D]. */
  value(x: Positions, n: number): number {
    return this.#sum(x, n, 0, false) / n;
  }

  /** The same plus `kineticWeight` times the mean kinetic energy; in how many parts the stages' cotangents were collected. */
  collect(x: Positions, n: number, kineticWeight: number): { loss: number; parts: number } {
    const loss = this.#sum(x, n, kineticWeight, true) / n;
    return { loss, parts: this.#partsOf(n) };
  }

  #partsOf(n: number): number {
    const { particles } = this.flow.prior;
    const size = Math.min(n, SLAB);
    const wanted = Math.floor((size * particles * (particles - 1)) / 2 / PART_PAIRS);
    const most = Math.min(MOST_PARTS, this.field.reverse!.maxParts, Math.ceil(size / 4));
    return Math.max(1, Math.min(most, Math.max(2, wanted)));
  }

  #sum(x: Positions, n: number, kineticWeight: number, withGradient: boolean): number {
    const { kernels } = this;
    const logPrior = logDensityOfSquaredNorm(this.flow.prior);
    const parts = this.#partsOf(n);
    let sum = 0;
    for (let first = 0; first < n; first += SLAB) {
      const count = Math.min(SLAB, n - first);
      const padded = this.#load(x, first, count, n, kineticWeight);
      const share = Math.ceil(padded / parts / 4) * 4;
      kernels.parallel(
        Array.from({ length: parts }, (_, part) => {
          const from = Math.min(padded, part * share);
          const to = Math.min(padded, from + share);
          const reset = withGradient && first === 0 ? this.field.reverse!.reset(part) : [];
          return [...reset, ...this.#calls(part, from, to, kineticWeight > 0, withGradient)];
        }),
      );
      const norms = kernels.f64View(this.#norms, count);
      const logDet = kernels.f64View(this.#logDet, count);
      const kinetic = kernels.f64View(this.#kinetic, count);
      for (let s = 0; s < count; s++) {
        const logQ = logPrior(norms[s]) + logDet[s];
        if (!Number.isFinite(logQ)) throw new NumericalError(`log q of sample ${first + s} of the batch is ${logQ}`);
        sum += kineticWeight * kinetic[s] - logQ;
      }
    }
    return sum;
  }

  /** Lays out samples `first` … with what they weigh; idle lanes repeat the last sample and weigh nothing. */
  #load(x: Positions, first: number, count: number, n: number, kineticWeight: number): number {
    const { kernels } = this;
    const C = this.#coordinates;
    const padded = Math.ceil(count / 4) * 4;
    const rows = kernels.f64View(this.#rows, padded * C);
    rows.set(x.subarray(first * C, (first + count) * C));
    for (let s = count; s < padded; s++) rows.copyWithin(s * C, (count - 1) * C, count * C);
    kernels.f64View(this.#logDet, padded).fill(0);
    kernels.f64View(this.#kinetic, padded).fill(0);
    kernels
      .f64View(this.#weights, padded)
      .fill(1 / n)
      .fill(0, count);
    kernels
      .f64View(this.#logDetBar, padded)
      .fill(-1 / n)
      .fill(0, count);
    kernels
      .f64View(this.#kineticBar, padded)
      .fill(kineticWeight / n)
      .fill(0, count);
    return padded;
  }

  /** What a part does with samples `from` to before `to` of the slab, chunk by chunk. */
  #calls(part: number, from: number, to: number, kinetic: boolean, withGradient: boolean): KernelCall[] {
    const { prior } = this.flow;
    const integrator = this.#integrator;
    const { code, parameters, stages, stageBytes, reverse } = this.field;
    const { particles: N, dimensions: D } = prior;
    const { lanes, width } = this.#lane;
    const C = this.#coordinates;
    const p = this.#buffers(part);
    const bars = reverse!.stageBars(part);
    const calls: KernelCall[] = [];
    for (let first = from; first < to; first += this.capacity) {
      const count = Math.min(this.capacity, to - first);
      const blocks = count / lanes;
      const at = first * 8;
      calls.push(
        ['pack64to64', this.#rows + at * C, p.double, count, C],
        ['removeCentroid64', p.double, N, D, count / 2],
      );
      if (this.precision === 'f32') calls.push(['demote', p.double, p.positions, C, count / 4]);
      const flow = [code, parameters, stages, stageBytes] as const;
      calls.push(
        [
          ...([`rungeKutta4${width}`, ...flow, integrator.steps, 1, p.positions, this.#logDet + at] as const),
          ...([N, D, blocks, withGradient ? p.tape : 0, p.work, p.scratch] as const),
        ],
        [`squaredNorm${width}`, p.positions, this.#norms + at, C, blocks],
      );
      if (!withGradient) continue;
      const scale = 1 / priorVariance(prior);
      calls.push(
        [`scaleSamples${width}`, p.positions, this.#weights + at, scale, p.xBar, C, blocks],
        [
          ...([`rungeKutta4Reverse${width}`, ...flow, bars, reverse!.stageBarBytes, integrator.steps, 1] as const),
          ...([p.tape, p.xBar, this.#logDetBar + at, kinetic ? this.#kineticBar + at : 0] as const),
          ...([this.#kinetic + at, N, D, blocks, p.work, p.scratch] as const),
        ],
      );
    }
    return calls;
  }

  #buffers(part: number): PartBuffers {
    const { kernels, capacity } = this;
    const C = this.#coordinates;
    const blocks = capacity / this.#lane.lanes;
    const work = Math.max(
      this.#lane.rungeKutta4Scratch(C, blocks),
      kernels.common.rungeKutta4ReverseScratch(C, blocks),
    );
    while (this.#parts.length <= part) {
      const double = kernels.allocate(capacity * C * 8);
      this.#parts.push({
        double,
        positions: this.precision === 'f64' ? double : kernels.allocate(capacity * C * 4),
        xBar: kernels.allocate(blocks * C * 16),
        tape: kernels.allocate(blocks * 4 * this.#integrator.steps * C * 16),
        work: kernels.allocate(work),
        scratch: kernels.allocate(this.field.scratchBytes),
      });
    }
    return this.#parts[part];
  }
}
