import test from 'ava';
import { ADAM, adamState, adamUpdate, TRAINING_DEFAULTS } from '../../src/training/index.js';
import { learningRateAt } from '../../src/training/options.js';

test('Adam takes the two steps that were computed by hand', (t) => {
  const parameters = { p: Float64Array.of(1, -2), frozen: Float64Array.of(7) };
  const state = adamState(parameters, ['p']);
  adamUpdate(parameters, { p: Float64Array.of(0.5, 0), frozen: Float64Array.of(9) }, state, 0.1, ADAM);
  // m = 0.05, v = 0.00025; unbiased 0.5 and 0.25: a step of 0.1·0.5/(0.5 + 1e-8)
  t.true(Math.abs(parameters.p[0] - 0.900000002) < 1e-15);
  t.is(parameters.p[1], -2, 'no gradient, no step');
  adamUpdate(parameters, { p: Float64Array.of(-0.25, 0), frozen: Float64Array.of(9) }, state, 0.1, ADAM);
  // m = 0.02, v = 0.00031225; unbiased 0.02/0.19 and 0.00031225/0.001999: a step of 0.1·0.1052631579/0.3952253806
  t.true(Math.abs(parameters.p[0] - (0.900000002 - 0.026633704)) < 1e-9, `${parameters.p[0]}`);
  t.deepEqual([...parameters.frozen], [7], 'groups without moments are left alone');
  t.is(state.updates, 2);
});

test('weight decay is decoupled: it shrinks parameters whatever their gradients', (t) => {
  const parameters = { p: Float64Array.of(2) };
  const state = adamState(parameters, ['p']);
  adamUpdate(parameters, { p: Float64Array.of(0) }, state, 0.1, { ...ADAM, weightDecay: 0.5 });
  t.true(Math.abs(parameters.p[0] - 2 * (1 - 0.1 * 0.5)) < 1e-15);
});

test('the learning rate warms up linearly and falls along a cosine to a hundredth', (t) => {
  const options = { ...TRAINING_DEFAULTS, seed: 1, steps: 1000, warmUpSteps: 10, learningRate: 1 };
  t.true(Math.abs(learningRateAt(0, options) - 0.1) < 1e-5);
  t.true(Math.abs(learningRateAt(500, options) - 0.505) < 1e-12);
  t.true(Math.abs(learningRateAt(1000, options) - 0.01) < 1e-12);
  const constant = { ...options, schedule: 'constant' as const };
  t.deepEqual(
    [0, 4, 9, 10, 999].map((step) => learningRateAt(step, constant)),
    [0.1, 0.5, 1, 1, 1],
  );
  t.is(learningRateAt(0, { ...constant, warmUpSteps: 0 }), 1);
});
