/* One step of maximum likelihood with all parameters trainable: tables from new parameters, NLL, gradient. */
import { KernelEngine } from '../../src/training/index.js';
import { type Case, PRECISIONS } from '../cases.js';
import type { Measurement } from '../measurement.js';
import { Contest } from '../peers/contest.js';
import { type Contender, FULL_ROUNDS, inProcess, measured, QUICK_ROUNDS, SHORT_ROUNDS, takeTurns } from '../rounds.js';
import type { Bench, Suite } from './suite.js';

const GROUP = 'training step: NLL and its gradient, all parameters, RK4×20, K = 50, M = 10';

function ours(c: Case): Contender[] {
  return PRECISIONS.map((precision) => {
    const engine = new KernelEngine(c.flow, { precision });
    return inProcess(`equiflow ${precision}`, 1, () => {
      engine.update(c.field.parameters);
      engine.nllGradient(c.x, c.trainingBatch!);
    });
  });
}

export const training: Suite = {
  name: 'training',
  about: 'one step of maximum likelihood, gradients checked equal first',
  async run({ cases, peers, quick, onMeasurement }: Bench) {
    const contest = new Contest(peers);
    const measurements: Measurement[] = [];
    try {
      for (const c of cases.filter(({ trainingBatch }) => trainingBatch !== undefined)) {
        const subject = `${c.label}, batch ${c.trainingBatch}`;
        for (const threads of [1, 2]) {
          const others = await contest.contenders('train', c, threads);
          if (threads === 2 && others.length === 0) continue;
          const clock = threads > 1;
          const group = clock ? `${GROUP}, by the clock` : `${GROUP}, one thread, processor time`;
          const effort = quick ? QUICK_ROUNDS : others.length > 0 ? FULL_ROUNDS : SHORT_ROUNDS;
          const contenders = [...ours(c), ...others];
          const times = await takeTurns(contenders, effort, clock);
          const what = { group, subject, unit: 'step', ...(clock ? { clock } : {}) };
          for (const m of measured(contenders, times, what)) {
            measurements.push(m);
            onMeasurement(m);
          }
        }
      }
      return { measurements, notes: [], skipped: contest.skipped };
    } finally {
      contest.close();
    }
  },
};
