import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { shellWords } from '../../src/cluster/emit/emit.js';
import { parallelScripts } from '../../src/cluster/emit/parallel.js';
import { slurmScripts } from '../../src/cluster/emit/slurm.js';
import { MODEL } from '../../src/cluster/jobs/sample-job.js';
import { makePlan, writeRun } from '../../src/cluster/plan.js';
import { equiflow, MAIN } from '../cli/command-line.js';
import { MODEL_BYTES, ownFolder, planRun } from './runs.js';
import { directives, execute, FACTS } from './scripts.js';

test('words of a command reach a shell as they are', async (t) => {
  const words = ['plain', '', 'a b', "it's", '$HOME', '`x`', 'A=b', '*', '~', '#', 'a"b', 'ü', '!'];
  const { stdout } = await execute('sh', ['-c', `printf '%s\\n' ${shellWords(words)}`]);
  t.deepEqual(stdout.split('\n').slice(0, -1), words);
});

test('all scripts are well-formed, whatever the paths', async (t) => {
  const facts = { ...FACTS, run: `/a 'b' "c" $d \`e\` %f`, command: ["/it's/node", '/x y/main.js'] };
  const files = [
    ...slurmScripts(facts, { time: '60', cpus: 4, maxArray: 1000, maxRunning: 5 }),
    ...parallelScripts(facts, { threads: 2, sshLoginFile: "/it's" }),
  ];
  t.is(files.length, 5);
  for (const { text } of files) await t.notThrowsAsync(execute('bash', ['-n', '-c', text]));
});

test('what is to be run may be run', async (t) => {
  const folder = await ownFolder(t);
  const run = join(folder, 'run');
  await planRun(folder, 'run', 1);
  const emit = (line: string) => equiflow(folder, ['emit', ...line.split(' ')]);
  const slurm = await emit('slurm --plan run --extra=--qos=a --extra=--nice');
  t.is(slurm.code, 0, slurm.stderr);
  t.regex(slurm.stdout, /slurm\/shard.sbatch\n.*slurm\/merge.sbatch\n.*slurm\/submit.sh\nnext: .*slurm\/submit.sh\n$/);
  const shard = await readFile(join(run, 'slurm/shard.sbatch'), 'utf8');
  t.true(directives(shard).includes('--qos=a') && directives(shard).includes('--nice'));
  t.true(shard.includes(`exec ${shellWords([process.execPath, MAIN])} shard --plan ${run} `));
  t.is((await emit('parallel --plan run')).code, 0);
  for (const name of ['slurm/submit.sh', 'parallel/run.sh', 'parallel/shard.sh'])
    t.is((await stat(join(run, name))).mode & 0o100, 0o100, name);
  t.true((await readFile(join(run, 'slurm/merge.sbatch'), 'utf8')).includes(`--out ${join(run, 'samples')} `));

  const bogus = await emit('slurm --plan run --bogus');
  t.deepEqual([bogus.code, bogus.stderr], [2, "equiflow: unknown option '--bogus'\n"]);
  t.is((await emit('slurm --plan .')).code, 66);
  t.is((await emit('slurm --plan run --command ')).code, 2);
});

test('a plan whose hash is right and whose task makes no sense is refused as by every command on a run', async (t) => {
  const folder = await ownFolder(t);
  const { run } = await planRun(folder, 'run', 3);
  const task = { ...(run.plan.task as object), seed: '5' };
  await writeRun(join(folder, 'bad'), makePlan({ ...run.plan, task }), new Map([[MODEL, MODEL_BYTES]]));
  for (const command of ['status', 'emit slurm', 'emit parallel']) {
    const { code, stderr } = await equiflow(folder, `${command} --plan bad`.split(' '));
    t.deepEqual([code, stderr], [65, 'equiflow: bad/plan.json: task.seed is "5", expected a number\n'], command);
  }
});
