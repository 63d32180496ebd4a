import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError, OutputError } from '../errors.js';
import { ABANDONED_SECONDS, HEARTBEAT_SECONDS } from '../formats/heartbeat.js';
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

const POLL_ELSEWHERE = 1000;

/**
 * Claims a folder for this process until it is released or the process ends, however it ends. Whether a process of another
 * machine has ended cannot be asked: its lock is watched until it is touched or has not been for so long that it must be a dead one's.
 *
 * Every claimant first puts its own lock and then looks for others. So of two at the same moment at least one withdraws,
 * and a lock that a dead process left can be removed without a race.
 *
 * @returns the release
 * @throws OutputError if another process, or another call in this one, has the folder; InterruptedError if the signal aborts
 */
export async function lockFolder(folder: string, signal?: AbortSignal): Promise<() => void> {
  const host = encodeURIComponent(hostname());
  const deadline = performance.now() + GRACE;
  let before: Holder | undefined;
  for (;;) {
    // It did not die but ended in order: what it was asked to do is done, or left to whoever asks again.
    if (before !== undefined && !existsSync(join(folder, before.lock))) {
      throw new OutputError(`${processOf(before.lock)} was writing it a moment ago; run it again if need be`);
    }
    const name = `lock.${process.pid}.${randomBytes(6).toString('hex')}.${host}`;
    const path = join(folder, name);
    writeFileSync(path, BEAT, { flag: 'wx' });
    own.add(path);
    const holder = holderOf(folder, name, host);
    if (holder === undefined) return held(path);
    remove(path);
    const [, pid, where] = LOCK.exec(holder.lock)!;
    const isAlive =
      where === host
        ? performance.now() > deadline || Number(pid) === process.pid
        : before !== undefined && (before.lock !== holder.lock || before.touched !== holder.touched);
    if (isAlive) {
      throw new OutputError(
        `${processOf(holder.lock)} is writing it; if that process has ended, remove ${join(folder, holder.lock)}`,
      );
    }
    before = holder;
    await delay(where === host ? POLL : POLL_ELSEWHERE, undefined, signal ? { signal } : {}).catch((cause) => {
      throw new InterruptedError(`interrupted while ${processOf(holder.lock)} had it; run it again`, { cause });
    });
  }
}

/** What a heartbeat writes: no time is set, since the clock that counts is that of the file system. */
const BEAT = '\n';

/** Keeps a lock alive. @returns its release */
function held(path: string): () => void {
  const heartbeat = setInterval(() => {
    writeFile(path, BEAT, { flag: 'r+' }).catch(() => {});
  }, 1000 * HEARTBEAT_SECONDS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    remove(path);
  };
}

function remove(path: string): void {
  own.delete(path);
  rmSync(path, { force: true });
}

/** A lock, and when it was touched last, in milliseconds. */
interface Holder {
  readonly lock: string;
  readonly touched: number;
}

/** The lock of a living process beside the one just put. Those of dead ones are removed. */
function holderOf(folder: string, name: string, host: string): Holder | undefined {
  const now = touchedAt(join(folder, name));
  for (const lock of readdirSync(folder)) {
    const match = LOCK.exec(lock);
    if (match === null || lock === name) continue;
    const path = join(folder, lock);
    const touched = touchedAt(path);
    const isDead = match[2] === host ? !isRunning(Number(match[1]), path) : now - touched > 1000 * ABANDONED_SECONDS;
    if (!isDead) return { lock, touched };
    rmSync(path, { force: true });
  }
  return undefined;
}

/** Long ago if it is gone. */
function touchedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}

function processOf(lock: string): string {
  const [, pid, host] = LOCK.exec(lock)!;
  return `process ${pid} on ${decodeURIComponent(host)}`;
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
