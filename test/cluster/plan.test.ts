import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { openSampleJob, planSamples, type SampleTask } from '../../src/cluster/jobs/sample-job.js';
import {
  evenBoundaries,
  makePlan,
  type Plan,
  readRun,
  shardIndices,
  shardRange,
  writeRun,
} from '../../src/cluster/plan.js';
import { DataError, InputError, OutputError, UsageError } from '../../src/errors.js';
import { encodeModel } from '../../src/flows/index.js';
import { untrained } from '../sampling/generators.js';
import { GENERATOR, ownFolder, planRun, TASK } from './runs.js';

test('shards cover every unit once, begin at grains, and differ by one grain at most', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.constantFrom(1, 32, 4096),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (units, grain, share) => {
        const grains = Math.ceil(units / grain);
        const shards = Math.min(1000, 1 + Math.floor(share * (grains - 1)));
        const ends = evenBoundaries(units, shards, grain, 'samples');
        const sizes = ends.slice(1).map((end, k) => Math.ceil((end - ends[k]) / grain));
        return (
          ends.length === shards + 1 &&
          ends[0] === 0 &&
          ends[shards] === units &&
          ends.slice(0, -1).every((end) => end % grain === 0) &&
          Math.min(...sizes) >= 1 &&
          Math.max(...sizes) - Math.min(...sizes) <= 1
        );
      },
    ),
  );
  t.pass();
});

test('the last sample of a large run is in a shard', (t) => {
  // Products of these are no integers that a number holds.
  for (const [units, shards] of [
    [999_302_698_458, 670_449],
    [1e12, 1e6],
    [1e12 - 1, 1e6 - 1],
  ]) {
    const ends = evenBoundaries(units, shards, 1, 'samples');
    t.is(ends.at(-1), units);
    t.true(ends.every((end, k) => k === 0 || end - ends[k - 1] <= Math.ceil(units / shards)));
  }
});

test('more shards than there are grains are refused', (t) => {
  const error = t.throws(() => evenBoundaries(64, 17, 4, 'chains'), { instanceOf: UsageError });
  t.is(
    error?.message,
    'plan: 17 shards of 64 chains, expected an integer from 1 to 16, since shards begin at multiples of 4 chains',
  );
  for (const shards of [0, -1, 1.5, Number.NaN]) t.throws(() => evenBoundaries(64, shards, 1, 'samples'));
});

test('an index is a place in the plan, from its first index on', (t) => {
  for (const firstIndex of [0, 1]) {
    const plan = planSamples(GENERATOR, { ...TASK, n: 10 }, { shards: 3, firstIndex });
    const ranges = shardIndices(plan).map((index) => shardRange(plan, index));
    t.deepEqual(ranges, [
      { first: 0, n: 3 },
      { first: 3, n: 3 },
      { first: 6, n: 4 },
    ]);
    for (const index of [firstIndex - 1, firstIndex + 3, 0.5, '1' as unknown as number]) {
      t.throws(() => shardRange(plan, index), { instanceOf: UsageError, message: /no such shard, expected an index/ });
    }
  }
  for (const firstIndex of [-1, 2, 0.5, Number.NaN]) {
    t.throws(() => planSamples(GENERATOR, TASK, { shards: 3, firstIndex }), {
      instanceOf: UsageError,
      message: `plan: firstIndex is ${firstIndex}, expected 0 or 1`,
    });
  }
  const plan = planSamples(GENERATOR, { ...TASK, n: 10 }, { shards: 3 });
  t.throws(() => shardRange(plan, 3), { message: /counts from 1, plan with --first-index 1$/ });
});

test('a plan reads back from its folder or its file; equal plans have equal hashes, others have others', async (t) => {
  const folder = await ownFolder(t);
  const { run } = await planRun(folder, 'run', 4);
  t.deepEqual((await readRun(join(folder, 'run', 'plan.json'))).plan, run.plan);
  const same = planSamples(GENERATOR, TASK, { shards: 4 });
  t.is(same.hash, run.plan.hash);
  const others = [
    planSamples(GENERATOR, TASK, { shards: 5 }),
    planSamples(GENERATOR, TASK, { shards: 4, firstIndex: 1 }),
    planSamples(untrained(9), TASK, { shards: 4 }),
    ...[{ seed: 6 }, { first: 78 }, { n: 50_004 }, { precision: 'f64' as const }, { model: 'another' }].map((change) =>
      planSamples(GENERATOR, { ...TASK, ...change }, { shards: 4 }),
    ),
  ];
  t.is(new Set([run.plan.hash, ...others.map(({ hash }) => hash)]).size, others.length + 1);
});

