import { join } from 'node:path';
import test from 'ava';
import type { RunFacts } from '../../src/cluster/emit/emit.js';
import { type SlurmOptions, slurmScripts } from '../../src/cluster/emit/slurm.js';
import { slurmSeconds } from '../../src/cluster/emit/slurm-time.js';
import { UsageError } from '../../src/errors.js';
import { attempt } from './commands.js';
import { byName, directives, FACTS, fakes, write } from './scripts.js';

const SLURM: SlurmOptions = { time: '01:00:00', cpus: 4, memory: '2G', maxArray: 1000 };

const slurm = (facts: Partial<RunFacts> = {}, options: Partial<SlurmOptions> = {}) =>
  byName(slurmScripts({ ...FACTS, ...facts }, { ...SLURM, ...options }));

test('options of sbatch stand before the first command', (t) => {
  const options: Partial<SlurmOptions> = {
    ...{ name: 'lj', partition: 'long,short', account: 'physics', margin: 90, extra: ['--qos=night'] },
    setup: ['module load nodejs'],
  };
  const { 'shard.sbatch': shard, 'merge.sbatch': merge } = slurm({}, options);
  const both = ['--time=01:00:00', '--nodes=1', '--ntasks=1'];
  const more = ['--mem=2G', '--partition=long,short', '--account=physics', '--qos=night'];
  t.deepEqual(directives(shard), [
    ...['--job-name=lj', ...both, '--cpus-per-task=4', ...more],
    ...['--signal=B:TERM@90', '--requeue', '--open-mode=append'],
  ]);
  t.deepEqual(directives(merge), [
    ...['--job-name=lj-merge', ...both, '--cpus-per-task=1', ...more],
    ...['--kill-on-invalid-dep=yes', '--requeue', '--open-mode=append'],
  ]);
  for (const script of [shard, merge]) t.regex(script, /\nmodule load nodejs\n(#.*\n)?exec \/usr\/bin\/node /);
});

test('TERM comes 120 s before the walltime, or when a quarter of it is left', (t) => {
  const margin = (time: string) => /TERM@(\d+)/.exec(directives(slurm({}, { time })['shard.sbatch']).join(' '))?.[1];
  t.deepEqual(['1-0', '10:00', '4', '60:00:00'].map(margin), ['120', '120', '60', '120']);
});

test('memory grows with the threads unless it is given', (t) => {
  const memory = (options: Partial<SlurmOptions>) => {
    const { memory: _, ...rest } = SLURM;
    const [{ text }] = slurmScripts(FACTS, { ...rest, ...options });
    return /^#SBATCH --mem=(.+)$/m.exec(text)?.[1];
  };
  t.deepEqual([{ cpus: 1 }, { cpus: 64 }, { memory: '500M' }].map(memory), ['2048M', '16384M', '500M']);
});

test('times are read as sbatch reads them', (t) => {
  const times = { '90': 5400, '1:30': 90, '2:00:05': 7205, '1-2': 93600, '1-2:3': 93780, '1-2:3:4': 93784 };
  for (const [text, seconds] of Object.entries(times)) t.is(slurmSeconds('--time', text), seconds, text);
  for (const text of ['', '0', '1h', '-5', '1:2:3:4', '1.5', '5 minutes', 'UNLIMITED'])
    t.throws(() => slurmSeconds('--time', text), {
      instanceOf: UsageError,
      message: /--time is '.*', expected a time/,
    });
});

test('more shards than an array has tasks are refused with what to do', (t) => {
  t.notThrows(() => slurm({ shards: 1001 }));
  const error = t.throws(() => slurm({ shards: 1001, firstIndex: 1 }), { instanceOf: UsageError });
  t.regex(error!.message, /up to index 1001, .* ends at 1000: .*--shards 1000 at most.*--max-array/);
  t.notThrows(() => slurm({ shards: 4000 }, { maxArray: 3999 }));
});

const BAD: readonly [string, Partial<SlurmOptions>, RegExp][] = [
  ['a name with a space', { name: 'my run' }, /--name is 'my run', expected/],
  ['several names', { name: 'a,b' }, /--name is 'a,b'/],
  ['a partition with a comment', { partition: 'a#b' }, /--partition/],
  ['an account that is an option', { account: '--x' }, /--account/],
  ['memory in words', { memory: '2 GB' }, /--memory is '2 GB', expected a size/],
  ['a margin as long as the walltime', { time: '1:00', margin: 60 }, /--margin is 60 s, expected less than .* 60 s/],
  ['no option', { extra: ['qos=long'] }, /--extra is 'qos=long', expected an option/],
  ['two lines as an option', { extra: ['--a\n--b'] }, /--extra is "--a\\n--b", expected text without control/],
  ['two lines as one', { setup: ['a\nb'] }, /--setup/],
];
for (const [what, options, message] of BAD) {
  test(`emit slurm refuses ${what}`, (t) => {
    t.throws(() => slurm({}, options), { instanceOf: UsageError, message });
  });
}

test('paths that cannot stand in scripts for Slurm are refused', (t) => {
  t.throws(() => slurm({ run: '/a\nb' }), {
    instanceOf: UsageError,
    message: /the run folder is .* expected text without control/,
  });
  t.throws(() => slurm({ run: '/a\\b' }), { instanceOf: UsageError, message: /no backslash/ });
});

test('submit.sh submits what is not finished as an array, and a merge behind it', async (t) => {
  const { folder, env, equiflow, read } = await fakes(t, {
    equiflow: 'echo 3,17,40-42',
    squeue: 'echo /other/run',
    sbatch: 'case "$*" in *merge.sbatch) echo 12 ;; *) echo "11;cluster" ;; esac',
  });
  const facts = { ...FACTS, run: folder, command: [equiflow] };
  await write(folder, slurmScripts(facts, { ...SLURM, name: 'lj', maxRunning: 20 }));
  const { code, stdout, stderr } = await attempt(join(folder, 'slurm/submit.sh'), ['--nice=5'], { env });
  t.is(code, 0, stderr);
  t.is(stdout, 'job 11: shards 3,17,40-42\njob 12: merge\n');
  const log = (name: string) => `--output=${folder.replaceAll('%', '%%')}/slurm/log/${name}`;
  const [queue, status, array, merge] = await read();
  t.deepEqual(queue, ['squeue', '--noheader', '--name=lj,lj-merge', '--format=%Z']);
  t.deepEqual(status, ['equiflow', 'status', '--plan', folder, '--unfinished']);
  t.deepEqual(array, [
    ...['sbatch', '--parsable', '--array=3,17,40-42%20', `--chdir=${folder}`, log('shard-%a.log'), '--nice=5'],
    join(folder, 'slurm/shard.sbatch'),
  ]);
  t.deepEqual(merge, [
    ...['sbatch', '--parsable', '--dependency=afterok:11', `--chdir=${folder}`, log('merge.log'), '--nice=5'],
    join(folder, 'slurm/merge.sbatch'),
  ]);
});

test('submit.sh submits the merge alone if no shard is missing, and nothing if anything fails or is in the queue', async (t) => {
  const submit = async (programs: { equiflow?: string; squeue?: string; sbatch?: string }) => {
    const { folder, env, equiflow, read } = await fakes(t, {
      equiflow: 'true',
      squeue: 'true',
      sbatch: 'echo 5',
      ...programs,
    });
    await write(folder, slurmScripts({ ...FACTS, run: folder, command: [equiflow] }, SLURM));
    const { code, stdout, stderr } = await attempt(join(folder, 'slurm/submit.sh'), [], {
      env: { ...env, RUN: folder },
    });
    return { code, stdout, stderr, called: (await read()).map(([name, , option]) => `${name} ${option}`) };
  };
  const alone = await submit({});
  t.is(alone.code, 0);
  t.is(alone.stdout, 'no shard is missing\njob 5: merge\n');
  t.is(alone.called.length, 3);
  t.true(alone.called[2].startsWith('sbatch --chdir='));

  const queued = await submit({ squeue: 'echo /other; echo "$RUN"' });
  t.is(queued.code, 75);
  t.regex(queued.stderr, /in the queue; see squeue --name=equiflow-sample-01234567,/);
  t.is(queued.called.length, 1);

  for (const failure of [{ squeue: 'exit 1' }, { equiflow: 'exit 65' }, { equiflow: 'echo 1', sbatch: 'exit 1' }]) {
    const { code, called } = await submit(failure);
    t.not(code, 0);
    t.true(
      called.filter((call) => call.startsWith('sbatch')).length <= 1,
      'no merge behind an array that there is not',
    );
  }
});

test('shard.sbatch does the shard of its task', async (t) => {
  const { folder, env, equiflow, read } = await fakes(t, { equiflow: 'true' });
  await write(folder, slurmScripts({ ...FACTS, run: folder, command: [equiflow, 'a b'] }, SLURM));
  t.is((await attempt('bash', [join(folder, 'slurm/shard.sbatch')], { env })).code, 0);
  t.is((await attempt('bash', [join(folder, 'slurm/merge.sbatch')], { env })).code, 0);
  t.deepEqual(await read(), [
    ['equiflow', 'a b', 'shard', '--plan', folder, '--index', 'auto', '--quiet'],
    ['equiflow', 'a b', 'merge', '--plan', folder, ...FACTS.merge, '--quiet'],
  ]);
});
