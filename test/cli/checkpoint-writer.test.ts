import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { CheckpointWriter } from '../../src/cli/checkpoint-writer.js';
import { TrainingLog } from '../../src/cli/training-log.js';
import { decodeCheckpoint } from '../../src/training/index.js';
import { initialState } from '../../src/training/state.js';
import { ownFolder } from '../own-folder.js';

const CONTEXT = { model: 'm', data: 'd', options: { seed: 1 } };
const STATE = initialState({ weights: Float64Array.of(1, 2) }, [], false);

test('a checkpoint is never ahead of the training record', async (t) => {
  const path = join(await ownFolder(t), 'checkpoint');
  let record = () => {};
  const recorded = new Promise<void>((resolve) => {
    record = resolve;
  });
  const checkpoints = new CheckpointWriter(path, CONTEXT, () => recorded);
  checkpoints.offer(STATE);
  // Many times what a checkpoint of two numbers takes.
  await delay(300);
  t.false(existsSync(path));
  record();
  await checkpoints.finish();
  t.deepEqual(decodeCheckpoint(await readFile(path), path, CONTEXT).parameters, STATE.parameters);
});

test('what a training record has been told is in its file when it says so', async (t) => {
  const path = join(await ownFolder(t), 'training.jsonl');
  const log = await TrainingLog.open(path);
  const step = { loss: 2, terms: { nll: 2 }, gradientNorm: 1, learningRate: 0.1, ms: 1 };
  const lines = async () =>
    (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).step);
  await log.written();
  t.false(existsSync(path), 'a record begins with its first line');
  log.steps([1, 2, 3].map((number) => ({ ...step, step: number })));
  await log.written();
  t.deepEqual(await lines(), [1, 2, 3]);
  log.steps([{ ...step, step: 4 }]);
  await log.written();
  t.deepEqual(await lines(), [1, 2, 3, 4]);
  await log.close();
});
