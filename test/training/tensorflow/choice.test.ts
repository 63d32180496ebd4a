import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { UnavailableError, UsageError } from '../../../src/errors.js';
import { initialDenseField } from '../../../src/fields/index.js';
import { decodeModel } from '../../../src/flows/index.js';
import { systemFromSpec } from '../../../src/systems/index.js';
import { chooseEngine, ENGINE_NAMES, initialFieldFor, stepWork, surveyEngines } from '../../../src/training/index.js';
import { equiflow, ownFolder, succeeds } from '../../cli/command-line.js';

const survey = await surveyEngines();

test('every engine is known, and says what was found or how to get it', (t) => {
  t.deepEqual(survey.map(({ name }) => name).sort(), [...ENGINE_NAMES].sort());
  for (const { name, available, reason } of survey) t.regex(reason, available ? /\S/ : /To get it: |no GPU/, name);
});

test('an engine asked for by name is that one or an error, never another', async (t) => {
  for (const { name, available, reason } of survey) {
    if (available) t.is((await chooseEngine(name)).name, name);
    else {
      const error = await t.throwsAsync(chooseEngine(name), { instanceOf: UnavailableError });
      t.is(error?.message, `engine ${name}: ${reason}`);
    }
  }
});

test('small batches are not sent to a GPU, whatever else there is', async (t) => {
  const { name, reason } = await chooseEngine('auto', {
    work: stepWork(initialFieldFor(systemFromSpec('dw4'), 1), 256),
  });
  t.is(name, 'kernels');
  t.regex(reason, /tensorflow-gpu passed over: 1536 pairs or weights in a batch/);
  t.is(stepWork(initialDenseField(4, 2, { seed: 1, hidden: 10 }), 3), 240);
});

test('f64 is had from the kernels alone', async (t) => {
  const { name, reason } = await chooseEngine('auto', { precision: 'f64' });
  t.is(name, 'kernels');
  t.regex(reason, /tensorflow-gpu passed over: no f64/);
  t.is((await chooseEngine('kernels', { precision: 'f64' })).name, 'kernels');
  for (const engine of ['tensorflow-gpu', 'tensorflow', 'wasm', 'cpu'] as const) {
    await t.throwsAsync(chooseEngine(engine, { precision: 'f64' }), {
      instanceOf: UsageError,
      message: /expected f32/,
    });
  }
});

test('without a limit the first engine in order of preference is taken', async (t) => {
  const { name, reason } = await chooseEngine('auto');
  t.is(name, survey.find(({ available }) => available)!.name);
  t.regex(reason, /\S/);
});

test('train takes the engine that is asked for, and records it', async (t) => {
  const engine = survey.find(({ name, available }) => available && name === 'wasm') ?? survey.find((e) => e.available)!;
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw4 -n 40 --seed 1 --out data.npz --quiet');
  const line = 'train dw4 --data data.npz --steps 3 --batch 8 --integrator-steps 3 --quiet --out model.safetensors';
  await succeeds(t, folder, `${line} --engine ${engine.name}`);
  const { training } = decodeModel(await readFile(join(folder, 'model.safetensors')), 'model');
  t.deepEqual((training as { engine: unknown }).engine, {
    name: engine.name,
    reason: `asked for by name; ${engine.reason}`,
  });
});

test('train ends with 69 where the engine is absent, before anything is written', async (t) => {
  const absent = survey.find(({ available }) => !available);
  if (absent === undefined) {
    t.log('this machine has every engine');
    t.pass();
    return;
  }
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw4 -n 40 --seed 1 --out data.npz --quiet');
  const line = `train dw4 --data data.npz --steps 3 --out model.safetensors --engine ${absent.name}`;
  const { code, stderr } = await equiflow(folder, line.split(' '));
  t.is(code, 69);
  t.true(stderr.endsWith(`equiflow: engine ${absent.name}: ${absent.reason}\n`), stderr);
  await t.throwsAsync(readFile(join(folder, 'model.safetensors')));
});
