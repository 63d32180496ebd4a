import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { OutputError } from '../../src/errors.js';
import { sampleToFolder } from '../../src/sampling/index.js';
import { type MapOptions, type Task, WorkerPool } from '../../src/workers/index.js';
import { contents, openPool, ownFolder, sameSet, untrained } from './generators.js';

const PROCESS = fileURLToPath(new URL('./stream-process.js', import.meta.url));

/** Ten blocks and a tail that ends neither a block of weights nor a vector of lanes. */
const N = 10 * 32_768 + 4_099;

/** Integrator steps: few where nothing depends on time; where a kill is to come in time, a block takes 25 ms or more. */
const STEPS = 8;
const SLOW_STEPS = 40;

async function undisturbed(t: ExecutionContext, n = N, steps = STEPS): Promise<Record<string, string>> {
  const path = join(await ownFolder(t), 'whole');
  await sampleToFolder(path, untrained(steps), { n, seed: 1, model: 'test' }, openPool(t, 2));
  return contents(path);
}

function start(path: string, workers: number, n = N, steps = STEPS): ChildProcess {
  return spawn(process.execPath, [PROCESS, path, ...[n, workers, steps].map(String)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Resolves after so many reports of progress, or when the process has ended. */
function reports(child: ChildProcess, count: number): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    child.stdout!.on('data', (bytes: Buffer) => {
      seen += bytes.length;
      if (seen >= count) resolve();
    });
    child.on('close', () => resolve());
  });
}

async function journalBytes(partial: string): Promise<number> {
  const journal = await readFile(join(partial, 'journal')).catch(() => Buffer.alloc(0));
  return journal.length;
}

/** So many times a process is killed before it may finish. */
const KILLS = 20;

for (const name of ['killed', 'killed.h5']) {
  test.serial(`${name}: after ${KILLS} kills at random moments the same command ends as if undisturbed`, async (t) => {
    const n = 6 * N;
    const whole = join(await ownFolder(t), 'whole');
    await sampleToFolder(whole, untrained(SLOW_STEPS), { n, seed: 1, model: 'test' }, openPool(t, 2));
    const folder = await ownFolder(t);
    const path = join(folder, name);
    const partial = `.${name}.${n}.partial`;
    let random = 12345;
    const draw = (below: number) => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return Math.floor((random / 2 ** 32) * below);
    };
    let journalled = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = start(path, 1 + (kill % 2), n, SLOW_STEPS);
      const closed = once(child, 'close');
      // Reports come first from the check of what is there, then from the work; some kills come before both.
      const blocks = Math.floor(journalled / 18);
      if (kill % 4 < 3) await reports(child, blocks + draw(3));
      await new Promise((resolve) => setTimeout(resolve, draw(kill % 4 < 3 ? 20 : 300)));
      // However slow the device is, the last kill comes after a checkpoint.
      while (kill === KILLS - 1 && (await journalBytes(join(folder, partial))) < 18) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      child.kill('SIGKILL');
      await closed;
      const left = await readdir(folder);
      t.true(left.length === 0 || (left.length === 1 && left[0] === partial), `kill ${kill}: ${left}`);
      const bytes = await journalBytes(join(folder, partial));
      t.true(bytes >= journalled - 18, 'what was on the device stays there');
      journalled = bytes;
    }
    t.true(journalled >= 18, 'no kill came after a checkpoint: the test shows nothing');
    const last = start(path, 2, n, SLOW_STEPS);
    t.deepEqual(await once(last, 'close'), [0, null]);
    t.deepEqual(await readdir(folder), [name]);
    if (name.endsWith('.h5')) await sameSet(t, path, whole);
    else t.deepEqual(await contents(path), await contents(whole));
  });
}

test.serial('while a process writes a folder, another one is refused by name and disturbs nothing', async (t) => {
  const expected = await undisturbed(t);
  const path = join(await ownFolder(t), 'both');
  const child = start(path, 1);
  const closed = once(child, 'close');
  await reports(child, 1);
  const pool = openPool(t, 1);
  for (const n of [5, N]) {
    await t.throwsAsync(sampleToFolder(path, untrained(), { n, seed: 1, model: 'test' }, pool), {
      instanceOf: OutputError,
      message:
        n === N
          ? new RegExp(`both: process ${child.pid} on .* (is|was) writing it`)
          : /both: .* unfinished run of 331779/,
    });
  }
  t.deepEqual(await closed, [0, null]);
  t.deepEqual(await contents(path), expected);
});

test.serial('workers that die cost time alone', async (t) => {
  const expected = await undisturbed(t);
  const folder = await ownFolder(t);
  const deaths = await mkdtemp(join(folder, 'deaths-'));
  process.env.EQUIFLOW_TEST_DEATHS = deaths;
  class MortalPool extends WorkerPool {
    override map<I, O>(task: Task, inputs: Iterable<I>, options?: MapOptions): AsyncGenerator<O> {
      return super.map({ ...task, module: new URL('./mortal-tasks.js', import.meta.url) }, inputs, options);
    }
  }
  const pool = new MortalPool({ workers: 2 });
  t.teardown(() => pool.close());
  const path = join(folder, 'survived');
  await sampleToFolder(path, untrained(), { n: N, seed: 1, model: 'test' }, pool);
  t.is((await readdir(deaths)).length, 5);
  t.deepEqual(await contents(path), expected);
});

/** Runs the process where no file may grow beyond so many KiB, as on a disk that is full. */
function startLimited(path: string, kibibytes: number): ChildProcess {
  const shell = 'ulimit -f "$1"; shift; exec "$@"';
  const blocks = String(kibibytes);
  return spawn('bash', ['-c', shell, 'bash', blocks, process.execPath, PROCESS, path, String(N), '2', String(STEPS)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test.serial('a device without room ends the run clearly, and with room it goes on from there', async (t) => {
  const expected = await undisturbed(t);
  const folder = await ownFolder(t);
  const path = join(folder, 'full');
  await mkdir(path);
  const child = startLimited(path, 4096);
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  t.deepEqual(await once(child, 'close'), [1, null]);
  const [, kept] = /cannot write .*x\.npy: .*\(EFBIG\); (\d+) of 331779 samples are kept: run it again to go on$/.exec(
    said,
  )!;
  t.true(Number(kept) >= 32_768 && Number(kept) % 32_768 === 0 && Number(kept) < 5 * 32_768, said);
  t.deepEqual(await readdir(folder), [`.full.${N}.partial`, 'full']);
  t.deepEqual(await once(start(path, 2), 'close'), [0, null]);
  t.deepEqual(await readdir(folder), ['full']);
  t.deepEqual(await contents(path), expected);
});

test.serial(
  'where files may not grow as long as HDF5 will be, it is told before the work and nothing is left',
  async (t) => {
    const folder = await ownFolder(t);
    const child = startLimited(join(folder, 'full.h5'), 4096);
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    t.deepEqual(await once(child, 'close'), [1, null]);
    t.regex(said, /^cannot write \S+: the file grew beyond the allowed size \(EFBIG\)$/);
    t.deepEqual(await readdir(folder), []);
  },
);
