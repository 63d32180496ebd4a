import { NumericalError, UsageError } from '../../../errors.js';
import type { ParameterSet } from '../../../fields/index.js';
import type { ContinuousFlow, Positions } from '../../../flows/index.js';
import { rk4, stageTimes } from '../../../integrators/index.js';
import { STREAM, standardNormals } from '../../../kernels/index.js';
import { logDensityOfSquaredNorm, priorVariance } from '../../../priors/index.js';
import { EnergyEvaluator } from '../../../systems/index.js';
import type {
  EngineName,
  EngineSettings,
  LossAndGradient,
  PriorBatch,
  ReverseKlOptions,
  TrainingEngine,
  VelocityBatch,
} from '../engine.js';
import type { Backend } from './backend.js';
import { type FieldModel, fieldModel, timeFeatureRows } from './field.js';
import { BarSums, integrate, type Path, type PreparedFlow, pullBack } from './integrate.js';
import { columnsOf, freeing, rowsOf, type Tensor, type TensorFlow } from './tensors.js';

/** Elements that the largest tensor of a chunk of samples may have: some sixty of that size are alive in a step's tape. */
const CHUNK_ELEMENTS = 2 ** 21;

/**
 * Losses and gradients on TensorFlow.js, in f32: the same discretised flow as on the kernels, without their tables. All
 * tensors are of one backend; a call leaves behind none but the parameters of the last `update`.
 */
export class TensorFlowEngine implements TrainingEngine {
  readonly #flow: ContinuousFlow;
  readonly #model: FieldModel;
  readonly #energy: EnergyEvaluator | undefined;
  readonly #capacity: number;
  #parameters: Record<string, Tensor> = {};

  constructor(
    readonly name: EngineName,
    private readonly tf: TensorFlow,
    private readonly backend: Backend,
    { flow, target }: Pick<EngineSettings, 'flow' | 'target'>,
    chunkElements = CHUNK_ELEMENTS,
  ) {
    this.#flow = flow;
    this.#model = this.#here(() => fieldModel(tf, flow.field));
    this.#energy = target === undefined ? undefined : new EnergyEvaluator(target);
    this.#capacity = Math.max(1, Math.floor(chunkElements / this.#model.elementsPerSample));
    this.update(flow.field.parameters);
  }

