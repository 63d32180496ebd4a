import { join } from 'node:path';
import test from 'ava';
import type { RunFacts } from '../../src/cluster/emit/emit.js';
import { type ParallelOptions, parallelScripts } from '../../src/cluster/emit/parallel.js';
import { UsageError } from '../../src/errors.js';
import { attempt } from './commands.js';
import { byName, FACTS, fakes, write } from './scripts.js';

const PARALLEL: ParallelOptions = { threads: 2 };

const parallel = (facts: Partial<RunFacts> = {}, options: Partial<ParallelOptions> = {}) =>
  byName(parallelScripts({ ...FACTS, ...facts }, { ...PARALLEL, ...options }));

test('paths that cannot stand in scripts for GNU parallel are refused', (t) => {
  t.throws(() => parallel({ run: '/a\nb' }), {
    instanceOf: UsageError,
    message: /the run folder is .* expected text without control/,
  });
  t.throws(() => parallel({ run: '/{}' }, { sshLoginFile: '/machines' }), {
    instanceOf: UsageError,
    message: /braces/,
  });
  t.throws(() => parallel({}, { sshLoginFile: '/a\tb' }), { instanceOf: UsageError, message: /--sshloginfile/ });
});

/** What the program says of itself, by which it is told from another one of the same name. */
const GNU = 'case "$1" in --version) echo "GNU parallel 20221122"; exit ;; esac';

test('run.sh says what is not installed', async (t) => {
  const { folder, env, equiflow, read } = await fakes(t, { equiflow: 'echo 3', parallel: 'exit 1' });
  await write(folder, parallelScripts({ ...FACTS, run: folder, command: [equiflow] }, PARALLEL));
  const { code, stderr } = await attempt(join(folder, 'parallel/run.sh'), [], { env });
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
  const { code, stderr } = await attempt(join(folder, 'parallel/run.sh'), [], { env });
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
  t.is((await attempt(join(folder, 'parallel/shard.sh'), ['17'], { env })).code, 0);
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
  const { code, stderr } = await attempt(join(folder, 'parallel/run.sh'), [], { env });
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
