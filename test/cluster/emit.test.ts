import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { type EmittedFile, type RunFacts, shellWords } from '../../src/cluster/emit/emit.js';
import { type ParallelOptions, parallelScripts } from '../../src/cluster/emit/parallel.js';
import { type SlurmOptions, slurmScripts } from '../../src/cluster/emit/slurm.js';
import { slurmSeconds } from '../../src/cluster/emit/slurm-time.js';
import { UsageError } from '../../src/errors.js';
import { encodeModel } from '../../src/flows/index.js';
import { untrained } from '../sampling/generators.js';

const execute = promisify(execFile);

const FACTS: RunFacts = {
  run: '/data/run',
  job: 'sample',
  hash: '0123456789abcdef'.repeat(4),
  firstIndex: 0,
  shards: 100,
  command: ['/usr/bin/node', '/opt/equiflow/main.js'],
  merge: ['--out', '/data/samples'],
};
const SLURM: SlurmOptions = { time: '01:00:00', cpus: 4, memory: '2G', maxArray: 1000 };
const PARALLEL: ParallelOptions = { threads: 2 };

const slurm = (facts: Partial<RunFacts> = {}, options: Partial<SlurmOptions> = {}) =>
  byName(slurmScripts({ ...FACTS, ...facts }, { ...SLURM, ...options }));
const parallel = (facts: Partial<RunFacts> = {}, options: Partial<ParallelOptions> = {}) =>
  byName(parallelScripts({ ...FACTS, ...facts }, { ...PARALLEL, ...options }));

function byName(files: readonly EmittedFile[]) {
  return Object.fromEntries(files.map(({ name, text }) => [name.replace(/^.*\//, ''), text]));
}

/** What is behind #SBATCH, where sbatch reads it: before the first line that is no comment. */
function directives(script: string): string[] {
  const lines = script.split('\n');
  const end = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
  return lines.slice(0, end).flatMap((line) => /^#SBATCH (.+)$/.exec(line)?.[1] ?? []);
}

/** A folder with an odd name in which programs record the words they are called with, and print what they are told to. */
async function fakes(t: ExecutionContext, programs: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'equiflow 100 %a $HOME `x` \'y\' "z" & '));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'bin'));
  for (const [name, body] of Object.entries(programs)) {
    const path = join(folder, 'bin', name);
    await writeFile(path, `#!/bin/bash\nprintf '%s\\n' "${name}" "$@" . >>"$CALLS"\n${body}\n`);
    await chmod(path, 0o755);
  }
  const calls = join(folder, 'calls');
  await writeFile(calls, '');
  const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, CALLS: calls };
  const read = async () =>
    (await readFile(calls, 'utf8'))
      .split('\n.\n')
      .slice(0, -1)
      .map((call) => call.split('\n'));
  return { folder, env, equiflow: join(folder, 'bin', 'equiflow'), read };
}

async function write(folder: string, files: readonly EmittedFile[]): Promise<void> {
  for (const { name, text, executable } of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
    if (executable) await chmod(join(folder, name), 0o755);
  }
}

const outcome = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
  execute(file, args, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );

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

test('paths that cannot stand in scripts are refused', (t) => {
  const line = { instanceOf: UsageError, message: /the run folder is .* expected text without control characters/ };
  t.throws(() => slurm({ run: '/a\nb' }), line);
  t.throws(() => parallel({ run: '/a\nb' }), line);
  t.throws(() => slurm({ run: '/a\\b' }), { instanceOf: UsageError, message: /no backslash/ });
  t.throws(() => parallel({ run: '/{}' }, { sshLoginFile: '/machines' }), {
    instanceOf: UsageError,
    message: /braces/,
  });
  t.throws(() => parallel({}, { sshLoginFile: '/a\tb' }), { instanceOf: UsageError, message: /--sshloginfile/ });
});

test('words of a command reach a shell as they are', async (t) => {
  const words = ['plain', '', 'a b', "it's", '$HOME', '`x`', 'A=b', '*', '~', '#', 'a"b', 'ü', '!'];
  const { stdout } = await execute('sh', ['-c', `printf '%s\\n' ${shellWords(words)}`]);
  t.deepEqual(stdout.split('\n').slice(0, -1), words);
});

test('all scripts are well-formed, whatever the paths', async (t) => {
  const facts = { ...FACTS, run: `/a 'b' "c" $d \`e\` %f`, command: ["/it's/node", '/x y/main.js'] };
  const files = [
    ...slurmScripts(facts, { ...SLURM, maxRunning: 5 }),
    ...parallelScripts(facts, { ...PARALLEL, sshLoginFile: "/it's" }),
  ];
  t.is(files.length, 5);
  for (const { text } of files) await t.notThrowsAsync(execute('bash', ['-n', '-c', text]));
});

test('submit.sh submits what is not finished as an array, and a merge behind it', async (t) => {
  const { folder, env, equiflow, read } = await fakes(t, {
    equiflow: 'echo 3,17,40-42',
    squeue: 'echo /other/run',
    sbatch: 'case "$*" in *merge.sbatch) echo 12 ;; *) echo "11;cluster" ;; esac',
  });
  const facts = { ...FACTS, run: folder, command: [equiflow] };
  await write(folder, slurmScripts(facts, { ...SLURM, name: 'lj', maxRunning: 20 }));
  const { code, stdout, stderr } = await outcome(join(folder, 'slurm/submit.sh'), ['--nice=5'], env);
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
    const { code, stdout, stderr } = await outcome(join(folder, 'slurm/submit.sh'), [], { ...env, RUN: folder });
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
  t.is((await outcome('bash', [join(folder, 'slurm/shard.sbatch')], env)).code, 0);
  t.is((await outcome('bash', [join(folder, 'slurm/merge.sbatch')], env)).code, 0);
  t.deepEqual(await read(), [
    ['equiflow', 'a b', 'shard', '--plan', folder, '--index', 'auto', '--quiet'],
    ['equiflow', 'a b', 'merge', '--plan', folder, ...FACTS.merge, '--quiet'],
  ]);
});

