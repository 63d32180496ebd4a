import { constants } from 'node:fs';
import { copyFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listFolder, statsOf } from '../formats/entries.js';
import { ABANDONED_SECONDS } from '../formats/heartbeat.js';
import { systemErrorCode } from '../formats/system-errors.js';
import { removeTemporary } from '../formats/temporaries.js';
import type { Run } from './plan.js';
import { shardsFolder, writersFolder } from './shard-files.js';

/* Files of writers: of those at work, and what interrupted and killed ones have left. */

const PART_NAME = /^\d{5,}\.part$/;
/** A manifest that was killed before it had its name. */
const UNNAMED_MANIFEST = /^\.\d{5,}\.json\..*\.tmp$/;
const WRITER_NAME = /^\.(\d{5,})\.safetensors\..*\.tmp$/;

/** Files of writers, at work or dead, by the index of their shard. */
export async function listWriters(run: Run): Promise<ReadonlyMap<number, readonly string[]>> {
  const folder = writersFolder(run);
  const writers = new Map<number, string[]>();
  for (const name of await listFolder(folder, [])) {
    const index = WRITER_NAME.exec(name)?.[1];
    if (index !== undefined) writers.set(Number(index), [...(writers.get(Number(index)) ?? []), join(folder, name)]);
  }
  return writers;
}

/**
 * Seconds since a writer last touched its file; undefined if it is gone.
 * @param now milliseconds, of the file system's clock if it is known
 */
export async function silence(path: string, now = Date.now()): Promise<number | undefined> {
  const stats = await statsOf(path);
  return stats === undefined ? undefined : (now - stats.mtimeMs) / 1000;
}

/** Files of a shard whose writers were killed. One that was only held up finds its file gone, and the shard done by another. */
export async function abandonedFiles(run: Run, index: number, now: number): Promise<string[]> {
  return abandoned((await listWriters(run)).get(index) ?? [], now);
}

async function abandoned(paths: readonly string[], now = Date.now()): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) if (((await silence(path, now)) ?? 0) > ABANDONED_SECONDS) found.push(path);
  return found;
}

/**
 * Removes from a complete run what interrupted and killed writers have left behind shards that others have done. What cannot be
 * removed stays: whoever merges need not be allowed to write there.
 */
export async function removeLeftovers(run: Run): Promise<void> {
  const named = async (folder: string, pattern: RegExp) =>
    (await listFolder(folder, [])).filter((name) => pattern.test(name)).map((name) => join(folder, name));
  const parts = await named(writersFolder(run), PART_NAME);
  const unnamed = await named(shardsFolder(run), UNNAMED_MANIFEST);
  const dead = await abandoned([...unnamed, ...[...(await listWriters(run)).values()].flat()]);
  for (const path of [...parts, ...dead]) await rm(path, { force: true }).catch(() => {});
}

/** Whether an error comes of another process having taken the file of this one for that of a dead one. */
export async function isTakenOver(run: Run, temporary: string, error: unknown): Promise<boolean> {
  if (systemErrorCode(error) !== 'ENOENT') return false;
  const folder = await stat(writersFolder(run)).catch(() => undefined);
  return folder?.isDirectory() === true && (await silence(temporary)) === undefined;
}

/**
 * Makes what an earlier writer left the temporary of this one: `part`, which no one writes any more, or else a copy of the longest
 * file of `dead` writers, since one of them may only have been held up. Of two who try, one succeeds.
 */
export async function takeOver(part: string, dead: readonly string[], temporary: string): Promise<void> {
  try {
    // It is old, and would be taken for that of a dead writer the moment it has the name of one.
    const now = new Date();
    await utimes(part, now, now);
    await rename(part, temporary);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    await copyLongest(dead, temporary);
  }
  // In a folder that several people share, those of others may have to stay.
  for (const path of dead) await rm(path, { force: true }).catch(() => {});
}

/** Leaves what an earlier writer left to a later one, such as one that finds more room on the disk. */
export async function giveBack(temporary: string, part: string): Promise<void> {
  try {
    if ((await stat(temporary)).size > 0) await rename(temporary, part);
  } finally {
    removeTemporary(temporary);
  }
}

/** The longest has the most checksums. Where it is gone, or the disk has no room for two, the shard begins anew. */
async function copyLongest(paths: readonly string[], temporary: string): Promise<void> {
  try {
    const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
    const longest = paths[sizes.indexOf(Math.max(...sizes))];
    if (longest !== undefined) await copyFile(longest, temporary, constants.COPYFILE_FICLONE);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    // A copy that fails takes its target away.
    await writeFile(temporary, '');
  }
}
