/* Independent samples per second: n/τ of the best Markov chain beside the effective samples of a flow trained here. */
import { boltzmannGenerator } from '../../src/flows/index.js';
import { importanceWeights } from '../../src/reweighting/index.js';
import { SAMPLERS, type Sampler, simulate } from '../../src/samplers/index.js';
import { sample } from '../../src/sampling/index.js';
import { splitConfigurations, train } from '../../src/training/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { type Case, SEED } from '../cases.js';
import type { Measurement } from '../measurement.js';
import { type Contender, measured, QUICK_ROUNDS, type RoundsEffort, type Seconds, takeTurns } from '../rounds.js';
import { significant } from '../table.js';
import type { Bench, Suite } from './suite.js';

const ROUNDS: RoundsEffort = { least: 3, most: 7, seconds: 4 };
const GROUP = 'independent samples: n/τ of the energy, or the effective sample size; one worker, processor time';
/** Beyond this Pareto k̂ an effective sample size is only an upper bound. */
const KHAT_LIMIT = 0.7;

/** Sizes that take about a second each on one core. */
interface Sizes {
  readonly steps: number;
  readonly records: number;
  readonly samples: number;
}

const SIZES: Readonly<Record<string, Sizes>> = {
  DW4: { steps: 1000, records: 20_000, samples: 200_000 },
  LJ13: { steps: 1500, records: 10_000, samples: 50_000 },
};

async function spent<T>(body: () => Promise<T>): Promise<{ seconds: Seconds; value: T }> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const value = await body();
  const { user, system } = process.cpuUsage(before);
  return { seconds: { wall: (performance.now() - start) / 1e3, cpu: (user + system) / 1e6 }, value };
}

/** Chains with their warm-up, and the effective samples that they gave. */
async function chain({ system }: Case, sampler: Sampler, n: number, pool: WorkerPool): Promise<Contender> {
  const run = () => simulate(system, { n, seed: SEED, sampler }, pool);
  const { meanEnergy } = await run();
  return {
    name: sampler,
    units: meanEnergy.diagnostics.effectiveSamples,
    call: async () => (await spent(run)).seconds,
    peer: true,
  };
}

interface TrainedFlow {
  readonly contender: Contender;
  /** Processor seconds of data and training. */
  readonly cost: number;
  readonly share: number;
  readonly khat: number;
  readonly n: number;
}

/** A flow trained by maximum likelihood on samples of HMC, and the effective samples of a batch of its own. */
async function trainedFlow(c: Case, { steps, records, samples }: Sizes, pool: WorkerPool): Promise<TrainedFlow> {
  const { seconds, value: generator } = await spent(async () => {
    const simulation = await simulate(c.system, { n: records, seed: SEED }, pool);
    const { data, validation } = splitConfigurations(simulation, 0.1, 'tail', SEED);
    const untrained = boltzmannGenerator(c.system, c.flow);
    return (await train(untrained, data, validation, { seed: SEED, steps }, pool)).generator;
  });
  const run = () => sample(generator, { n: samples, seed: SEED }, pool);
  const { diagnostics } = importanceWeights((await run()).logWeight).logZ;
  const { ess, khat } = diagnostics as { ess: number; khat: number };
  const contender = { name: 'flow', units: ess, call: async () => (await spent(run)).seconds };
  return { contender, cost: seconds.cpu, share: ess / samples, khat, n: samples };
}

/** When the flow pays: after its cost is earned back, if ever. */
function verdict(label: string, flow: TrainedFlow, flowRate: number, best: { name: string; rate: number }): string {
  const { cost, share, khat, n } = flow;
  const made = `${label}: ${(100 * share).toFixed(2)} % of ${n.toLocaleString('en')} samples effective (k̂ ${khat.toFixed(2)}) after ${cost.toFixed(1)} s of data and training`;
  if (khat > KHAT_LIMIT)
    return `${made}. k̂ says that this ESS is an upper bound and not to be relied on: sample with ${best.name}.`;
  if (flowRate <= best.rate) {
    return `${made}. ${best.name} gives ${significant(best.rate / flowRate)} times as many independent samples per second: the flow does not pay for sampling alone, and log Z and independence are what it adds.`;
  }
  const breakEven = cost / (1 / best.rate - 1 / flowRate);
  return `${made}. It gives ${significant(flowRate / best.rate)} times as many as ${best.name}, and pays from ${significant(breakEven)} independent samples on.`;
}

export const mcmc: Suite = {
  name: 'mcmc',
  about: 'independent samples per second, Markov chains beside a trained flow, and when the flow pays',
  async run({ cases, quick, onMeasurement }: Bench) {
    const pool = new WorkerPool({ workers: 1 });
    const measurements: Measurement[] = [];
    const notes: string[] = [];
    try {
      for (const c of cases.filter(({ label }) => SIZES[label] !== undefined)) {
        const sizes = SIZES[c.label];
        const flow = await trainedFlow(c, quick ? { ...sizes, steps: 100 } : sizes, pool);
        const chains: Contender[] = [];
        for (const sampler of SAMPLERS) chains.push(await chain(c, sampler, sizes.records, pool));
        const contenders = [flow.contender, ...chains];
        const times = await takeTurns(contenders, quick ? QUICK_ROUNDS : ROUNDS);
        for (const m of measured(contenders, times, { group: GROUP, subject: c.label, unit: 'independent sample' })) {
          measurements.push(m);
          onMeasurement(m);
        }
        const rates = chains.map(({ name }, i) => ({ name, rate: 1 / times[i + 1].median }));
        const best = rates.reduce((a, b) => (b.rate > a.rate ? b : a));
        notes.push(verdict(c.label, flow, 1 / times[0].median, best));
      }
    } finally {
      await pool.close();
    }
    return { measurements, notes, skipped: [] };
  },
};