  update(parameters: ParameterSet): void {
    const { tf } = this;
    this.#here(() => {
      tf.dispose(this.#parameters);
      this.#parameters = Object.fromEntries(
        Object.entries(this.#flow.field.shapes).map(([name, shape]) => [
          name,
          tf.tensor(Float32Array.from(parameters[name]), [...shape]),
        ]),
      );
    });
  }

  dispose(): void {
    this.tf.dispose(this.#parameters);
    this.#parameters = {};
    this.#model.dispose();
  }

  nll(x: Positions, n: number, steps: number): number {
    return this.#freeing(() => this.#nll(this.#prepare(steps), x, n, 0, undefined));
  }

  nllGradient(x: Positions, n: number, steps: number, kineticWeight: number): LossAndGradient {
    return this.#freeing(() => {
      const bars = new BarSums(this.tf);
      const loss = this.#nll(this.#prepare(steps), x, n, kineticWeight, bars);
      return { loss, gradient: this.#parameterGradient(bars, steps) };
    });
  }

  reverseKl(batch: PriorBatch, steps: number, energyCap: number): number {
    return this.#freeing(() => this.#reverseKl(this.#prepare(steps), batch, energyCap, 'total', undefined));
  }

  reverseKlGradient(batch: PriorBatch, steps: number, { estimator, energyCap }: ReverseKlOptions): LossAndGradient {
    return this.#freeing(() => {
      const bars = new BarSums(this.tf);
      const loss = this.#reverseKl(this.#prepare(steps), batch, energyCap, estimator, bars);
      return { loss, gradient: this.#parameterGradient(bars, steps) };
    });
  }

  velocityGradient({ times, x, velocity, n }: VelocityBatch): LossAndGradient {
    const { tf } = this;
    let loss = 0;
    const gradient = Object.fromEntries(
      Object.entries(this.#parameters).map(([name, { size }]) => [name, new Float64Array(size)]),
    );
    this.#chunks(n, (first, count) =>
      this.#freeing(() => {
        const at = this.#columns(x, first, count);
        const wanted = this.#columns(velocity, first, count);
        const own = Float32Array.from({ length: count }, (_, s) => times[Math.floor(((first + s) * times.length) / n)]);
        const timesOfSamples = tf.tensor1d(own);
        const deviations = (parameters: Readonly<Record<string, Tensor>>): Tensor => {
          const { shared, features } = this.#prepareAt(timesOfSamples, parameters);
          const { velocity: found } = this.#model.motion(shared, features, at, false);
          return tf.sum(tf.reshape(tf.square(tf.sub(found, wanted)), [-1, count]), 0);
        };
        deviations(this.#parameters)
          .dataSync()
          .forEach((value, s) => {
            if (!Number.isFinite(value)) {
              throw new NumericalError(`flow-matching loss of sample ${first + s} of the batch is ${value}`);
            }
            loss += value / n;
          });
        const part = this.#gradientOf((parameters) => tf.mul(tf.sum(deviations(parameters)), 1 / n));
        for (const [name, sum] of Object.entries(gradient)) {
          for (let i = 0; i < sum.length; i++) sum[i] += part[name][i];
        }
      }),
    );
    return { loss, gradient };
  }

  #nll(flow: PreparedFlow, x: Positions, n: number, kineticWeight: number, bars: BarSums | undefined): number {
    const { tf } = this;
    const logPrior = logDensityOfSquaredNorm(this.#flow.prior);
    let sum = 0;
    this.#chunks(n, (first, count) => {
      const path = integrate(tf, this.#model, flow, this.#columns(x, first, count), true, kineticWeight > 0);
      const norms = this.#squaredNorms(path.x, count);
      const logDet = path.logDet.dataSync();
      for (let s = 0; s < count; s++) {
        const logQ = logPrior(norms[s]) + logDet[s];
        if (!Number.isFinite(logQ)) throw new NumericalError(`log q of sample ${first + s} of the batch is ${logQ}`);
        sum -= logQ;
      }
      if (path.kinetic !== undefined) {
        for (const kinetic of path.kinetic.dataSync()) sum += kineticWeight * kinetic;
      }
      if (bars !== undefined) bars.add(this.#pullBackNll(flow, path, n, kineticWeight));
    });
    return sum / n;
  }

  #reverseKl(
    flow: PreparedFlow,
    batch: PriorBatch,
    energyCap: number,
    estimator: ReverseKlOptions['estimator'],
    bars: BarSums | undefined,
  ): number {
    const { tf } = this;
    const { prior } = this.#flow;
    const logPrior = logDensityOfSquaredNorm(prior);
    const { n } = batch;
    let sum = 0;
    this.#chunks(n, (first, count) => {
      const z = this.#priorSamples(batch, first, count);
      const norms = this.#squaredNorms(z, count);
      const path = integrate(tf, this.#model, flow, z, false, false);
      const logDet = path.logDet.dataSync();
      const { energy, gradient } = this.#energies(rowsOf(path.x.dataSync(), count), count, energyCap);
      for (let s = 0; s < count; s++) {
        const loss = energy[s] / prior.kT + logPrior(norms[s]) - logDet[s];
        if (!Number.isFinite(loss)) {
          throw new NumericalError(`reverse KL of sample ${first + s} of the batch is ${loss}`);
        }
        sum += loss;
      }
      if (bars === undefined) return;
      const forces = tf.mul(this.#columns(gradient, 0, count), 1 / (n * prior.kT));
      if (estimator === 'total') {
        bars.add(pullBack(tf, this.#model, flow, path, { x: forces, logDet: tf.fill([count], -1 / n), kinetic: 0 }));
      } else {
        const score = this.#score(flow, path.x, n);
        bars.add(
          pullBack(tf, this.#model, flow, path, { x: tf.add(forces, score), logDet: tf.zeros([count]), kinetic: 0 }),
        );
      }
    });
    return sum / n;
  }

  /** ∂ log q(x)/∂x / n at given positions, by the reverse of the inverse flow. */
  #score(flow: PreparedFlow, x: Tensor, n: number): Tensor {
    const path = integrate(this.tf, this.#model, flow, x, true, false);
    // The reverse pass gives the derivative of −log q.
    return this.#pullBackNll(flow, path, -n, 0).x;
  }

  /** Cotangents of the mean over n of −log q, from a path to prior space. */
  #pullBackNll(flow: PreparedFlow, path: Path, n: number, kineticWeight: number) {
    const { tf } = this;
    return pullBack(tf, this.#model, flow, path, {
      x: tf.mul(path.x, 1 / (n * priorVariance(this.#flow.prior))),
      logDet: tf.fill(path.logDet.shape, -1 / n),
      kinetic: kineticWeight / n,
    });
  }

  /** Capped energies and their gradients [count, N, D], by the f64 kernels: the samples are few and the energies steep. */
  #energies(x: Float64Array, count: number, cap: number): { energy: Float64Array; gradient: Float64Array } {
    if (this.#energy === undefined) {
      throw new UsageError('reverse KL: no target, expected the system that the flow is to sample');
    }
    const { energy, gradient } = this.#energy.energyAndGradient(x, count);
    const C = x.length / count;
    for (let s = 0; s < count; s++) {
      if (!(energy[s] > cap)) continue;
      const excess = 1 + energy[s] - cap;
      energy[s] = cap + Math.log(excess);
      for (let c = 0; c < C; c++) gradient[s * C + c] /= excess;
    }
    return { energy, gradient };
  }

  #priorSamples(batch: PriorBatch, first: number, count: number): Tensor {
    if ('z' in batch) return this.#columns(batch.z, first, count);
    const { prior } = this.#flow;
    const C = prior.particles * prior.dimensions;
    const deviation = Math.sqrt(priorVariance(prior));
    const normals = standardNormals(batch.seed, STREAM.reverseKl, batch.first + first, count, C);
    return this.#columns(
      normals.map((value) => deviation * value),
      0,
      count,
    );
  }

  #prepare(steps: number, parameters = this.#parameters): PreparedFlow {
    return this.#prepareAt(this.tf.tensor1d(Float32Array.from(stageTimes(rk4(steps)))), parameters);
  }

  #prepareAt(times: Tensor, parameters: Readonly<Record<string, Tensor>>): PreparedFlow {
    const { muTime, logGammaTime } = parameters;
    return {
      shared: this.#model.shared(parameters),
      features: timeFeatureRows(this.tf, muTime, logGammaTime, times),
    };
  }

  /** Cotangents of the parameters from those of all that is made of them. */
  #parameterGradient({ total }: BarSums, steps: number): ParameterSet {
    const { tf } = this;
    return this.#gradientOf((parameters) => {
      const { shared, features } = this.#prepare(steps, parameters);
      const bars = [...total!.shared, total!.features];
      return [...shared, features]
        .map((made, i) => tf.sum(tf.mul(made, bars[i])))
        .reduce((sum, term) => tf.add(sum, term));
    });
  }

  #gradientOf(loss: (parameters: Record<string, Tensor>) => Tensor): Record<string, Float64Array> {
    const names = Object.keys(this.#parameters);
    const named = <T>(values: readonly T[]) => Object.fromEntries(names.map((name, i) => [name, values[i]]));
    const gradients = this.tf.grads((...values: Tensor[]) => loss(named(values)))(Object.values(this.#parameters));
    return named(gradients.map((slopes) => Float64Array.from(slopes.dataSync())));
  }

  #columns(x: Positions, first: number, count: number): Tensor {
    const { particles, dimensions } = this.#flow.prior;
    return columnsOf(this.tf, x, first, count, particles, dimensions);
  }

  /** |x|² per sample. */
  #squaredNorms(x: Tensor, count: number): ArrayLike<number> {
    const { tf } = this;
    return tf.sum(tf.reshape(tf.square(x), [-1, count]), 0).dataSync();
  }

  /** Runs `body` on the engine's backend: another engine of this thread may have set its own. */
  #here<T>(body: () => T): T {
    // Asynchronous only the first time, which loading the backend was.
    if (this.tf.getBackend() !== this.backend) void this.tf.setBackend(this.backend);
    return body();
  }

  #freeing<T>(body: () => T): T {
    return this.#here(() => freeing(this.tf, body));
  }

  #chunks(n: number, body: (first: number, count: number) => void): void {
    for (let first = 0; first < n; first += this.#capacity) body(first, Math.min(this.#capacity, n - first));
  }
}
