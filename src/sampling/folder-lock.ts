import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OutputError } from '../errors.js';
import { systemErrorCode } from '../formats/system-errors.js';

/* `lock.<process>.<random>.<host>`: the name says it all, so that a lock is never seen half-written. */
const LOCK = /^lock\.(\d+)\.[0-9a-f]+\.(.*)$/;

/** Locks of this process. Any other lock with its number was left by a former process of the same number. */
const own = new Set<string>();

export function isLock(name: string): boolean {
  return LOCK.test(name);
}

/** Milliseconds that a killed process is given to die: it cannot before the device has taken what it was writing. */
const GRACE = 2000;
const POLL = 50;

/**
 * Claims a folder for this process until it is released or the process ends, however it ends.
 *
 * Every claimant first puts its own lock and then looks for others. So of two at the same moment at least one withdraws,
 * and a lock that a dead process left can be removed without a race.
 *
 * @returns the release
 * @throws OutputError if another process, or another call in this one, has the folder
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const host = encodeURIComponent(hostname());
  const deadline = performance.now() + GRACE;
  for (let holder: string | undefined; ; ) {
    // It did not die but ended in order: what it was asked to do is done, or left to whoever asks again.
    if (holder !== undefined && !existsSync(join(folder, holder))) {
      throw new OutputError(`${processOf(holder)} was writing it a moment ago; run it again if need be`);
    }
    const name = `lock.${process.pid}.${randomBytes(6).toString('hex')}.${host}`;
    const path = join(folder, name);
    const release = () => {
      own.delete(path);
      rmSync(path, { force: true });
    };
    writeFileSync(path, '', { flag: 'wx' });
    own.add(path);
    holder = readdirSync(folder).find((other) => other !== name && !isStale(folder, other, host));
    if (holder === undefined) return release;
    release();
    const [, pid, where] = LOCK.exec(holder)!;
    if (performance.now() > deadline || where !== host || Number(pid) === process.pid) {
      throw new OutputError(
        `${processOf(holder)} is writing it; if that process has ended, remove ${join(folder, holder)}`,
      );
    }
    await delay(POLL);
  }
}

function processOf(lock: string): string {
  const [, pid, host] = LOCK.exec(lock)!;
  return `process ${pid} on ${decodeURIComponent(host)}`;
}

/** Whether a file is no lock, or one whose process has ended; such a lock is removed. */
function isStale(folder: string, name: string, host: string): boolean {
  const match = LOCK.exec(name);
  if (match === null) return true;
  const path = join(folder, name);
  if (match[2] !== host || isRunning(Number(match[1]), path)) return false;
  rmSync(path, { force: true });
  return true;
}

function isRunning(pid: number, lock: string): boolean {
  if (pid === process.pid) return own.has(lock);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return systemErrorCode(error) !== 'ESRCH';
  }
}
