import { moved, type TaskContext } from '../workers/index.js';
import { type MetropolisChains, type MetropolisRun, runMetropolis } from './metropolis.js';

/** Milliseconds between two reports: often enough for an ETA, seldom enough to cost nothing. */
const REPORT_INTERVAL = 100;

/** One group of chains on a worker; reports the number of steps done. */
export function metropolisTask(chains: MetropolisChains, context: TaskContext) {
  let reported = 0;
  const run = runMetropolis(chains, (done) => {
    const now = performance.now();
    if (now - reported < REPORT_INTERVAL) return;
    reported = now;
    context.report(done);
  });
  return moved<MetropolisRun>(run, [run.x.buffer, run.energy.buffer, run.acceptance.buffer]);
}
