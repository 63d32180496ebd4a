import type { ParameterSet } from '../../fields/index.js';
import type { Positions } from '../../flows/index.js';
import { rk4 } from '../../integrators/index.js';
import { type Kernels, TeamKernels } from '../../kernels/index.js';
import { copyParameters } from '../state.js';
import type {
  EngineProvider,
  EngineSettings,
  LossAndGradient,
  PriorBatch,
  ReverseKlOptions,
  TrainingEngine,
  VelocityBatch,
} from './engine.js';
import { KernelEngine } from './kernels.js';
import { VelocityEngine } from './velocity.js';

/** The WASM kernels as a training engine: prepared anew for every step count and number of matching times in use, each once. */
export class KernelsEngine implements TrainingEngine {
  readonly name = 'kernels';
  readonly #integrated = new Map<number, KernelEngine>();
  readonly #velocities = new Map<number, VelocityEngine>();
  /** Those that have tables of the present parameters. */
  readonly #current = new Set<KernelEngine>();
  /** Shared by all that is integrated, where a team helps. */
  readonly #team: Kernels | undefined;
  #parameters: ParameterSet;

  constructor(private readonly settings: EngineSettings) {
    this.#team = settings.team === undefined ? undefined : new TeamKernels(settings.team);
    this.#parameters = copyParameters(settings.flow.field.parameters);
  }

  update(parameters: ParameterSet): void {
    this.#parameters = copyParameters(parameters);
    this.#current.clear();
  }

  nll(x: Positions, n: number, steps: number): number {
    return this.#at(steps).nll(x, n);
  }

  nllGradient(x: Positions, n: number, steps: number, kineticWeight: number): LossAndGradient {
    return this.#at(steps).nllGradient(x, n, kineticWeight);
  }

  reverseKl(batch: PriorBatch, steps: number, energyCap: number): number {
    return this.#at(steps).reverseKl(batch, energyCap);
  }

  reverseKlGradient(batch: PriorBatch, steps: number, options: ReverseKlOptions): LossAndGradient {
    return this.#at(steps).reverseKlGradient(batch, options);
  }

  velocityGradient(batch: VelocityBatch): LossAndGradient {
    const stages = batch.times.length;
    const { flow, precision } = this.settings;
    const engine = this.#velocities.get(stages) ?? new VelocityEngine(flow.field, stages, { precision });
    this.#velocities.set(stages, engine);
    return engine.lossGradient(this.#parameters, batch);
  }

  /** Kernel memory goes with the engine. */
  dispose(): void {
    this.#integrated.clear();
    this.#velocities.clear();
    this.#current.clear();
  }

  #at(steps: number): KernelEngine {
    const { flow, target, precision } = this.settings;
    const engine =
      this.#integrated.get(steps) ??
      new KernelEngine({ ...flow, integrator: rk4(steps) }, { precision }, target, this.#team);
    this.#integrated.set(steps, engine);
    if (!this.#current.has(engine)) engine.update(this.#parameters);
    this.#current.add(engine);
    return engine;
  }
}

export const kernelsProvider: EngineProvider = {
  name: 'kernels',
  find: () => ({ available: true, reason: 'WASM SIMD kernels of equiflow, on the CPU' }),
  create: (settings) => new KernelsEngine(settings),
};