/** What the program says of itself, by which it is told from another one of the same name. */
const GNU = 'case "$1" in --version) echo "GNU parallel 20221122"; exit ;; esac';

test('run.sh says what is not installed', async (t) => {
  const { folder, env, equiflow, read } = await fakes(t, { equiflow: 'echo 3', parallel: 'exit 1' });
  await write(folder, parallelScripts({ ...FACTS, run: folder, command: [equiflow] }, PARALLEL));
  const { code, stderr } = await outcome(join(folder, 'parallel/run.sh'), [], env);
  t.deepEqual([code, stderr], [69, 'GNU parallel is not installed\n']);
  t.deepEqual(await read(), [['parallel', '--version']]);
});

test('run.sh hands what is not finished to GNU parallel, then merges', async (t) => {
  const { folder, env, equiflow, read } = await fakes(t, {
    equiflow: 'case "$1" in status) printf "3\\n17\\n" ;; esac',
    parallel: `${GNU}; cat >>"$CALLS"; echo . >>"$CALLS"`,
  });
  const facts = { ...FACTS, run: folder, command: [equiflow] };
  await write(folder, parallelScripts(facts, PARALLEL));
  const { code, stderr } = await outcome(join(folder, 'parallel/run.sh'), [], env);
  t.is(code, 0, stderr);
  t.deepEqual(await read(), [
    ['parallel', '--version'],
    ['equiflow', 'status', '--plan', folder, '--unfinished', '--lines'],
    [
      ...['parallel', '--jobs', '50%', '--joblog', '+jobs.log', '--termseq', 'TERM,30000,KILL,1000', '--tag'],
      ...['--line-buffer', './shard.sh', '{}'],
    ],
    ['3', '17'],
    ['equiflow', 'merge', '--plan', folder, ...FACTS.merge, '--quiet'],
  ]);
  t.is((await outcome(join(folder, 'parallel/shard.sh'), ['17'], env)).code, 0);
  t.deepEqual((await read()).at(-1), [
    'equiflow',
    'shard',
    '--plan',
    folder,
    '--index',
    '17',
    '--workers',
    '2',
    '--quiet',
  ]);
});

test('run.sh does not merge after failures', async (t) => {
  const { folder, env, equiflow, read } = await fakes(t, { equiflow: 'echo 3', parallel: `${GNU}; exit 1` });
  await write(folder, parallelScripts({ ...FACTS, run: folder, command: [equiflow] }, PARALLEL));
  const { code, stderr } = await outcome(join(folder, 'parallel/run.sh'), [], env);
  t.is(code, 1);
  t.regex(stderr, /shards failed, see .*jobs\.log; run it again/);
  t.deepEqual(
    (await read()).map(([name]) => name),
    ['parallel', 'equiflow', 'parallel'],
  );
});

test('shards at once are what the processors of each machine hold, or what is asked for', (t) => {
  const jobs = (options: Partial<ParallelOptions>) => /--jobs (\S+)/.exec(parallel({}, options)['run.sh'])?.[1];
  t.deepEqual([{ threads: 1 }, { threads: 3 }, { threads: 200 }, { jobs: 7 }].map(jobs), ['100%', '33%', '1%', '7']);
  const { 'run.sh': remote } = parallel({}, { sshLoginFile: '/my machines' });
  t.regex(remote, / --sshloginfile '\/my machines' --workdir "\$PWD" /);
});

test('what is to be run may be run', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'equiflow-emit-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const run = join(folder, 'run');
  const main = new URL('../../src/cli/main.js', import.meta.url).pathname;
  const equiflow = (...args: string[]) => outcome(process.execPath, [main, ...args], process.env);
  await writeFile(join(folder, 'model.safetensors'), encodeModel(untrained()));
  await equiflow('plan', 'sample', join(folder, 'model.safetensors'), '-n', '10', '--shards', '1', '--out', run);
  const slurm = await equiflow('emit', 'slurm', '--plan', run, '--extra=--qos=a', '--extra=--nice');
  t.is(slurm.code, 0, slurm.stderr);
  t.regex(slurm.stdout, /slurm\/shard.sbatch\n.*slurm\/merge.sbatch\n.*slurm\/submit.sh\nnext: .*slurm\/submit.sh\n$/);
  const shard = await readFile(join(run, 'slurm/shard.sbatch'), 'utf8');
  t.true(directives(shard).includes('--qos=a') && directives(shard).includes('--nice'));
  t.true(shard.includes(`exec ${shellWords([process.execPath, main])} shard --plan ${run} `));
  t.is((await equiflow('emit', 'parallel', '--plan', run)).code, 0);
  for (const name of ['slurm/submit.sh', 'parallel/run.sh', 'parallel/shard.sh'])
    t.is((await stat(join(run, name))).mode & 0o100, 0o100, name);
  t.true((await readFile(join(run, 'slurm/merge.sbatch'), 'utf8')).includes(`--out ${join(run, 'samples')} `));

  const bogus = await equiflow('emit', 'slurm', '--plan', run, '--bogus');
  t.deepEqual([bogus.code, bogus.stderr], [2, "equiflow: unknown option '--bogus'\n"]);
  t.is((await equiflow('emit', 'slurm', '--plan', folder)).code, 66);
  t.is((await equiflow('emit', 'slurm', '--plan', run, '--command', ' ')).code, 2);
});
