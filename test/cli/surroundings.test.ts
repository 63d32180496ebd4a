import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import test from 'ava';
import { shardIndices } from '../../src/cluster/plan.js';
import { shardPaths } from '../../src/cluster/shard-files.js';
import { ownFolder, planRun } from '../cluster/runs.js';
import { MAIN } from './command-line.js';

type Stream = 'pipe' | number;

const asModule = (text: string) => `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`;

/** Runs `equiflow`, with JavaScript that comes before it. */
function run(line: string, { stdout = 'pipe', stderr = 'pipe' }: { stdout?: Stream; stderr?: Stream }, before = '') {
  const preload = before === '' ? [] : ['--import', asModule(before)];
  return spawnSync(process.execPath, [...preload, MAIN, ...line.split(' ')], {
    stdio: ['ignore', stdout, stderr],
    encoding: 'utf8',
  });
}

test('a log on a full disk ends a command with 74 and one line, and hides no other exit code', (t) => {
  const full = openSync('/dev/full', 'w');
  for (const line of ['systems', 'systems --json', 'shard --help']) {
    const { status, stderr } = run(line, { stdout: full });
    t.is(status, 74, line);
    t.is(stderr, 'equiflow: cannot write standard output: no space left on the device (ENOSPC)\n');
  }
  t.is(run('status --plan nowhere', { stderr: full }).status, 66);
  t.is(run('nothing', { stdout: full, stderr: full }).status, 2);
  closeSync(full);
});

test('a signal that comes while the program is still loaded ends it with 75', (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    // The program has begun once it listens to its standard output.
    const send = `
      const watch = () => {
        if (process.stdout.listenerCount('error') > 0) process.kill(process.pid, '${signal}');
        else setImmediate(watch);
      };
      watch();`;
    const { status, stderr } = run('shard --plan nowhere --index 0', {}, send);
    t.is(status, 75, signal);
    t.is(stderr, 'equiflow: interrupted; run it again\n');
  }
});

test('the shards of a run are looked at with few files open at once', async (t) => {
  const folder = await ownFolder(t);
  const { run } = await planRun(folder, 'run', 200);
  for (const index of shardIndices(run.plan)) await writeFile(shardPaths(run, index).manifest, 'torn');
  const words = [
    '-c',
    'ulimit -n 80; exec "$@"',
    'bash',
    process.execPath,
    MAIN,
    'status',
    '--plan',
    run.folder,
    '--missing',
  ];
  const { stdout, stderr } = spawnSync('bash', words, { encoding: 'utf8' });
  t.is(stdout, '0-199\n', stderr);
});

test('a file system that fails under the program itself is no bug of the program', (t) => {
  const hook = `
    export async function load(url, context, next) {
      if (!url.endsWith('/commands/status.js')) return next(url, context);
      throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read', path: '/shared/status.js' });
    }`;
  const before = `
    import { register } from 'node:module';
    register(${JSON.stringify(asModule(hook))});`;
  const { status, stderr } = run('status --plan nowhere', {}, before);
  t.is(status, 74, stderr);
  t.is(stderr, 'equiflow: cannot read /shared/status.js: input/output error (EIO)\n');
});
