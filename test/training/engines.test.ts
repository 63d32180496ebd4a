import test from 'ava';
import { UsageError } from '../../src/errors.js';
import { initialKernelField, type ParameterSet, uniformBasis } from '../../src/fields/index.js';
import { chooseEngine, type EngineChoice, FlowGradients, KernelsEngine } from '../../src/training/index.js';
import { flowThrough } from '../fields/reference-fields.js';
import { randomSource } from '../twin/random.js';

test('an engine is chosen with its reason, and one that nobody knows is refused by name', async (t) => {
  const { name, reason } = await chooseEngine('kernels');
  t.is(name, 'kernels');
  t.regex(reason, /asked for by name; WASM SIMD kernels/);
  t.regex((await chooseEngine('auto')).reason, /\S/);
  await t.throwsAsync(() => chooseEngine('abacus' as EngineChoice), { instanceOf: UsageError, message: /abacus/ });
});

test('an engine computes with the parameters it was last given, at any number of steps, and keeps none of theirs', async (t) => {
  const field = initialKernelField(3, 2, uniformBasis(10, 6, 0.7), { seed: 1, weightScale: 1 });
  const flow = flowThrough(field, 4);
  const engine = new KernelsEngine({ flow, precision: 'f64' });
  const x = randomSource(2).normals(6 * 5);
  const moved = { ...field.parameters, weights: field.parameters.weights.map((w) => 1.1 * w) };
  const expected = (parameters: ParameterSet, steps: number) =>
    new FlowGradients(flowThrough(field.withParameters(parameters), steps)).nll(x, 5);
  t.is(engine.nll(x, 5, 4), expected({ ...moved, weights: field.parameters.weights }, 4));
  engine.update(moved);
  const wanted = [4, 6].map((steps) => expected(moved, steps));
  moved.weights.fill(0);
  t.deepEqual(
    [4, 6].map((steps) => engine.nll(x, 5, steps)),
    wanted,
  );
  t.deepEqual(engine.nllGradient(x, 5, 6, 0).loss, wanted[1]);
});
