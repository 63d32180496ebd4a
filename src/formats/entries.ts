import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { asInputError, systemErrorCode } from './system-errors.js';

/* What the file system says of a path, for those who may find nothing there. */

/** Undefined if there is nothing. Throws what the system reported: whether the path is to be read or written, the caller knows. */
export async function statIfPresent(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** As `statIfPresent`, of what is to be read. @throws InputError, IoError if the system says nothing of it */
export async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await statIfPresent(path);
  } catch (error) {
    throw asInputError(error, path);
  }
}

/** The names in a folder; `ifMissing` if there is none. @throws InputError */
export async function listFolder(folder: string, ifMissing?: string[]): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (ifMissing !== undefined && systemErrorCode(error) === 'ENOENT') return ifMissing;
    throw asInputError(error, folder);
  }
}
