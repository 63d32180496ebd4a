// No plan, manifest or data file crashes or hangs a run, even where a program has computed the right hash of nonsense.

import { readFile, writeFile } from 'node:fs/promises';
import test from 'ava';
import fc from 'fast-check';
import type { Job } from '../../src/cluster/job.js';
import { openReweightJob, type ReweightTask } from '../../src/cluster/jobs/reweight-job.js';
import { planSamples, sampleJobOf } from '../../src/cluster/jobs/sample-job.js';
import { openSimulateJob, planSimulation } from '../../src/cluster/jobs/simulate-job.js';
import { decodePlan, makePlan, type Plan, type Run, shardIndices } from '../../src/cluster/plan.js';
import { shardLayout, shardPaths, shardState } from '../../src/cluster/shard-files.js';
import { shardBlocks } from '../../src/cluster/stored-blocks.js';
import { DataError } from '../../src/errors.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { VERSION } from '../../src/version.js';
import { doShards, GENERATOR, MODEL_BYTES, ownFolder, planRun, TASK } from '../cluster/runs.js';
import { openPool } from '../sampling/generators.js';
import { disturbed, mutated } from './mutations.js';
import { survives } from './survival.js';

const REWEIGHTING: ReweightTask = {
  source: null,
  paths: { logQ: '/data/q.npy', energy: '/data/samples.h5:energy', arrays: { charge: '/data/s.npy' } },
  files: [{ path: '/data/q.npy', bytes: 80_128, modified: '2026-01-02T03:04:05.678Z', sha256: 'ab' }],
  n: 10_000,
  kT: 1,
  system: { name: 'dw4' },
  averages: ['charge'],
  profiles: [{ coordinate: 'charge', reference: 0.5 }],
  axes: [{ min: 0, max: 1, bins: 50 }],
  states: ['charge<0.5', '0.5<=charge'],
};

const PLANS: Readonly<Record<Plan['job'], Plan>> = {
  sample: planSamples(GENERATOR, TASK, { shards: 3 }),
  simulate: planSimulation(systemFromSpec('dw4'), { n: 1000, seed: 1, chains: 96 }, { shards: 3 }),
  reweight: makePlan({
    job: 'reweight',
    task: REWEIGHTING,
    block: 4096,
    firstIndex: 1,
    boundaries: [0, 4096, 10_000],
  }),
};

function open(run: Run): Job {
  switch (run.plan.job) {
    case 'sample':
      return sampleJobOf(run, MODEL_BYTES);
    case 'simulate':
      return openSimulateJob(run);
    case 'reweight':
      return openReweightJob(run);
  }
}

/** Whatever a status looks at, of the first and the last shard. */
function opened(bytes: Uint8Array): void {
  const run = { folder: 'run', plan: decodePlan(bytes, 'run/plan.json') };
  const job = open(run);
  const indices = shardIndices(run.plan);
  for (const index of [indices[0], indices[indices.length - 1]]) {
    const { blocks, counts } = shardLayout(run, job, index);
    counts(blocks - 1);
  }
}

const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value) ?? '');

/** A plan file whose hash is right. */
function hashed(facts: Omit<Plan, 'hash'>): Uint8Array {
  const { hash, ...content } = makePlan(facts);
  return encoded({ kind: 'equiflow plan', version: 1, equiflow: VERSION, ...content, hash });
}

test('plans of any bytes, their hash put right where there is one', (t) => {
  const bytes = mutated(Object.values(PLANS).map(hashed)).map((changed) => {
    try {
      return hashed(JSON.parse(new TextDecoder().decode(changed)));
    } catch {
      return changed;
    }
  });
  survives(t, bytes, opened);
});

for (const { hash: _, ...facts } of Object.values(PLANS)) {
  test(`plans of ${facts.job} that say what they like`, (t) => {
    const task = disturbed([facts.task]).map((task) => ({ ...facts, task }));
    const values = fc.oneof({ weight: 3, arbitrary: task }, disturbed([facts]));
    survives(t, values, (value) => opened(hashed({ ...facts, ...(value as object) })));
  });
}

/** Changed files of each kind; each is read from the disk. */
const FILES = 300;

for (const which of ['manifest', 'data'] as const) {
  test(`${which} files of shards with any bytes`, async (t) => {
    const { run, job } = await planRun(await ownFolder(t), 'run', 2, { n: 40 });
    await doShards({ run, job }, openPool(t, 1), [1]);
    const path = shardPaths(run, 1)[which];
    const sound = await readFile(path);
    const met = { sound: 0, refused: 0 };
    for (const bytes of fc.sample(mutated([sound]), { numRuns: FILES, seed: 7 })) {
      await writeFile(path, bytes);
      const state = await shardState(run, job, 1);
      if (state.state !== 'done') {
        t.regex('reason' in state ? state.reason : '', /^[^\n\r]{1,1000}$/);
        met.refused++;
        continue;
      }
      try {
        for await (const { arrays } of shardBlocks(run, job, 1, state.manifest)) t.is(arrays.logQ.length, 20);
        // What is read is what was written.
        if (which === 'data') t.deepEqual(Buffer.from(bytes), sound);
        met.sound++;
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        t.regex(error.message, /^[^\n\r]{1,1000}$/);
        met.refused++;
      }
    }
    t.true(met.refused >= FILES / 3, `${met.sound} sound, ${met.refused} refused`);
  });
}
