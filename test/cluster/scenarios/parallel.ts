import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../commands.js';
import { signalAll } from '../processes.js';
import { startSshServer } from '../ssh-server.js';
import type { Stage } from '../stage.js';
import type { TestRun } from '../test-run.js';
import type { Scenario } from './scenario.js';

/* GNU parallel. */

/** Shards that jobs.log has, in the order in which they ended, with exit code and signal. */
function jobs(run: TestRun): string[] {
  const lines = readFileSync(join(run.folder, 'parallel/jobs.log'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const fields = line.split('\t');
    return `${/(\d+)$/.exec(fields[8])![1]}: ${fields[6]} ${fields[7]}`;
  });
}

async function killed(stage: Stage): Promise<string> {
  const run = await stage.run('parallel-killed', { shards: 4, emit: ['parallel', '--jobs', '2'] });
  const first = run.parallel();
  const frozen = await run.freeze(2, { PARALLEL_SEQ: '3' });
  const again = await run.parallel();
  assert.equal(again.code, 75, 'a run is not run twice at the same time');
  signalAll([frozen], 'SIGKILL');
  const { code, stderr } = await first;
  assert.equal(code, 1, stderr);
  assert.deepEqual((await run.status()).done, [0, 1, 3]);
  assert.ok(!run.isMerged());
  assert.deepEqual(jobs(run).sort(), ['0: 0 0', '1: 0 0', '2: 0 9', '3: 0 0']);

  const second = await run.parallel();
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(jobs(run).slice(4), ['2: 0 0'], 'only the missing index is run');
  await run.assertSerial();
  return 'only the missing index was run again, merged';
}

async function terminated(stage: Stage): Promise<string> {
  const run = await stage.run('parallel-stopped', { shards: 2, emit: ['parallel', '--jobs', '2'] });
  const first = run.parallel();
  await until('some blocks are written', () => run.hasBlocks(0) && run.hasBlocks(1));
  const [script] = run.processes().sort((a, b) => a - b);
  signalAll([script], 'SIGTERM');
  const { code, stderr } = await first;
  assert.equal(code, 75, stderr);
  assert.deepEqual((await run.status()).done, []);
  assert.deepEqual(
    run
      .leftovers()
      .filter((name) => name.endsWith('.part'))
      .sort(),
    ['00000.part', '00001.part'],
  );
  const second = await run.parallel();
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, /shard 0: .* done, \d+ of them before/);
  await run.assertSerial();
  return 'exit code 75, both shards kept what they had and went on, merged';
}

async function machines(stage: Stage): Promise<string> {
  const server = await startSshServer(join(stage.cluster.folder, 'ssh'), stage.here);
  try {
    // A colon is this machine without ssh.
    writeFileSync(join(stage.folder, 'machines'), `1/:\n1/${server.login}\n`);
    const run = await stage.run("parallel it's", { shards: 4, emit: ['parallel', '--sshloginfile', 'machines'] });
    const { code, stderr } = await run.parallel();
    assert.equal(code, 0, stderr);
    const log = readFileSync(join(run.folder, 'parallel/jobs.log'), 'utf8').trimEnd().split('\n');
    const hosts = new Set(log.map((line) => line.split('\t')[1]));
    assert.deepEqual(hosts, new Set([':', server.login]), 'both had work');
    await run.assertSerial();
  } finally {
    server.close();
  }
  return 'shards here and by ssh, in a folder whose name needs quotes, merged';
}

export const PARALLEL: readonly Scenario[] = [
  { name: 'GNU parallel, shard killed −9', play: killed },
  { name: 'GNU parallel, TERM', play: terminated },
  { name: 'GNU parallel over ssh', play: machines },
];
