/* Flows trained here, once a process: what a user has after the first minute. */
import { type BoltzmannGenerator, boltzmannGenerator } from '../src/flows/index.js';
import { simulate } from '../src/samplers/index.js';
import { withFewestSteps } from '../src/sampling/index.js';
import { splitConfigurations, train } from '../src/training/index.js';
import type { WorkerPool } from '../src/workers/index.js';
import { type Case, SEED } from './cases.js';
import type { Seconds } from './rounds.js';

/** Sizes that take seconds. */
const RECIPES: Readonly<Record<string, { readonly steps: number; readonly records: number }>> = {
  DW4: { steps: 1000, records: 20_000 },
  LJ13: { steps: 1500, records: 10_000 },
};
const QUICK_STEPS = 100;

export interface TrainedFlow {
  readonly generator: BoltzmannGenerator;
  /** Processor seconds of data and training. */
  readonly cost: number;
  readonly steps: number;
}

const trained = new Map<string, TrainedFlow>();

/** Clock and processor time of `body`, over all threads. */
export async function spent<T>(body: () => Promise<T>): Promise<{ seconds: Seconds; value: T }> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const value = await body();
  const { user, system } = process.cpuUsage(before);
  return { seconds: { wall: (performance.now() - start) / 1e3, cpu: (user + system) / 1e6 }, value };
}

/** The cases that there are recipes for. */
export function trainable(cases: readonly Case[]): Case[] {
  return cases.filter(({ label }) => RECIPES[label] !== undefined);
}

/** Maximum likelihood on equilibrium configurations by HMC, with the integrator steps that `equiflow train` leaves a model. */
export async function trainedFlow(c: Case, quick: boolean, pool: WorkerPool): Promise<TrainedFlow> {
  const known = trained.get(c.label);
  if (known !== undefined) return known;
  const { steps: full, records } = RECIPES[c.label];
  const steps = quick ? QUICK_STEPS : full;
  const { seconds, value: generator } = await spent(async () => {
    const simulation = await simulate(c.system, { n: records, seed: SEED }, pool);
    const { data, validation } = splitConfigurations(simulation, 0.1, 'tail', SEED);
    const untrained = boltzmannGenerator(c.system, c.flow);
    const { generator } = await train(untrained, data, validation, { seed: SEED, steps }, pool);
    return (await withFewestSteps(generator, { seed: SEED }, pool)).generator;
  });
  const flow = { generator, cost: seconds.cpu, steps };
  trained.set(c.label, flow);
  return flow;
}
