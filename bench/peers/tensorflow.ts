/* TensorFlow.js as a peer of sampling: our own engine on it, which integrates the flow backwards for log q of given positions. */
import { createEngine, surveyEngines } from '../../src/training/index.js';
import type { Case } from '../cases.js';
import type { Skipped } from '../measurement.js';
import type { Contender } from '../rounds.js';
import { spent } from '../trained.js';

/** Pairs of a call: enough that operations take longer than their overhead, and a second or so in all. */
const PAIRS = 6000;
const BOUND = 1e-4;

/**
 * Contenders on the backends that are installed. Backwards or forwards, an integration is the same work; the plain JavaScript
 * backend is left out, since it takes minutes.
 */
export async function tensorflowContenders(c: Case): Promise<{ contenders: Contender[]; skipped: Skipped[] }> {
  const contenders: Contender[] = [];
  const skipped: Skipped[] = [];
  const { particles, dimensions } = c.system;
  const n = Math.max(4, Math.min(c.batch, Math.round(PAIRS / c.pairs)));
  const x = c.x.slice(0, n * particles * dimensions);
  const exact = -c.runners.f64.logProb(x, n).reduce((sum, value) => sum + value, 0) / n;
  for (const { name, available, reason } of await surveyEngines()) {
    if (name !== 'wasm' && name !== 'tensorflow') continue;
    const title = `TensorFlow.js ${name}`;
    if (!available) {
      skipped.push({ what: title, why: reason });
      continue;
    }
    const engine = await createEngine(name, { flow: c.flow, precision: 'f32' });
    const call = () => Promise.resolve(engine.nll(x, n, c.flow.integrator.steps));
    const error = Math.abs((await call()) - exact) / Math.abs(exact);
    if (error <= BOUND) {
      contenders.push({ name: title, units: n, call: async () => (await spent(call)).seconds, peer: true });
    } else {
      skipped.push({
        what: `${title}: ${c.label}`,
        why: `wrong log q: error ${error.toExponential(1)}, bound ${BOUND}`,
      });
    }
  }
  return { contenders, skipped };
}