test('a plan that was changed is refused, whatever was changed', async (t) => {
  const folder = await ownFolder(t);
  await planRun(folder, 'run', 3);
  const path = join(folder, 'run', 'plan.json');
  const text = await readFile(path, 'utf8');
  const refused = async (changed: string, message: RegExp) => {
    await writeFile(path, changed);
    const error = await t.throwsAsync(readRun(path), { instanceOf: DataError, message }, changed);
    t.true(error!.message.startsWith(path));
  };
  for (const [before, after] of [
    ['"seed": 5', '"seed": 6'],
    ['"steps": 8', '"steps": 9'],
    ['[0, 16667', '[0, 16668'],
    ['"firstIndex": 0', '"firstIndex": 1'],
    ['"job": "sample"', '"job": "simulate"'],
  ]) {
    t.true(text.includes(before));
    await refused(text.replace(before, after), /it was changed$/);
  }
  await refused(
    text.replace(/"equiflow": "[^"]+"/, '"equiflow": "0.0.1"'),
    /a plan of version 1 of equiflow "0\.0\.1"/,
  );
  await refused(
    text.replace('equiflow plan', 'equiflow samples'),
    /kind is "equiflow samples", expected 'equiflow plan'/,
  );
  await refused(text.slice(0, -10), /not valid JSON/);
  await refused('null', /kind is none/);
});

test('a plan whose hash is right and whose ranges make no sense is refused', async (t) => {
  const folder = await ownFolder(t);
  const { run } = await planRun(folder, 'run', 3);
  for (const [k, change] of [
    { boundaries: [0, 5, 5, 10] },
    { boundaries: [1, 5] },
    { boundaries: [0] },
    { block: 0 },
    { firstIndex: 2 },
    { job: 'train' as 'sample' },
  ].entries()) {
    const path = join(folder, `bad-${k}`);
    await writeRun(path, makePlan({ ...run.plan, ...change }));
    await t.throwsAsync(readRun(path), { instanceOf: DataError, message: /expected/ }, JSON.stringify(change));
  }
});

test('a plan whose hash is right and whose task or cut is not that of its job is refused by file, field, value and expectation', async (t) => {
  const { run } = await planRun(await ownFolder(t), 'run', 3);
  const { plan } = run;
  const task = plan.task as SampleTask;
  const cases: [Partial<Plan>, RegExp][] = [
    [{ task: null }, /task is null, expected an object$/],
    [{ task: { ...task, seed: '5' } }, /task\.seed is "5", expected a number$/],
    [{ task: { ...task, precision: 'f16' } }, /task\.precision is "f16", expected "f32" or "f64"$/],
    [{ task: { ...task, n: 0.5 } }, /task: sample: n is 0\.5, expected a positive integer$/],
    [
      { task: { ...task, integrator: { kind: 'euler' } } },
      /task: integrator\.kind is "euler", expected "rk4" or "dopri5"$/,
    ],
    [{ boundaries: [0, 50_002] }, /boundaries end at 50002, expected the 50003 samples of the task$/],
    [{ block: 1e12 }, /block is 1000000000000, expected 32768$/],
  ];
  for (const [change, message] of cases) {
    const error = await t.throwsAsync(openSampleJob({ ...run, plan: makePlan({ ...plan, ...change }) }), {
      instanceOf: DataError,
      message,
    });
    t.true(error!.message.startsWith(join(run.folder, 'plan.json: ')));
  }
});

test('a run without its plan, or with another model, says so; a folder with files in it is not planned into', async (t) => {
  const folder = await ownFolder(t);
  const { run } = await planRun(folder, 'run', 3);
  await t.throwsAsync(planRun(folder, 'run', 3), { instanceOf: OutputError, message: /holds other files/ });
  await writeFile(join(run.folder, 'model.safetensors'), encodeModel(untrained(9)));
  await t.throwsAsync(openSampleJob(run), {
    instanceOf: DataError,
    message: /model\.safetensors: its SHA-256 is .*, the plan has/,
  });
  await rm(join(run.folder, 'plan.json'));
  await t.throwsAsync(readRun(run.folder), { instanceOf: InputError, message: /plan\.json/ });
});
