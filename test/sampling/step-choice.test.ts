import test from 'ava';
import { type BoltzmannGenerator, boltzmannGenerator, continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { dopri5, rk4 } from '../../src/integrators/index.js';
import { withFewestSteps } from '../../src/sampling/index.js';
import { STEP_COUNTS } from '../../src/sampling/step-choice-tasks.js';
import { openPool, untrained } from './generators.js';

/** A flow that moves samples far. */
function louder(factor: number): BoltzmannGenerator {
  const { target, flow } = untrained();
  const { parameters } = flow.field;
  const weights = parameters.weights.map((value) => factor * value);
  return boltzmannGenerator(target, {
    ...flow,
    field: flow.field.withParameters({ ...parameters, weights }),
    integrator: rk4(20),
  });
}

/** What 99 % of errors of log q stay below, on samples of our own and against an adaptive solution at tight tolerance. */
function errorOf({ flow }: BoltzmannGenerator, steps: number): number {
  const n = 2000;
  const { x, logQ } = prepareFlow(continuousFlow(flow.prior, flow.field, rk4(steps)), 'f64').sample(77, 0, n);
  const tight = dopri5({ rtol: 1e-9, atolLogDet: 1e-8, maxSteps: 100_000 });
  const exact = prepareFlow(continuousFlow(flow.prior, flow.field, tight), 'f64').logProb(x, n);
  return exact.map((value, s) => Math.abs(value - logQ[s])).sort()[Math.ceil(0.99 * n) - 1];
}

test('the steps chosen are the fewest that are right, on other samples too', async (t) => {
  const pool = openPool(t, 1);
  for (const factor of [40, 80]) {
    const generator = louder(factor);
    const { generator: chosen, choice } = await withFewestSteps(generator, { seed: 1 }, pool);
    t.deepEqual(chosen.flow.integrator, rk4(choice.steps));
    t.deepEqual(chosen.flow.field.parameters, generator.flow.field.parameters);
    t.true(choice.error <= choice.tolerance);
    const fewer = STEP_COUNTS[STEP_COUNTS.indexOf(choice.steps) - 1];
    const [at, below] = [errorOf(generator, choice.steps), errorOf(generator, fewer)];
    t.log(`${factor}: ${choice.steps} steps ${at.toExponential(1)}, ${fewer} steps ${below.toExponential(1)}`);
    // The quantile of 512 samples is that of 2000 within a fifth or so.
    t.true(Math.abs(Math.log(at / choice.error)) < 0.5, `${at} ${choice.error}`);
    t.true(below > choice.tolerance / 1.5);
  }
});

test('a smaller error takes more steps, and the same seed gives the same answer', async (t) => {
  const pool = openPool(t, 2);
  const generator = louder(40);
  const choices = [];
  for (const tolerance of [1e-1, 1e-2, 1e-3, 1e-3]) {
    choices.push((await withFewestSteps(generator, { seed: 3, tolerance }, pool)).choice);
  }
  const [a, b, c, d] = choices;
  t.true(a.steps < b.steps && b.steps < c.steps, `${choices.map(({ steps }) => steps)}`);
  t.deepEqual(c, d);
});

test('where no number of steps will do, the most are taken and the error says so', async (t) => {
  const pool = openPool(t, 1);
  const { choice } = await withFewestSteps(louder(40), { seed: 1, tolerance: 1e-15 }, pool);
  t.is(choice.steps, Math.max(...STEP_COUNTS));
  t.true(choice.error > 1e-15);
});

test('a tolerance that nothing can meet is refused', async (t) => {
  const pool = openPool(t, 1);
  for (const tolerance of [0, -1, Number.NaN]) {
    await t.throwsAsync(withFewestSteps(louder(1), { seed: 1, tolerance }, pool), { message: /tolerance is/ });
  }
});
