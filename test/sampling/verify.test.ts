import test from 'ava';
import { type BoltzmannGenerator, boltzmannGenerator, continuousFlow, prepareFlow } from '../../src/flows/index.js';
import { dopri5, type Integrator, rk4 } from '../../src/integrators/index.js';
import { logProb, sample, verifySamples } from '../../src/sampling/index.js';
import { openPool, untrained } from './generators.js';

function generatorWith(integrator: Integrator): BoltzmannGenerator {
  const { target, flow } = untrained();
  const { parameters } = flow.field;
  const louder = flow.field.withParameters({ ...parameters, weights: parameters.weights.map((value) => 40 * value) });
  return boltzmannGenerator(target, continuousFlow(flow.prior, louder, integrator));
}

test('a coarse integrator is found out, a fine one is not accused', async (t) => {
  const pool = openPool(t, 2);
  const verify = (integrator: Integrator, precision: 'f32' | 'f64' = 'f64') =>
    verifySamples(generatorWith(integrator), { n: 3000, seed: 1, precision, m: 200 }, pool);
  const [coarse, usual, single] = [await verify(rk4(2)), await verify(rk4(20)), await verify(rk4(20), 'f32')];
  const adaptive = await verify(dopri5({ rtol: 1e-7 }));
  t.log([coarse, usual, single, adaptive].map(({ logQ }) => logQ.rms.toExponential(1)).join(', '));
  t.not(coarse.status.verdict, 'negligible');
  t.true(coarse.logQ.rms > 100 * usual.logQ.rms);
  for (const found of [usual, single, adaptive]) t.is(found.status.verdict, 'negligible');
  t.true(adaptive.logQ.max < 1e-4 && adaptive.forward.x.max < 1e-5);
  // f32 rounds where f64 does not.
  t.true(single.forward.x.rms > 1e-8 && single.logQ.rms < 1e-3);
  for (const found of [coarse, usual, single, adaptive]) {
    t.is(found.samples, 200);
    t.true(found.referenceError < 1e-6, `${found.referenceError}`);
  }
});

test('the errors are those of the samples that sample gives', async (t) => {
  const pool = openPool(t, 2);
  const generator = generatorWith(rk4(5));
  const n = 60;
  const options = { n, seed: 9, first: 100, precision: 'f64' as const };
  const set = await sample(generator, options, pool);
  // m = n: every sample, so that the subset is known.
  const found = await verifySamples(generator, { ...options, m: 5000 }, pool);
  t.is(found.samples, n);
  const exact = await logProb(generatorWith(rk4(400)), set.x as Float64Array, n, pool);
  const errors = set.logQ.map((value, s) => value - exact[s]);
  const rms = Math.sqrt(errors.reduce((sum, value) => sum + value * value, 0) / n);
  t.true(Math.abs(found.logQ.rms - rms) < 1e-6);
  t.true(Math.abs(found.logQ.max - Math.max(...errors.map(Math.abs))) < 1e-6);
  const fine = prepareFlow(generatorWith(rk4(400)).flow).sample(9, 100, n);
  const forward = set.logQ.reduce((sum, value, s) => sum + (value - fine.logQ[s]), 0) / n;
  t.true(Math.abs(found.forward.logQ.mean - forward) < 1e-6);
  let squares = 0;
  for (const [c, value] of fine.x.entries()) squares += (set.x[c] - value) ** 2;
  t.true(Math.abs(found.forward.x.rms - Math.sqrt(squares / fine.x.length)) < 1e-8);
  const logSum = (values: Float64Array) => Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
  const shift = logSum(set.logWeight.map((value, s) => value + errors[s])) - logSum(set.logWeight);
  t.true(Math.abs(found.logZShift - shift) < 1e-6);
});

test('the subset and its errors depend on the seed alone', async (t) => {
  const generator = generatorWith(dopri5({ rtol: 1e-3 }));
  const options = { n: 10_000, seed: 4, precision: 'f32' as const, m: 600 };
  const found = await verifySamples(generator, options, openPool(t, 1));
  t.deepEqual(await verifySamples(generator, options, openPool(t, 2)), found);
  t.notDeepEqual((await verifySamples(generator, { ...options, seed: 5 }, openPool(t, 2))).logQ, found.logQ);
});

test('adaptive samples are the same for any number of workers, and their work is counted', async (t) => {
  const generator = generatorWith(dopri5({ rtol: 1e-4 }));
  const counted: number[] = [];
  const sets = [];
  for (const workers of [1, 2]) {
    let evaluations = 0;
    const onIntegration = (done: { evaluations: number }) => {
      evaluations += done.evaluations;
    };
    sets.push(await sample(generator, { n: 9000, seed: 2, onIntegration }, openPool(t, workers)));
    counted.push(evaluations);
  }
  t.deepEqual(sets[0], sets[1]);
  t.is(counted[0], counted[1]);
  t.true(counted[0] > 9000 * 13);
});
