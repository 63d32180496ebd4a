import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { DataError, InterruptedError, IoError, NumericalError, UsageError } from '../../src/errors.js';
import { WorkerPool } from '../../src/workers/index.js';
import { ownFolder } from '../own-folder.js';

const MODULE = new URL('./tasks.js', import.meta.url);
const task = (name: string) => ({ module: MODULE, name });

function openPool(t: ExecutionContext, workers: number): WorkerPool {
  const pool = new WorkerPool({ workers });
  t.teardown(() => pool.close());
  return pool;
}

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

// Alone, since it counts the threads of this process.
test.serial('threads start with the first task, or at once where they have a module to load', async (t) => {
  let started = 0;
  const count = () => started++;
  process.on('worker', count);
  t.teardown(() => process.off('worker', count));
  const pool = openPool(t, 2);
  await new WorkerPool({ workers: 3 }).close();
  await delay(0);
  t.is(started, 0);
  await pool.run(task('double'), 1);
  t.is(started, 2);
  await new WorkerPool({ workers: 1, preload: MODULE }).close();
  t.is(started, 3);
});

test('map delivers results in the order of the inputs, however long each takes', async (t) => {
  const pool = openPool(t, 2);
  const inputs = Array.from({ length: 12 }, (_, i) => ({ milliseconds: i % 3 === 0 ? 30 : 1, value: i }));
  const results = await collect(pool.map(task('waitAndReturn'), inputs));
  t.deepEqual(
    results,
    inputs.map((input) => input.value),
  );
});

test('map draws at most workers + 2 inputs ahead of its consumer', async (t) => {
  const pool = openPool(t, 2);
  let drawn = 0;
  async function* inputs() {
    for (let i = 0; i < 20; i++) {
      drawn++;
      yield i;
    }
  }
  let delivered = 0;
  let widest = 0;
  for await (const value of pool.map<number, number>(task('double'), inputs())) {
    t.is(value, 2 * delivered);
    await delay(2);
    widest = Math.max(widest, drawn - delivered);
    delivered++;
  }
  t.is(delivered, 20);
  t.is(widest, pool.workers + 2);
});

test('leaving a map stops the tasks underway and closes the inputs', async (t) => {
  const pool = openPool(t, 1);
  let closed = false;
  function* inputs() {
    try {
      yield 1;
      yield Infinity;
      yield Infinity;
      yield Infinity;
    } finally {
      closed = true;
    }
  }
  for await (const _ of pool.map(task('spin'), inputs())) break;
  t.true(closed);
  // Its only worker is free again, or this would wait for ever.
  t.is(await pool.run(task('double'), 4), 8);
});

test('an error in a map reaches the consumer after the results before it', async (t) => {
  const pool = openPool(t, 1);
  const results = pool.map(task('sumOf'), [new Float64Array([1, 2]), null, new Float64Array(1)]);
  t.is((await results.next()).value, 3);
  await t.throwsAsync(results.next(), { message: /null/ });
});

test('an error of equiflow keeps class, code, message, stack and cause', async (t) => {
  const error = await t.throwsAsync(openPool(t, 1).run(task('failNumerically'), 7));
  t.true(error instanceof NumericalError);
  t.is((error as NumericalError).code, 'NOT_FINITE');
  t.is(error.message, 'sample 7: log q is NaN');
  t.regex(error.stack!, /failNumerically/);
  t.true(error.cause instanceof DataError);
  t.is((error.cause as DataError).message, 'x.npy: row 3');
});

test('any other error keeps its message, and name and stack as the cause', async (t) => {
  const pool = openPool(t, 1);
  const error = await t.throwsAsync(pool.run(task('failUnexpectedly'), null));
  t.is(error.message, 'index out of range');
  t.is((error.cause as Error).name, 'RangeError');
  t.regex((error.cause as Error).stack!, /failUnexpectedly/);
  await t.throwsAsync(pool.run(task('throwString'), null), { message: 'a string' });
  await t.throwsAsync(pool.run(task('notAFunction'), null), { message: /tasks\.js exports no function notAFunction/ });
});

test('a task whose worker died runs again on a fresh one', async (t) => {
  t.is(await openPool(t, 1).run(task('dieOnce'), join(await ownFolder(t), 'died')), 'survived');
});

test('a task that kills two workers fails with an IoError, and the tasks beside it go on', async (t) => {
  const pool = openPool(t, 2);
  const deaths = ['die', 'dieUncaught', 'die'].map((name) => t.throwsAsync(pool.run(task(name), null)));
  const others = [1, 2, 3, 4].map((x) => pool.run(task('double'), x));
  for (const error of await Promise.all(deaths)) {
    t.true(error instanceof IoError);
    t.regex(error.message, /its worker died, in 2 attempts: (worker exited with code: 3|thrown from a timer)/);
  }
  t.deepEqual(await Promise.all(others), [2, 4, 6, 8]);
});

test('a task whose input was moved is not retried', async (t) => {
  const x = new Float64Array(8);
  const error = await t.throwsAsync(openPool(t, 1).run(task('die'), x, { transfer: [x.buffer] }));
  t.true(error instanceof IoError);
  t.regex(error.message, /moved/);
});

