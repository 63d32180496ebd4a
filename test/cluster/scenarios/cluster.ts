import assert from 'node:assert/strict';
import { until } from '../commands.js';
import { signalAll } from '../processes.js';
import type { Stage } from '../stage.js';
import type { Scenario } from './scenario.js';

/* What happens to a cluster. */

async function requeue(stage: Stage): Promise<string> {
  const run = await stage.run('requeued', { shards: 2 });
  const { array } = await run.submit();
  await until('some blocks are written', () => run.hasBlocks(1));
  await stage.cluster.scontrol('requeue', `${array}_1`);
  await run.settled();
  assert.equal((await stage.cluster.tasks(array)).get(1)!.Restarts, '1');
  const [, kept] = /shard 1: .* done, (\d+) of them before/.exec(run.log('shard-1.log'))!;
  await run.assertSerial();
  return `the task ran again by itself from ${kept} samples that it had, and the merge waited for it`;
}

async function drain(stage: Stage): Promise<string> {
  const run = await stage.run('drained', { shards: 8 });
  const { array } = await run.submit();
  // As many as the nodes hold: the other half of the array waits.
  const running = await Promise.all([0, 1, 2, 3].map((index) => run.freezeTask(array, index)));
  await stage.cluster.scontrol('update', 'nodename=n1', 'state=drain', 'reason=test');
  signalAll(running, 'SIGCONT');
  await run.settled();
  const tasks = [...(await stage.cluster.tasks(array)).entries()];
  const nodes = (low: number, high: number) =>
    new Set(tasks.filter(([index]) => index >= low && index <= high).map(([, { NodeList }]) => NodeList));
  assert.deepEqual([...nodes(0, 3)].sort(), ['n1', 'n2'], 'both nodes had work');
  assert.deepEqual([...nodes(4, 7)], ['n2'], 'a draining node gets no further task');
  assert.equal(await stage.cluster.nodeState('n1'), 'drained');
  await stage.cluster.scontrol('update', 'nodename=n1', 'state=resume');
  await run.assertSerial();
  return 'tasks on it ended, the rest ran elsewhere';
}

async function nodeDown(stage: Stage): Promise<string> {
  const run = await stage.run('lost', { shards: 4 });
  const { array } = await run.submit();
  const index = await until(
    'a task runs on n1',
    async () => [...(await stage.cluster.tasks(array))].find(([, task]) => task.NodeList === 'n1')?.[0],
  );
  await run.freezeTask(array, index);
  await stage.cluster.killNode('n1');
  await run.settled();
  const { NodeList, Restarts, ExitCode } = (await stage.cluster.tasks(array)).get(index)!;
  assert.deepEqual([NodeList, Restarts, ExitCode], ['n2', '1', '0:0'], 'the task comes back on the other node');
  await stage.cluster.startNode('n1');
  await run.assertSerial();
  return 'found dead by Slurm; its task came back on the other node';
}

async function restart(stage: Stage): Promise<string> {
  const run = await stage.run('restarted', { shards: 8 });
  const { array } = await run.submit();
  const frozen = await run.freezeTask(array, 0);
  await stage.cluster.stopController();
  assert.notEqual((await run.submission()).code, 0, 'nothing is submitted blindly');
  signalAll([frozen], 'SIGCONT');
  await stage.cluster.startController();
  await run.settled();
  const tasks = [...(await stage.cluster.tasks(array)).values()];
  assert.deepEqual(new Set(tasks.map(({ ExitCode, Restarts }) => `${ExitCode} ${Restarts}`)), new Set(['0:0 0']));
  await run.assertSerial();
  return 'running tasks went on, waiting ones ran afterwards, merged';
}

export const CLUSTER: readonly Scenario[] = [
  { name: 'requeue', play: requeue },
  { name: 'drain of a node', play: drain },
  { name: 'node down', play: nodeDown },
  { name: 'restart of slurmctld', play: restart },
];
