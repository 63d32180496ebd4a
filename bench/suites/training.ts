/* One step of maximum likelihood with all parameters trainable: tables from new parameters, NLL, gradient. */
import { dismiss, type Precision, type TeamMemory, teamMemory } from '../../src/kernels/index.js';
import { TRAINING_RESOLUTION } from '../../src/training/engines/engine.js';
import { createEngine, FlowGradients } from '../../src/training/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { relativeError } from '../../test/twin/reference.js';
import { type Case, PRECISIONS } from '../cases.js';
import type { Measurement } from '../measurement.js';
import { Contest } from '../peers/contest.js';
import { FINE } from '../peers/export.js';
import { type Contender, FULL_ROUNDS, inProcess, measured, QUICK_ROUNDS, SHORT_ROUNDS, takeTurns } from '../rounds.js';
import type { Bench, Suite } from './suite.js';

const HELP = { module: new URL('../../src/training/tasks.js', import.meta.url), name: 'helpTask' };
const GROUP = 'training step: NLL and its gradient, all parameters, RK4×20, K = 50, M = 10';

/** Table knots per width that are tried; the first is the engine's default. */
const RESOLUTIONS = [TRAINING_RESOLUTION, 16, 24];
/** What gradients may differ from exact ones by, of each group's largest entry: the same for us and for peers. */
const BOUND = 1e-3;

/** The coarsest tables whose gradients are right, which a training run's own check finds as well. */
function resolutionFor(c: Case): number {
  const gradient = (precision: Precision, resolution: number) =>
    new FlowGradients(c.flow, { precision, resolution }).nllGradient(c.x, c.trainingBatch!).gradient;
  const exact = gradient('f64', FINE);
  const groups = Object.keys(exact).filter((name) => !c.field.frozen.includes(name));
  const right = RESOLUTIONS.find((resolution) => {
    const own = gradient('f32', resolution);
    return groups.every((name) => relativeError(own[name], exact[name]) <= BOUND);
  });
  if (right === undefined) throw new Error(`${c.label}: no table gives gradients within ${BOUND}`);
  return right;
}

function ours(c: Case, resolution: number): Contender[] {
  return PRECISIONS.map((precision) => {
    const engine = new FlowGradients(c.flow, { precision, resolution });
    return inProcess(`equiflow ${precision}`, 1, () => {
      engine.update(c.field.parameters);
      engine.nllGradient(c.x, c.trainingBatch!);
    });
  });
}

/** f32 steps on this thread, and on a helper's if there is a team, with the engine's default tables. */
async function byTheClock(c: Case, team?: TeamMemory): Promise<Contender> {
  const engine = await createEngine('kernels', { flow: c.flow, precision: 'f32', ...(team ? { team } : {}) });
  const { steps } = c.flow.integrator;
  return inProcess(`equiflow f32, ${team ? '2 threads' : '1 thread'}`, 1, () => {
    engine.update(c.field.parameters);
    engine.nllGradient(c.x, c.trainingBatch!, steps, 0);
  });
}

export const training: Suite = {
  name: 'training',
  about: 'one step of maximum likelihood, gradients checked equal first',
  async run({ cases, peers, quick, cores, onMeasurement }: Bench) {
    const contest = new Contest(peers);
    const helpers = new WorkerPool({ workers: 1 });
    const measurements: Measurement[] = [];
    const notes: string[] = [];
    const contend = async (c: Case, contenders: Contender[], clock: boolean) => {
      const group = clock ? `${GROUP}, by the clock` : `${GROUP}, one thread, processor time`;
      const effort = quick ? QUICK_ROUNDS : contenders.some(({ peer }) => peer) ? FULL_ROUNDS : SHORT_ROUNDS;
      const times = await takeTurns(contenders, effort, clock);
      const subject = `${c.label}, batch ${c.trainingBatch}`;
      const what = { group, subject, unit: 'step', ...(clock ? { clock: true as const } : {}) };
      for (const m of measured(contenders, times, what)) {
        measurements.push(m);
        onMeasurement(m);
      }
      return times;
    };
    try {
      for (const c of cases.filter(({ trainingBatch }) => trainingBatch !== undefined)) {
        const resolution = resolutionFor(c);
        notes.push(`${c.label}: tables of ${resolution} knots per width give gradients within ${BOUND}.`);
        await contend(c, [...ours(c, resolution), ...(await contest.contenders('train', c, 1))], false);
        if (cores < 2) continue;
        const team = teamMemory();
        const helper = helpers.run(HELP, { team, member: 1 });
        const contenders = [
          await byTheClock(c),
          await byTheClock(c, team),
          ...(await contest.contenders('train', c, 2)),
        ];
        const [one, two] = await contend(c, contenders, true);
        notes.push(`${c.label}: two threads are ${(one.median / two.median).toFixed(2)} times as fast as one.`);
        dismiss(team);
        await helper;
      }
      return { measurements, notes, skipped: contest.skipped };
    } finally {
      contest.close();
      await helpers.close();
    }
  },
};
