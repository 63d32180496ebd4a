/* Independent samples per second: n/τ of the best Markov chain beside the effective samples of a flow trained here; and what a step takes. */
import { importanceWeights, weightedMean } from '../../src/reweighting/index.js';
import { SAMPLERS, type Sampler, simulate } from '../../src/samplers/index.js';
import { sample } from '../../src/sampling/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { type Case, SEED } from '../cases.js';
import { chainGroups } from '../chain-groups.js';
import type { Measurement } from '../measurement.js';
import { type Contender, measured, QUICK_ROUNDS, type RoundsEffort, takeTurns } from '../rounds.js';
import { significant } from '../table.js';
import { spent, trainable, trainedFlow } from '../trained.js';
import type { Bench, Suite } from './suite.js';

const ROUNDS: RoundsEffort = { least: 3, most: 7, seconds: 1 };
/** Sizes differ by a few percent. */
const STEP_ROUNDS: RoundsEffort = { least: 9, most: 15, seconds: 1.5 };
const GROUP = 'independent samples: n/τ of the energy, or the effective sample size; one worker, processor time';
const STEP_GROUP = 'steps of HMC by how many chains go side by side; one thread, warm-up included';
/** Beyond this Pareto k̂ an effective sample size is only an upper bound. */
const KHAT_LIMIT = 0.7;

/** Configurations of all chains, and samples of the flow: about a second each on one core. */
const RECORDS: Readonly<Record<string, number>> = { DW4: 20_000, LJ13: 10_000 };
const SAMPLES: Readonly<Record<string, number>> = { DW4: 200_000, LJ13: 50_000 };

/** A contender and what it finds for ⟨U⟩, where that can be relied on: all must agree before any is timed. */
interface Entry {
  readonly contender: Contender;
  readonly meanEnergy?: { readonly value: number; readonly standardError: number };
}

/** Chains with their warm-up, and the effective samples that they gave. */
async function chain({ system }: Case, sampler: Sampler, n: number, pool: WorkerPool): Promise<Entry> {
  const run = () => simulate(system, { n, seed: SEED, sampler }, pool);
  const { meanEnergy } = await run();
  const contender: Contender = {
    name: sampler,
    units: meanEnergy.diagnostics.effectiveSamples,
    call: async () => (await spent(run)).seconds,
    peer: true,
  };
  return { contender, meanEnergy };
}

/** @throws Error where two mean energies are more than six of their common standard errors apart */
function requireAgreement(label: string, entries: readonly Entry[]): void {
  // Chains too short for an error bar have none to be judged by.
  const known = entries.flatMap(({ contender: { name }, meanEnergy }) =>
    meanEnergy && Number.isFinite(meanEnergy.standardError) ? [{ name, ...meanEnergy }] : [],
  );
  for (const a of known) {
    for (const b of known) {
      if (!(Math.abs(a.value - b.value) <= 6 * Math.hypot(a.standardError, b.standardError))) {
        throw new Error(`mcmc: ${label}: ⟨U⟩ is ${a.value} by ${a.name} and ${b.value} by ${b.name}`);
      }
    }
  }
}

interface FlowEntry extends Entry {
  readonly cost: number;
  readonly share: number;
  readonly khat: number;
  readonly n: number;
}

/** A flow trained by maximum likelihood on samples of HMC, and the effective samples of a batch of its own. */
async function flowEntry(c: Case, quick: boolean, pool: WorkerPool): Promise<FlowEntry> {
  const { generator, cost } = await trainedFlow(c, quick, pool);
  const n = SAMPLES[c.label];
  const run = () => sample(generator, { n, seed: SEED }, pool);
  const { logWeight, energy } = await run();
  const { diagnostics } = importanceWeights(logWeight).logZ;
  const { ess, khat } = diagnostics as { ess: number; khat: number };
  const contender = { name: 'flow', units: ess, call: async () => (await spent(run)).seconds };
  const meanEnergy = khat > KHAT_LIMIT ? undefined : weightedMean(Float64Array.from(energy), logWeight);
  return { contender, cost, share: ess / n, khat, n, ...(meanEnergy ? { meanEnergy } : {}) };
}

/** When the flow pays: after its cost is earned back, if ever. */
function verdict(label: string, flow: FlowEntry, flowRate: number, best: { name: string; rate: number }): string {
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
      for (const c of trainable(cases)) {
        const flow = await flowEntry(c, quick, pool);
        const entries: Entry[] = [];
        for (const sampler of SAMPLERS) entries.push(await chain(c, sampler, RECORDS[c.label], pool));
        requireAgreement(c.label, [flow, ...entries]);
        const chains = entries.map(({ contender }) => contender);
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
      for (const c of cases) {
        const contenders = chainGroups(c);
        const times = await takeTurns(contenders, quick ? QUICK_ROUNDS : STEP_ROUNDS);
        const what = { group: STEP_GROUP, subject: c.label, unit: 'step of a chain' };
        for (const m of measured(contenders, times, what)) {
          measurements.push(m);
          onMeasurement(m);
        }
      }
    } finally {
      await pool.close();
    }
    return { measurements, notes, skipped: [] };
  },
};
