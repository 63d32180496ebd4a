import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { chooseShards, MAX_TASKS, type ShardChoiceInput } from '../../src/cluster/shard-choice.js';
import { UsageError } from '../../src/errors.js';
import { equiflow } from '../cli/command-line.js';
import { MODEL_BYTES, ownFolder } from './runs.js';

const INPUT: ShardChoiceInput = {
  units: 1e8,
  unit: 'samples',
  grain: 32768,
  unitBytes: 56,
  rate: 1e4,
  threads: 4,
  minutes: 10,
};

const choose = (input: Partial<ShardChoiceInput> = {}) => chooseShards({ ...INPUT, ...input });

test('a shard computes for at most the minutes asked for, and not much less', (t) => {
  const units = 1e9;
  for (const minutes of [1, 10, 60]) {
    const { shards, seconds } = choose({ units, minutes, unitBytes: 1 });
    t.true(seconds <= 60 * minutes + 1, `${seconds}`);
    // With one shard fewer, one of them would take longer than that.
    const grains = Math.ceil(Math.ceil(units / INPUT.grain) / (shards - 1));
    t.true((grains * INPUT.grain) / (INPUT.rate * INPUT.threads) > 60 * minutes);
  }
  t.true(choose({ threads: 8 }).shards < choose().shards);
});

test('no shard is smaller than the grain, and a short run is one shard', (t) => {
  t.is(choose({ units: 32768 * 5, rate: 1e-3 }).shards, 5);
  t.regex(choose({ units: 32768 * 5, rate: 1e-3 }).text, /smallest shard has 32768 samples/);
  t.is(choose({ units: 1000 }).shards, 1);
  t.is(choose({ units: 1000 }).units, 1000);
});

test('an array has at most 1000 tasks, which then take longer, and the text says why', (t) => {
  const { shards, seconds, text } = choose({ units: 1e9, rate: 100 });
  t.is(shards, MAX_TASKS);
  t.true(seconds > 600);
  t.regex(text, /1000 tasks/);
});

test('files have at most 2 GB', (t) => {
  const { bytes, text } = choose({ rate: 1e7, unitBytes: 1344 });
  t.true(bytes <= 2e9 && bytes > 1.5e9, `${bytes}`);
  t.regex(text, /at most 2 GB/);
});

test('the text tells what was chosen and from which measurement', (t) => {
  const { shards, text } = choose();
  t.true(text.startsWith(`${shards} shards, each at most `));
  t.regex(text, /on 4 threads and [\d.]+ GB \(10000 samples a second and thread measured here\)$/);
});

test('nonsense is refused by its name', (t) => {
  for (const name of ['minutes', 'threads', 'rate'] as const) {
    for (const bad of [0, -1, Number.NaN]) {
      t.throws(() => choose({ [name]: bad }), { instanceOf: UsageError, message: new RegExp(name) });
    }
  }
});

test('a plan without --shards measures, chooses and says so', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'model.safetensors'), MODEL_BYTES);
  const plan = (line: string) => equiflow(folder, ['plan', 'sample', 'model.safetensors', ...line.split(' ')]);
  // More than 1000 shards would be needed on any machine that is slower than 10⁹ samples a second.
  const { stdout } = await plan('-n 100000000 --minutes 0.000001 --threads 1 --out many --json');
  const { shards, choice } = JSON.parse(stdout);
  t.is(shards, MAX_TASKS);
  t.is(choice.units, 100_000);
  t.true(choice.seconds > 0);
  t.regex((await plan('-n 10 --out few')).stdout, /^few: 10 samples in 1 shard, .* on 4 threads .* measured here\)\n$/);
  const both = await plan('-n 10 --shards 2 --minutes 1 --out x');
  t.is(both.code, 2);
  t.regex(both.stderr, /--minutes/);
});
