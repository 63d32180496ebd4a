import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** File names end at 255 bytes; the rest of a temporary's name needs 40 and a character up to four. */
const MAXIMUM_NAME_CHARACTERS = 50;

const live = new Set<string>();

/**
 * Creates an empty file or folder `.<name>.<pid>.<random>.tmp` beside `path` and registers it. Creation is synchronous:
 * a signal handler finds either nothing or something registered.
 */
export function createTemporary(path: string, kind: 'file' | 'folder'): string {
  const temporary = temporaryPath(path);
  if (kind === 'file') writeFileSync(temporary, '', { flag: 'wx' });
  else mkdirSync(temporary);
  live.add(temporary);
  return temporary;
}

/** A name for a temporary of `path` that no other call and no other process uses. */
export function temporaryPath(path: string): string {
  const name = Array.from(basename(path)).slice(0, MAXIMUM_NAME_CHARACTERS).join('');
  return join(dirname(path), `.${name}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Forgets a temporary that now has its final name. */
export function keepTemporary(temporary: string): void {
  live.delete(temporary);
}

/** Removes one temporary; a failure to do so must not hide the error that led here. */
export function removeTemporary(temporary: string): void {
  live.delete(temporary);
  try {
    rmSync(temporary, { recursive: true, force: true });
  } catch {
    // Left behind under a name that tells what it is.
  }
}

/**
 * Removes every file and folder that this thread has begun and not finished, for a signal handler: synchronous, never
 * throws. A write in progress then fails and its target stays as it was.
 */
export function removeTemporaries(): void {
  for (const temporary of [...live]) removeTemporary(temporary);
}
