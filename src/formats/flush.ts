/* What the page cache holds goes to the device. */

import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from './system-errors.js';

/** Answers of file systems that cannot synchronise a folder, whose renames are then as safe as they get. */
const FOLDER_SYNC_UNSUPPORTED = new Set(['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EBADF']);

/** Flushes a folder and every file and folder below it. */
export async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncFile(path);
  }
  await syncFolder(folder);
}

/** Flushes a folder's list of names, after which a rename in it lasts. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await syncFile(folder);
  } catch (error) {
    if (!FOLDER_SYNC_UNSUPPORTED.has(systemErrorCode(error) ?? '')) throw error;
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
