import test from 'ava';
import { initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { continuousFlow } from '../../src/flows/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import type { TrainingEngine } from '../../src/training/engines/engine.js';
import { stepLoss, validationLoss } from '../../src/training/losses.js';
import { TRAINING_DEFAULTS } from '../../src/training/options.js';

const FLOW = continuousFlow(meanFreeNormal(2, 2), initialKernelField(2, 2, uniformBasis(3, 4, 1), { seed: 1 }), rk4(4));
const OPTIONS = { ...TRAINING_DEFAULTS, seed: 1, steps: 100, klShare: [0, 0.5] as const };
const BATCH = { x: new Float64Array(8), indices: Uint32Array.of(0, 1) };

/** An engine whose losses are known, and what was asked of it. */
function knownEngine() {
  const asked: string[] = [];
  const answer = (name: string, loss: number, mu: number[]) => () => {
    asked.push(name);
    return { loss, gradient: { mu: Float64Array.from(mu) } };
  };
  const engine = {
    update: () => {},
    nll: () => 2,
    reverseKl: () => 10,
    nllGradient: answer('nll', 2, [1, 0]),
    reverseKlGradient: answer('kl', 10, [-3, 8]),
  };
  return { engine: engine as unknown as TrainingEngine, asked };
}

test('the loss and its gradient are the mixture with the share that the step has, and pure ones ask for nothing else', async (t) => {
  const { engine, asked } = knownEngine();
  const loss = stepLoss(FLOW, engine, () => 4, OPTIONS, [0, 0]);
  const at = async (step: number) => {
    const found = await loss({}, BATCH, step);
    return [found.loss, [...found.gradient.mu], found.terms, asked.splice(0)];
  };
  t.deepEqual(await at(0), [2, [1, 0], { nll: 2 }, ['nll']]);
  // The share is linear in the step: 0.25 half-way, 0.5 at the end and beyond.
  t.deepEqual(await at(50), [4, [0, 2], { nll: 2, kl: 10 }, ['nll', 'kl']]);
  t.deepEqual(await at(100), [6, [-1, 4], { nll: 2, kl: 10 }, ['nll', 'kl']]);
  t.deepEqual(await at(200), await at(100));
  const pure = stepLoss(FLOW, engine, () => 4, { ...OPTIONS, klShare: [1, 1] }, [0, 0]);
  const { gradient, terms } = await pure({}, BATCH, 7);
  t.deepEqual([[...gradient.mu], terms, asked.splice(0)], [[-3, 8], { kl: 10 }, ['kl']]);
});

test('parameters are judged by the loss with the final share', async (t) => {
  const { engine } = knownEngine();
  t.deepEqual(await validationLoss(engine, 8, { x: new Float64Array(4), n: 1 }, OPTIONS), { nll: 2, kl: 10, loss: 6 });
  const likelihood = { ...OPTIONS, klShare: [0.5, 0] as const };
  t.deepEqual(await validationLoss(engine, 8, { x: new Float64Array(4), n: 1 }, likelihood), { nll: 2, loss: 2 });
});
