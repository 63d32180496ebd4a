/* Work against precision: what an error of log q costs with each integrator, on trained flows. */
import { dopri5, type Integrator, rk4 } from '../../src/integrators/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { SHARE, studyIntegrators } from '../integrator-study.js';
import type { Measurement } from '../measurement.js';
import { measured, QUICK_ROUNDS, SHORT_ROUNDS, takeTurns } from '../rounds.js';
import { trainable, trainedFlow } from '../trained.js';
import type { Bench, Suite } from './suite.js';

const GROUP = 'sampling with trained flows by integrator, f32, one thread';
/** Error of log q, nats, that is far below any error bar of weights. */
const GOAL = 1e-3;
const METHODS: readonly (readonly [string, Integrator])[] = [
  ...[4, 6, 8, 10, 12, 16, 20, 28, 40].map((steps) => [`RK4, ${steps} steps`, rk4(steps)] as const),
  ...[3, 4, 5, 6].map((digits) => [`Dormand–Prince 5(4), rtol 1e-${digits}`, dopri5({ rtol: 10 ** -digits })] as const),
];
/** Samples, of which all are drawn and some are integrated exactly. */
const DRAWN = 1024;
const CHECKED = 512;

export const precision: Suite = {
  name: 'precision',
  about: `the cheapest integrator whose log q is right to ${GOAL} nats in ${100 * SHARE} % of samples, for trained flows`,
  async run({ cases, quick, onMeasurement }: Bench) {
    const pool = new WorkerPool({ workers: 1 });
    const measurements: Measurement[] = [];
    const notes: string[] = [];
    try {
      for (const c of trainable(cases)) {
        const { flow } = (await trainedFlow(c, quick, pool)).generator;
        const found = studyIntegrators(flow, METHODS, 'f32', DRAWN, CHECKED);
        const contenders = found.map(({ contender }) => contender);
        const times = await takeTurns(contenders, quick ? QUICK_ROUNDS : SHORT_ROUNDS);
        measured(contenders, times, { group: GROUP, subject: c.label, unit: 'sample' }).forEach((m, i) => {
          measurements.push({ ...m, note: `error ${found[i].error.most.toExponential(1)} nats` });
          onMeasurement(m);
        });
        const good = found
          .map(({ error }, i) => ({ i, error: error.most, time: times[i].median }))
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
