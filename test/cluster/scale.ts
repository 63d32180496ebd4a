/*
 * 1,000 and 10,000 tiny shards with failures of every kind, from the plan to the merged set: what the folder, the status and the
 * merge of a large run cost. A part of npm run test:cluster; alone: node dist/test/cluster/scale.js
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sampleToFolder } from '../../src/sampling/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { contents } from '../sampling/generators.js';
import { CHEAP, SimulatedRun, taskOf } from './simulated-run.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const PEAK = new URL('../cli/peak-memory.js', import.meta.url).href;

/** What must hold on any machine: seconds of a merge of 10,000 shards. Here it takes a tenth of that. */
const MERGE_SECONDS = 60;

/** Megabytes by which a merge of 10,000 shards may exceed one of 1,000: their manifests, at a few kB each. */
const MEMORY_GROWTH = 100;

/** Shards under way in this process: enough that the disk flushes some while others compute. */
const AT_ONCE = 16;

interface Cost {
  readonly seconds: number;
  readonly megabytes: number;
}

/** A command of its own process. */
async function equiflow(folder: string, ...args: string[]): Promise<Cost> {
  const mark = join(folder, 'peak');
  const env = { ...process.env, NODE_OPTIONS: `--import=${PEAK}`, EQUIFLOW_TEST_PEAK: mark };
  const started = performance.now();
  await promisify(execFile)(process.execPath, [MAIN, ...args], { cwd: folder, env, maxBuffer: 1 << 26 });
  const seconds = (performance.now() - started) / 1000;
  return { seconds, megabytes: Number(await readFile(mark, 'utf8')) / 1e6 };
}

async function simulate(folder: string, shards: number, pool: WorkerPool): Promise<{ merge: Cost; text: string }> {
  const started = performance.now();
  const simulated = await SimulatedRun.plan(folder, shards, pool);
  const { rounds, fates } = await simulated.finish(AT_ONCE);
  const seconds = (performance.now() - started) / 1000;
  const { done, ...misfortunes } = fates;
  const failed = Object.values(misfortunes).reduce((a, b) => a + b, 0);
  const status = await equiflow(folder, 'status', '--plan', 'run');
  const merge = await equiflow(folder, 'merge', '--plan', 'run', '--out', 'merged', '--quiet');
  await sampleToFolder(join(folder, 'one'), CHEAP, taskOf(shards), pool);
  assert.deepEqual(await contents(join(folder, 'merged')), await contents(join(folder, 'one')));
  const text = [
    `${shards} shards: ${done} attempts and ${failed} that failed in ${rounds} rounds, ${seconds.toFixed(1)} s`,
    ...Object.entries({ status, merge }).map(
      ([what, cost]) => `${what} ${cost.seconds.toFixed(1)} s at ${cost.megabytes.toFixed(0)} MB`,
    ),
  ].join('; ');
  return { merge, text };
}

/**
 * @returns what it cost, in a few words
 * @throws AssertionError if a run comes out with other bytes than one process, or its merge is too slow or too large
 */
async function simulateAtScale(): Promise<string> {
  const pool = new WorkerPool({ workers: 1 });
  const runs: Awaited<ReturnType<typeof simulate>>[] = [];
  for (const shards of [1000, 10_000]) {
    const folder = await mkdtemp(join(tmpdir(), 'equiflow-scale-'));
    try {
      runs.push(await simulate(folder, shards, pool));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  await pool.close();
  const [small, large] = runs.map(({ merge }) => merge);
  assert.ok(large.seconds < MERGE_SECONDS, `merging 10,000 shards took ${large.seconds} s`);
  const growth = large.megabytes - small.megabytes;
  assert.ok(growth < MEMORY_GROWTH, `merging 10,000 shards took ${growth} MB more than 1,000`);
  return runs.map(({ text }) => text).join('\n      ');
}

console.log(await simulateAtScale());
