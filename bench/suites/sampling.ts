/* Samples with exact log q: ours, plain TypeScript and the peers, one thread each, taking turns. */
import { prepareFlow } from '../../src/flows/index.js';
import { type Case, PRECISIONS, SEED } from '../cases.js';
import type { Measurement, Skipped } from '../measurement.js';
import { Contest } from '../peers/contest.js';
import { plainContender } from '../peers/plain.js';
import { tensorflowContenders } from '../peers/tensorflow.js';
import { type Contender, FULL_ROUNDS, inProcess, measured, QUICK_ROUNDS, SHORT_ROUNDS, takeTurns } from '../rounds.js';
import { endToEnd } from './sampling-end-to-end.js';
import type { Bench, Suite } from './suite.js';

const GROUP = 'sampling with exact log q: RK4×20, K = 50, M = 10, one thread, processor time';

function ours(c: Case): Contender[] {
  return PRECISIONS.map((precision) =>
    inProcess(`equiflow ${precision}`, c.batch, () => c.runners[precision].sample(SEED, 0, c.batch)),
  );
}

/** The relaxed build, and what it costs: bits that another machine, or the strict build, does not give. */
function relaxedBuild(c: Case): { contender: Contender; note: string } {
  const runner = prepareFlow(c.flow, 'f32', { arithmetic: 'relaxed' });
  const draw = () => runner.sample(SEED, 0, c.batch);
  const [strict, relaxed] = [c.runners.f32.sample(SEED, 0, c.batch), draw()];
  const different = strict.x.filter((value, i) => value !== relaxed.x[i]).length / strict.x.length;
  const logQ = strict.logQ.reduce((largest, value, i) => Math.max(largest, Math.abs(value - relaxed.logQ[i])), 0);
  return {
    contender: inProcess('equiflow f32, relaxed', c.batch, draw),
    note: `${c.label}: relaxed arithmetic changes ${(100 * different).toFixed(0)} % of the coordinates in their last bits, and log q by up to ${logQ.toExponential(1)} nats.`,
  };
}

export const sampling: Suite = {
  name: 'sampling',
  about: 'samples per second with exact log q; with one and two workers; from process start to disk',
  async run(bench: Bench) {
    const { cases, peers, quick, relaxed, onMeasurement } = bench;
    const notes: string[] = [];
    const contest = new Contest(peers);
    const measurements: Measurement[] = [];
    const skipped: Skipped[] = [];
    try {
      for (const c of cases) {
        const others = await contest.contenders('sample', c);
        if (peers.length > 0 && !quick) {
          const tensorflow = await tensorflowContenders(c);
          others.push(...tensorflow.contenders);
          for (const entry of tensorflow.skipped) {
            if (!skipped.some(({ what }) => what === entry.what)) skipped.push(entry);
          }
        }
        const contenders = [...ours(c)];
        if (relaxed) {
          const { contender, note } = relaxedBuild(c);
          contenders.push(contender);
          notes.push(note);
        }
        contenders.push(plainContender(c), ...others);
        const effort = quick ? QUICK_ROUNDS : others.length > 0 ? FULL_ROUNDS : SHORT_ROUNDS;
        const subject = `${c.label}, batch ${c.batch}`;
        for (const m of measured(contenders, await takeTurns(contenders, effort), {
          group: GROUP,
          subject,
          unit: 'sample',
        })) {
          measurements.push(m);
          onMeasurement(m);
        }
      }
      skipped.push(...contest.skipped);
    } finally {
      contest.close();
    }
    const rest = await endToEnd(bench);
    return {
      measurements: [...measurements, ...rest.measurements],
      notes: [...notes, ...rest.notes],
      skipped,
    };
  },
};
