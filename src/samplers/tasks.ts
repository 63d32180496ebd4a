import { moved, type TaskContext } from '../workers/index.js';
import { type Chains, type ChainsRun, runChains } from './chains.js';

/** Milliseconds between two reports: often enough for an ETA, seldom enough to cost nothing. */
const REPORT_INTERVAL = 100;

/** One group of chains on a worker; reports the number of steps done, all of them in the end. */
export function chainsTask(chains: Chains, context: TaskContext) {
  const steps = chains.warmUp + chains.stride * chains.records;
  let reported = 0;
  const run = runChains(chains, (done) => {
    const now = performance.now();
    if (now - reported < REPORT_INTERVAL && done < steps) return;
    reported = now;
    context.report(done);
  });
  const arrays = [run.x, run.energy, run.virial, run.acceptance, run.stepSizes];
  return moved<ChainsRun>(
    run,
    arrays.map((array) => array.buffer),
  );
}
