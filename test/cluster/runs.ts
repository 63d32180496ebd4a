import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Job } from '../../src/cluster/job.js';
import {
  MODEL,
  openSampleJob,
  planSamples,
  type SampleJob,
  type SampleTask,
} from '../../src/cluster/jobs/sample-job.js';
import { type Run, readRun, shardIndices, writeRun } from '../../src/cluster/plan.js';
import { runShard } from '../../src/cluster/shard.js';
import { arraysChecksum, manifestText, shardLayout, shardPaths } from '../../src/cluster/shard-files.js';
import { InterruptedError } from '../../src/errors.js';
import { encodeModel } from '../../src/flows/index.js';
import { bytesOf } from '../../src/formats/element-writer.js';
import { decodeSafetensors, sha256 } from '../../src/formats/index.js';
import { encodeNpyHeader } from '../../src/formats/npy-header.js';
import type { WorkerPool } from '../../src/workers/index.js';
import { openPool, untrained } from '../sampling/generators.js';

export { ownFolder } from '../own-folder.js';

export const GENERATOR = untrained();
export const MODEL_BYTES = encodeModel(GENERATOR);

export const TASK: Omit<SampleTask, 'integrator'> = {
  model: sha256(MODEL_BYTES),
  seed: 5,
  first: 77,
  n: 50_003,
  precision: 'f32',
  arithmetic: 'strict',
};

export interface SampleRun {
  readonly run: Run;
  readonly job: SampleJob;
}

/** A planned run of sampling in `<folder>/<name>`. */
export async function planRun(
  folder: string,
  name: string,
  shards: number,
  task: Partial<typeof TASK> = {},
): Promise<SampleRun> {
  const path = join(folder, name);
  await writeRun(path, planSamples(GENERATOR, { ...TASK, ...task }, { shards }), new Map([[MODEL, MODEL_BYTES]]));
  return openRun(path);
}

export async function openRun(path: string): Promise<SampleRun> {
  const run = await readRun(path);
  return { run, job: await openSampleJob(run) };
}

/** Does shards, all by default. */
export async function doShards(
  { run, job }: { run: Run; job: Job },
  pool: WorkerPool,
  indices = shardIndices(run.plan),
): Promise<void> {
  for (const index of indices) await runShard(run, job, index, { pool });
}

/** Runs a shard until so many blocks are written, and interrupts it then, as a signal does. */
export async function interruptShard(
  t: ExecutionContext,
  { run, job }: { run: Run; job: Job },
  index: number,
  blocks: number,
): Promise<void> {
  const controller = new AbortController();
  const halting: Job = {
    ...job,
    async *blocks(range, context) {
      let done = 0;
      for await (const block of job.blocks(range, context)) {
        // What was handed out before is written when the next is asked for.
        if (done++ === blocks) controller.abort();
        yield block;
      }
    },
  };
  const context = { pool: openPool(t, 1), signal: controller.signal };
  await t.throwsAsync(runShard(run, halting, index, context), { instanceOf: InterruptedError });
}

/** Changes the data of a shard's first element of an array, and all checksums with it: a program that computes wrongly. */
export async function forge(
  { run, job }: { run: Run; job: Job },
  index: number,
  name: string,
  value: number,
): Promise<void> {
  const { data, manifest } = shardPaths(run, index);
  const layout = shardLayout(run, job, index);
  const { tensors, header } = layout;
  const bytes = await readFile(data);
  const at = header.starts[tensors.findIndex((tensor) => tensor.name === name)];
  if (name === 'x') bytes.writeFloatLE(value, at);
  else bytes.writeDoubleLE(value, at);
  await writeFile(data, bytes);
  const stored = decodeSafetensors(bytes, data).tensors;
  // A shard of one block, whose checksum is that of its arrays.
  const arrays = Object.fromEntries(
    tensors.map(({ name, type }) => {
      const { data } = stored.get(name)!;
      return [name, type === '<f4' ? Float32Array.from(data) : data];
    }),
  );
  const digest = (name: string) => {
    const { type, shape } = tensors.find((tensor) => tensor.name === name)!;
    return sha256(Buffer.concat([encodeNpyHeader(type, shape), bytesOf(arrays[name])]));
  };
  await writeFile(manifest, manifestText(run, index, layout, digest, [arraysChecksum(tensors, arrays)]));
}
