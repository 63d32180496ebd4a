import type { ParameterSet } from '../../fields/index.js';
import type { Positions } from '../../flows/index.js';
import { rk4 } from '../../integrators/index.js';
import { type Kernels, TeamKernels } from '../../kernels/index.js';
import { copyParameters } from '../state.js';
import {
  type EngineProvider,
  type EngineSettings,
  type EngineTables,
  type LossAndGradient,
  type PriorBatch,
  type ReverseKlOptions,
  TRAINING_RESOLUTION,
  type TrainingEngine,
  type VelocityBatch,
} from './engine.js';
import { FlowGradients } from './flow-gradients.js';
import { VelocityGradients } from './velocity-gradients.js';

/** How much finer the tables are that gradients are compared with. */
const FINER = 4;

/** The WASM kernels as a training engine: prepared anew for every step count and number of matching times in use, each once. */
export class KernelsEngine implements TrainingEngine {
  readonly name = 'kernels';
  readonly #integrated = new Map<number, FlowGradients>();
  readonly #velocities = new Map<number, VelocityGradients>();
  /** Those that have tables of the present parameters. */
  readonly #current = new Set<FlowGradients>();
  /** Shared by all that is integrated, where a team helps. */
  readonly #team: Kernels | undefined;
  readonly tables?: EngineTables;
  #resolution = TRAINING_RESOLUTION;
  /** With tables four times finer, for comparison. */
  #finer: FlowGradients | undefined;
  #parameters: ParameterSet;

  constructor(private readonly settings: EngineSettings) {
    this.#team = settings.team === undefined ? undefined : new TeamKernels(settings.team);
    this.#parameters = copyParameters(settings.flow.field.parameters);
    if (settings.flow.field.kind === 'kernel') this.tables = this.#tables();
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
    const engine =
      this.#velocities.get(stages) ??
      new VelocityGradients(flow.field, stages, { precision, resolution: this.#resolution });
    this.#velocities.set(stages, engine);
    return engine.lossGradient(this.#parameters, batch);
  }

  /** Kernel memory goes with the engine. */
  dispose(): void {
    this.#integrated.clear();
    this.#velocities.clear();
    this.#current.clear();
    this.#finer = undefined;
  }

  #tables(): EngineTables {
    const engine = this;
    return {
      get resolution() {
        return engine.#resolution;
      },
      refineTo: (resolution) => {
        this.dispose();
        this.#resolution = resolution;
      },
      gradientError: (x, n, steps, groups) => {
        const { flow, precision } = this.settings;
        const found = this.#at(steps).nllGradient(x, n).gradient;
        this.#finer ??= new FlowGradients(
          { ...flow, integrator: rk4(steps) },
          { precision, resolution: FINER * this.#resolution },
        );
        this.#finer.update(this.#parameters);
        const exact = this.#finer.nllGradient(x, n).gradient;
        return Math.max(0, ...groups.map((name) => deviation(found[name], exact[name])));
      },
    };
  }

  #at(steps: number): FlowGradients {
    const { flow, target, precision } = this.settings;
    const engine =
      this.#integrated.get(steps) ??
      new FlowGradients(
        { ...flow, integrator: rk4(steps) },
        { precision, resolution: this.#resolution },
        target,
        this.#team,
      );
    this.#integrated.set(steps, engine);
    if (!this.#current.has(engine)) engine.update(this.#parameters);
    this.#current.add(engine);
    return engine;
  }
}

/** The largest difference relative to the largest entry; 0 where all are 0. */
function deviation(found: Float64Array, exact: Float64Array): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    difference = Math.max(difference, Math.abs(found[i] - exact[i]));
    size = Math.max(size, Math.abs(exact[i]));
  }
  return size > 0 ? difference / size : 0;
}

export const kernelsProvider: EngineProvider = {
  name: 'kernels',
  find: () => ({ available: true, reason: 'WASM SIMD kernels of equiflow, on the CPU' }),
  create: (settings) => new KernelsEngine(settings),
};
