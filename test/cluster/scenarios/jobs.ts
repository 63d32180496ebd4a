import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SLURM, STEPS, type Stage } from '../stage.js';
import { TestRun } from '../test-run.js';
import type { Scenario } from './scenario.js';

/* Other jobs than drawing samples. */

async function submitted(stage: Stage, name: string, plan: readonly string[], out: string): Promise<TestRun> {
  await stage.equiflow('plan', ...plan, '--shards', '3', '--out', name);
  await stage.equiflow('emit', ...SLURM, '--plan', name, '--out', out);
  const run = new TestRun(stage, join(stage.folder, name), join(stage.folder, out), STEPS);
  await run.submit();
  await run.settled();
  return run;
}

async function simulate(stage: Stage): Promise<string> {
  const options = ['dw4', '-n', '2000', '--chains', '20', '--warm-up', '200', '--seed', '7'];
  const serial = await stage.equiflow('simulate', ...options, '--out', 'serial.npz', '--quiet');
  const run = await submitted(stage, 'chains', ['simulate', ...options], 'merged.npz');
  assert.ok(readFileSync(run.merged).equals(readFileSync(join(stage.folder, 'serial.npz'))), 'the same bytes');
  assert.equal(run.log('merge.log').trimEnd(), serial.replace('serial.npz', run.merged));
  return '20 chains in 3 shards, merged into the bytes and the text of one process';
}

async function reweight(stage: Stage): Promise<string> {
  const options = [await stage.reference(STEPS), '--kT', '1.1', '--profile', 'rg:20'];
  const serial = await stage.equiflow('reweight', ...options, '--out', 'serial.csv', '--quiet');
  const run = await submitted(stage, 'weights', ['reweight', ...options], 'merged.csv');
  assert.ok(readFileSync(run.merged).equals(readFileSync(join(stage.folder, 'serial.csv'))), 'the same bytes');
  assert.equal(run.log('merge.log').trimEnd(), serial.replaceAll('serial.csv', run.merged));
  return '3 shards, merged into the figures of one process to the last digit';
}

export const JOBS: readonly Scenario[] = [
  { name: 'simulate in shards', play: simulate },
  { name: 'reweight in shards', play: reweight },
];
