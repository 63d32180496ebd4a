import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../commands.js';
import { isNode, isPending, signalAll } from '../processes.js';
import { SAMPLES, type Stage } from '../stage.js';
import type { TestRun } from '../test-run.js';
import type { Scenario } from './scenario.js';

/* What happens to shards. */

async function array(stage: Stage): Promise<string> {
  const run = await stage.run('array', { shards: 8 });
  const { shards } = await run.submit();
  assert.equal(shards, '0-7');
  const again = await run.submission();
  assert.equal(again.code, 75, 'a run is not submitted twice at the same time');
  assert.match(again.stderr, /jobs of this run are in the queue/);
  await run.settled();
  await run.assertSerial();
  assert.match(run.log('merge.log'), new RegExp(`: ${SAMPLES} samples, ESS `));
  return `8 shards and a merge behind them: ${SAMPLES} samples, the bytes of one process`;
}

async function killed(stage: Stage): Promise<string> {
  const run = await stage.run('killed', { shards: 4 });
  const { array } = await run.submit();
  signalAll([await run.freezeTask(array, 2)], 'SIGKILL');
  await run.settled();
  assert.equal((await stage.cluster.tasks(array)).get(2)!.ExitCode, '0:9');
  assert.ok(!run.isMerged(), 'the merge is cancelled with its dependency');
  assert.deepEqual((await run.status()).done, [0, 1, 3]);

  const before = run.times();
  const { shards } = await run.submit();
  assert.equal(shards, '2', 'only the missing index is submitted');
  await run.settled();
  const after = run.times();
  for (const [name, time] of before) assert.equal(after.get(name), time, `${name} is not written again`);
  await run.assertSerial();
  return 'merge cancelled, array 2 submitted again, others untouched, merged';
}

/** A shard that was told to stop has kept what it had, and the next submission goes on from there. */
async function goesOn(run: TestRun, index: number): Promise<string> {
  const log = `shard-${index}.log`;
  const [, kept, of] = /was interrupted at (\d+) of (\d+) samples; run it again to go on/.exec(run.log(log))!;
  assert.ok(Number(kept) > 0 && run.leftovers().includes(`0000${index}.part`), 'what was done is kept');
  assert.ok(!run.isMerged());
  assert.equal((await run.submit()).shards, `${index}`);
  await run.settled();
  assert.match(run.log(log), new RegExp(`shard ${index}: .* done, ${kept} of them before`));
  await run.assertSerial();
  return `${kept} of ${of} samples kept and gone on from, merged`;
}

async function cancelled(stage: Stage): Promise<string> {
  const run = await stage.run('cancelled', { shards: 2 });
  const { array } = await run.submit();
  await until('some blocks are written', () => run.hasBlocks(1));
  await stage.cluster.scancel(`${array}_1`);
  await run.settled();
  const { JobState, ExitCode } = (await stage.cluster.tasks(array)).get(1)!;
  assert.deepEqual([JobState, ExitCode], ['CANCELLED', '75:0']);
  return goesOn(run, 1);
}

async function twoWriters(stage: Stage): Promise<string> {
  const run = await stage.run('writers', { shards: 2 });
  const { array } = await run.submit();
  const first = await run.freezeTask(array, 0);
  const second = await stage.attempt('shard', '--plan', run.folder, '--index', '0', '--workers', '1', '--quiet');
  assert.equal(second.code, 0, second.stderr);
  assert.ok((await run.status()).done.includes(0));
  signalAll([first], 'SIGCONT');
  await run.settled();
  assert.equal((await stage.cluster.tasks(array)).get(0)!.ExitCode, '0:0', 'the slower one succeeds too');
  assert.deepEqual(run.leftovers(), []);
  await run.assertSerial();
  return 'both end with 0, one shard, the same bytes';
}

async function fullDisk(stage: Stage): Promise<string> {
  const run = await stage.run('full', { shards: 2 });
  const disk = join(run.folder, 'shards');
  // Room for all shards, which a file of somebody else then takes.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]);
  try {
    const { array } = await run.submit();
    await until('some blocks are written', () => run.hasBlocks(1));
    const frozen = await run.freezeTask(array, 1);
    await until('the other is done', async () => (await run.status()).done.length === 1);
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, 'somebody-elses'), new Uint8Array(bavail * bsize));
    signalAll([frozen], 'SIGCONT');
    await run.settled();
    assert.equal((await stage.cluster.tasks(array)).get(1)!.ExitCode, '74:0');
    assert.match(run.log('shard-1.log'), /equiflow: cannot write .*00001\.safetensors.*(full|no space)/i);
    assert.deepEqual(run.leftovers(), ['somebody-elses'], 'nothing half-written is left');
    assert.ok(!run.isMerged());

    // It does not even begin without room.
    const early = await stage.attempt('shard', '--plan', run.folder, '--index', '1', '--quiet');
    assert.equal(early.code, 74);
    assert.deepEqual(run.leftovers(), ['somebody-elses']);

    rmSync(join(disk, 'somebody-elses'));
    const { shards } = await run.submit();
    assert.equal(shards, '1');
    await run.settled();
    await run.assertSerial();
  } finally {
    execFileSync('umount', ['--lazy', disk]);
  }
  return 'exit code 74, nothing half-written; with room again, array 1 submitted and merged';
}

async function walltime(stage: Stage): Promise<string> {
  const emit = ['slurm', '--time', '1', '--margin', '25', '--cpus', '1', '--memory', '500M'];
  const run = await stage.run('walltime', { shards: 1, emit });
  const { array } = await run.submit();
  await until('some blocks are written', () => run.hasBlocks(0));
  const frozen = await run.freezeTask(array, 0);
  await until('Slurm sends TERM', () => !isNode(frozen) || isPending(frozen, 'SIGTERM'), 90);
  // Slurm's own SIGCONT may have come first.
  signalAll([frozen], 'SIGCONT');
  await run.settled();
  const { JobState, ExitCode } = (await stage.cluster.tasks(array)).get(0)!;
  assert.deepEqual([JobState, ExitCode], ['FAILED', '75:0'], 'it ends by itself, before its time is up');
  return `exit code 75, ${await goesOn(run, 0)}`;
}

export const SHARDS: readonly Scenario[] = [
  { name: 'array and merge', play: array },
  { name: 'task killed −9', play: killed },
  { name: 'task cancelled', play: cancelled },
  { name: 'two writers of one shard', play: twoWriters },
  { name: 'full disk', play: fullDisk },
];

/** Most of a minute of waiting, which others can use. */
export const WALLTIME: Scenario = { name: 'TERM before the walltime', play: walltime };
