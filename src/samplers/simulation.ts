import { type Convergence, convergence } from '../analysis/convergence.js';
import { type Equilibration, equilibration } from '../analysis/equilibration.js';
import { type MeanEstimate, meanWithError } from '../analysis/index.js';
import type { ChainsRun } from './chains.js';
import { recordsPerChain, type SimulationPlan } from './groups.js';
import type { SimulationSettings } from './settings.js';

/** The records of a simulation, and the diagnostics by which it is judged. */
export interface Simulation {
  readonly n: number;
  /** Configurations [n, N, D], chain by chain, each chain in the order of its steps. */
  readonly x: Float64Array;
  /** U [n]. */
  readonly energy: Float64Array;
  readonly chains: number;
  readonly recordsPerChain: number;
  readonly settings: SimulationSettings;
  /** Accepted fraction of all recorded steps. */
  readonly acceptance: number;
  /** Step size of the recorded steps of each chain. */
  readonly stepSizes: Float64Array;
  /** ⟨U⟩ with an error bar, or a refusal; its `tau` counts records, so times `stride` for steps. */
  readonly meanEnergy: MeanEstimate;
  /** ⟨x·∇U⟩, which is (N−1)D·kT for every U that confines: a check that needs no known answer. */
  readonly virial: MeanEstimate;
  readonly expectedVirial: number;
  /** R̂ and effective sample sizes of U. */
  readonly convergence: Convergence;
  /** Whether the warm-up was long enough, as U tells. */
  readonly equilibration: Equilibration;
}

/** One simulation of the runs of its chains, wherever they come from and however many are in each. */
export class SimulationFold {
  readonly #plan: SimulationPlan;
  /** Records per chain. */
  readonly #records: number;
  readonly #x: Float64Array;
  /** [chains, records], as are the virials. */
  readonly #energies: Float64Array;
  readonly #virials: Float64Array;
  readonly #stepSizes: Float64Array;
  #acceptance = 0;
  /** Chains so far. */
  #chains = 0;

  constructor(plan: SimulationPlan) {
    const { n, system, settings } = plan;
    this.#plan = plan;
    this.#records = recordsPerChain(plan);
    this.#x = new Float64Array(n * system.particles * system.dimensions);
    this.#energies = new Float64Array(settings.chains * this.#records);
    this.#virials = new Float64Array(settings.chains * this.#records);
    this.#stepSizes = new Float64Array(settings.chains);
  }

  /** The next chains, in order. Nothing of them is kept but copies. */
  add(run: ChainsRun): void {
    const { n, system, settings } = this.#plan;
    const C = system.particles * system.dimensions;
    const row = this.#chains * this.#records;
    const rows = Math.max(0, Math.min(run.energy.length, n - row));
    this.#x.set(run.x.subarray(0, rows * C), Math.min(row, n) * C);
    this.#energies.set(run.energy, row);
    this.#virials.set(run.virial, row);
    this.#stepSizes.set(run.stepSizes, this.#chains);
    for (const accepted of run.acceptance) this.#acceptance += accepted / settings.chains;
    this.#chains += run.acceptance.length;
  }

  /** To be called once, after the last chains. */
  result(): Simulation {
    const { n, system, settings } = this.#plan;
    const { chains, kT } = settings;
    const perChain = (values: Float64Array) =>
      Array.from({ length: chains }, (_, c) => values.subarray(c * this.#records, (c + 1) * this.#records));
    const energies = perChain(this.#energies);
    return {
      n,
      x: this.#x,
      energy: this.#energies.slice(0, n),
      chains,
      recordsPerChain: this.#records,
      settings,
      acceptance: this.#acceptance,
      stepSizes: this.#stepSizes,
      meanEnergy: meanWithError(energies),
      virial: meanWithError(perChain(this.#virials)),
      expectedVirial: (system.particles - 1) * system.dimensions * kT,
      convergence: convergence(energies),
      equilibration: equilibration(energies),
    };
  }
}
