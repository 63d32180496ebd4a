// A run of four shards in one program; on a cluster each `runShard` is a task of its own. Needs model.safetensors.
import { readFile } from 'node:fs/promises';
import * as eq from 'equiflow';

const pool = new eq.WorkerPool();
const model = await readFile('model.safetensors');
const run = await eq.createSampleRun('run-in-a-program', model, { n: 100_000, seed: 1, shards: 4 });
const job = await eq.openSampleJob(run);
for (const index of eq.shardIndices(run.plan)) await eq.runShard(run, job, index, { pool });

const { missing } = await eq.runStatus(run, job);
console.log('missing:', eq.formatIndices(missing) || 'none');
const { n, ess } = await eq.mergeSamples('samples-of-shards', 'folder', await eq.requireComplete(run, job));
console.log(`${n} samples, ${ess.toFixed(0)} effective`);
console.log(await eq.verifyMerged('samples-of-shards', job, { recompute: 2, seed: 1 }, { pool }));
await pool.close();
