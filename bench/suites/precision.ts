/* Work against precision: what an error of log q costs with each integrator, on trained flows. */
import { continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { dopri5, type Integrator, rk4 } from '../../src/integrators/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { type Case, SEED } from '../cases.js';
import type { Measurement } from '../measurement.js';
import { type Contender, inProcess, measured, QUICK_ROUNDS, SHORT_ROUNDS, takeTurns } from '../rounds.js';
import { trainable, trainedFlow } from '../trained.js';
import type { Bench, Suite } from './suite.js';

const GROUP = 'sampling with trained flows by integrator, f32, one thread';
/** Error of log q, nats, that is far below any error bar of weights. */
const GOAL = 1e-3;
/** The share of samples that has to reach it. */
const SHARE = 0.99;
const STEPS = [4, 6, 8, 10, 12, 16, 20, 28, 40];
const TOLERANCES = [1e-2, 1e-3, 1e-4, 1e-5];
/** Steps of the exact integration, in f64. */
const EXACT_STEPS = 160;
/** Samples, of which all are drawn and some are integrated exactly. */
const DRAWN = 1024;
const CHECKED = 512;

function candidates(): { name: string; integrator: Integrator }[] {
  return [
    ...STEPS.map((steps) => ({ name: `RK4, ${steps} steps`, integrator: rk4(steps) })),
    ...TOLERANCES.map((rtol) => ({ name: `Dormand–Prince 5(4), rtol ${rtol}`, integrator: dopri5({ rtol }) })),
  ];
}

interface Candidate {
  readonly contender: Contender;
  /** 99 % quantile of |log q as sampled − exact log q of the same configuration|, nats. */
  readonly error: number;
}

async function studied(c: Case, quick: boolean, pool: WorkerPool): Promise<Candidate[]> {
  const { flow } = (await trainedFlow(c, quick, pool)).generator;
  const exact = prepareFlow(continuousFlow(flow.prior, flow.field, rk4(EXACT_STEPS)), 'f64');
  return candidates().map(({ name, integrator }) => {
    const runner = prepareFlow(continuousFlow(flow.prior, flow.field, integrator), 'f32');
    const draw = () => runner.sample(SEED, 0, DRAWN);
    const { x, logQ } = draw();
    const truth = exact.logProb(x, CHECKED);
    const errors = truth.map((value, s) => Math.abs(value - logQ[s])).toSorted();
    return { contender: inProcess(name, DRAWN, draw), error: errors[Math.floor(SHARE * CHECKED)] };
  });
}

export const precision: Suite = {
  name: 'precision',
  about: `the cheapest integrator whose log q is right to ${GOAL} nats in ${100 * SHARE} % of samples, for trained flows`,
  async run({ cases, quick, onMeasurement }: Bench) {
    const pool = new WorkerPool({ workers: 1 });
    const measurements: Measurement[] = [];
    const notes: string[] = [];
    try {
      for (const c of trainable(cases)) {
        const found = await studied(c, quick, pool);
        const contenders = found.map(({ contender }) => contender);
        const times = await takeTurns(contenders, quick ? QUICK_ROUNDS : SHORT_ROUNDS);
        measured(contenders, times, { group: GROUP, subject: c.label, unit: 'sample' }).forEach((m, i) => {
          measurements.push({ ...m, note: `error ${found[i].error.toExponential(1)} nats` });
          onMeasurement(m);
        });
        const good = found
          .map(({ error }, i) => ({ i, error, time: times[i].median }))
          .filter(({ error }) => error <= GOAL);
        const best = good.reduce((a, b) => (b.time < a.time ? b : a), good[0]);
        notes.push(
          best === undefined
            ? `${c.label}: no integrator here reaches ${GOAL} nats in f32.`
            : `${c.label}: cheapest within ${GOAL} nats is ${contenders[best.i].name}.`,
        );
      }
    } finally {
      await pool.close();
    }
    return { measurements, notes, skipped: [] };
  },
};
