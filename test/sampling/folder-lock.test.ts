import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { InterruptedError, OutputError } from '../../src/errors.js';
import { ABANDONED_SECONDS } from '../../src/formats/heartbeat.js';
import { lockFolder } from '../../src/sampling/folder-lock.js';
import { ownFolder } from '../own-folder.js';

/** A folder with the lock of a process of another machine, touched some seconds ago. */
async function lockedElsewhere(t: ExecutionContext, secondsAgo: number): Promise<{ folder: string; lock: string }> {
  const folder = await ownFolder(t);
  const lock = join(folder, 'lock.1.0123456789ab.another-machine');
  await writeFile(lock, '');
  await touch(lock, secondsAgo);
  return { folder, lock };
}

async function touch(path: string, secondsAgo: number): Promise<void> {
  const time = Date.now() / 1000 - secondsAgo;
  await utimes(path, time, time);
}

test('what a process of a lost machine had is had by the next, as soon as it has not been touched for long', async (t) => {
  for (const secondsAgo of [2 * ABANDONED_SECONDS, ABANDONED_SECONDS - 1]) {
    const { folder } = await lockedElsewhere(t, secondsAgo);
    const release = await lockFolder(folder);
    t.regex((await readdir(folder)).join(), new RegExp(`^lock\\.${process.pid}\\.`));
    release();
    t.deepEqual(await readdir(folder), []);
  }
});

test('a process of another machine that touches its lock is alive: whoever comes is refused with its name', async (t) => {
  const { folder, lock } = await lockedElsewhere(t, 30);
  const heartbeat = setInterval(() => touch(lock, 0), 20);
  const error = await t.throwsAsync(lockFolder(folder), { instanceOf: OutputError });
  clearInterval(heartbeat);
  t.regex(error.message, /^process 1 on another-machine is writing it; if that process has ended, remove /);
  t.is((await readdir(folder)).length, 1);
});

test('whoever waits to see whether another machine is alive can be interrupted', async (t) => {
  const { folder } = await lockedElsewhere(t, 0);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  await t.throwsAsync(lockFolder(folder, controller.signal), { instanceOf: InterruptedError });
  t.is((await readdir(folder)).length, 1);
});