test('abort interrupts a task that never yields, one that waits and one that has not begun', async (t) => {
  const pool = openPool(t, 1);
  const controller = new AbortController();
  const { signal } = controller;
  const warnings: string[] = [];
  const onWarning = (warning: Error) => warnings.push(warning.message);
  process.on('warning', onWarning);
  const tasks = Array.from({ length: 16 }, () => t.throwsAsync(pool.run(task('spin'), Infinity, { signal })));
  const bystander = pool.run(task('double'), 21);
  await delay(50);
  controller.abort(new Error('enough'));
  for (const error of await Promise.all(tasks)) {
    t.true(error instanceof InterruptedError);
    t.is((error.cause as Error).message, 'enough');
  }
  await t.throwsAsync(pool.run(task('double'), 1, { signal }), { instanceOf: InterruptedError });
  t.is(await bystander, 42);
  process.off('warning', onWarning);
  t.deepEqual(warnings, []);
});

test('reports arrive in order and all of them before the result', async (t) => {
  const reports: unknown[] = [];
  await openPool(t, 1).run(task('count'), 1000, { onMessage: (report) => reports.push(report) });
  t.deepEqual(
    reports,
    Array.from({ length: 1000 }, (_, i) => i),
  );
});

test('map says of which input a report is', async (t) => {
  const reports: unknown[][] = [[], [], []];
  const onMessage = (report: unknown, index: number) => reports[index].push(report);
  await collect(openPool(t, 2).map(task('count'), [3, 1, 2], { onMessage }));
  t.deepEqual(reports, [[0, 1, 2], [0], [0, 1]]);
});

test('reports arrive while the task runs; an error of the listener ends it', async (t) => {
  const pool = openPool(t, 1);
  const onMessage = (report: unknown) => {
    throw new Error(`no more after ${report}`);
  };
  await t.throwsAsync(pool.run(task('reportAndStay'), 5, { onMessage }), { message: 'no more after 5' });
  await t.throwsAsync(pool.run(task('count'), 5, { onMessage }), { message: 'no more after 0' });
});

test('moved buffers change hands instead of being copied, both ways', async (t) => {
  const pool = openPool(t, 1);
  const x = new Float64Array([1, 2, 3]);
  t.is(await pool.run(task('sumOf'), x, { transfer: [x.buffer] }), 6);
  t.is(x.buffer.byteLength, 0);

  const result = await pool.run<number, Float64Array>(task('giveAway'), 1000);
  t.deepEqual(result, new Float64Array(1000).fill(1));
  t.is(await pool.run(task('bytesKept'), null), 0);
});

test('what cannot be cloned is an error at once, and the pool goes on', async (t) => {
  const pool = openPool(t, 1);
  await t.throwsAsync(
    pool.run(task('double'), () => {}),
    { instanceOf: TypeError, message: /^task double: .*could not be cloned/ },
  );
  await t.throwsAsync(pool.run(task('unclonable'), null), { message: /could not be cloned/ });
  t.is(await pool.run(task('double'), 3), 6);
});

test('close ends unfinished tasks and refuses new ones', async (t) => {
  const pool = new WorkerPool({ workers: 1 });
  const running = t.throwsAsync(pool.run(task('spin'), 60_000));
  const queued = t.throwsAsync(pool.run(task('double'), 1));
  await delay(20);
  await Promise.all([pool.close(), pool.close()]);
  t.true((await running) instanceof InterruptedError);
  t.true((await queued) instanceof InterruptedError);
  await t.throwsAsync(pool.run(task('double'), 1), { instanceOf: UsageError, message: /closed/ });
});

test('a process ends by itself after close, also right after an abort and a crash', async (t) => {
  const script = `
    import { WorkerPool } from ${JSON.stringify(new URL('../../src/workers/index.js', import.meta.url).href)};
    const module = ${JSON.stringify(MODULE.href)};
    const pool = new WorkerPool({ workers: 2 });
    const stop = new AbortController();
    const results = [
      pool.run({ module, name: 'spin' }, 60000, { signal: stop.signal, onMessage() {} }).catch((e) => e.code),
      pool.run({ module, name: 'die' }, null).catch((e) => e.code),
    ];
    results.push(await results[1], pool.run({ module, name: 'spin' }, 60000).catch((e) => e.code));
    stop.abort();
    await pool.close();
    console.log((await Promise.all(results)).join());
  `;
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 });
  t.is((await child).stdout.trim(), 'INTERRUPTED,IO,IO,INTERRUPTED');
  t.is((await child).stderr, '');
});

test('a pool has at least one worker', (t) => {
  for (const workers of [0, -1, 1.5, Number.NaN, 2000]) {
    t.throws(() => new WorkerPool({ workers }), {
      instanceOf: UsageError,
      message: new RegExp(`workers is ${workers}`),
    });
  }
});

test('a worker has loaded the module that its pool names before its first task, and no other has', async (t) => {
  const preload = new URL('./preloaded.js', import.meta.url);
  const [ahead, plain] = [new WorkerPool({ workers: 1, preload }), openPool(t, 1)];
  t.teardown(() => ahead.close());
  t.true(await ahead.run(task('isPreloaded'), undefined));
  t.false(await plain.run(task('isPreloaded'), undefined));
});

test('a module that cannot be loaded ahead leaves other tasks as they are, and is the error of its own', async (t) => {
  const preload = new URL('./absent.js', import.meta.url);
  const pool = new WorkerPool({ workers: 1, preload });
  t.teardown(() => pool.close());
  t.is(await pool.run(task('double'), 21), 42);
  await t.throwsAsync(pool.run({ module: preload, name: 'double' }, 1), { message: /absent\.js/ });
});
