import { readdir, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OutputError } from '../errors.js';
import { statIfPresent } from './entries.js';
import { systemErrorCode } from './system-errors.js';

/**
 * Renaming onto /dev/null or a pipe would replace the device itself, so only files may be overwritten.
 * @throws OutputError for anything else that is there
 */
export async function requireFileTarget(path: string): Promise<void> {
  if (path === '' || path.endsWith('/')) throw new OutputError(`cannot write '${path}': expected the name of a file`);
  refuseDash(path);
  const stats = await statIfPresent(path);
  if (stats === undefined || stats.isFile()) return;
  const found = stats.isDirectory() ? 'a folder' : 'a device or pipe';
  throw new OutputError(`cannot write ${path}: it is ${found}, expected a file or a new name`);
}

/**
 * @param replaces whether a folder that is not empty was written by us and may be replaced; without it none may
 * @returns what is there: nothing, an empty folder, or one that may be replaced
 * @throws OutputError for anything else
 */
export async function requireFolderTarget(
  path: string,
  replaces?: (path: string) => Promise<boolean>,
): Promise<'nothing' | 'empty' | 'ours'> {
  refuseDash(path);
  const stats = await statIfPresent(path);
  if (stats === undefined) return 'nothing';
  if (!stats.isDirectory()) {
    throw new OutputError(`cannot write ${path}: it is not a folder, expected a folder or a new name`);
  }
  if ((await readdir(path)).length === 0) return 'empty';
  if (await replaces?.(path)) return 'ours';
  throw new OutputError(`cannot write ${path}: the folder holds other files, expected an empty one or a new name`);
}

/** What means standard output elsewhere would be a file here that other programs find hard to name. */
function refuseDash(path: string): void {
  if (path !== '-') return;
  throw new OutputError(
    'cannot write -: results are files with a manifest; expected a name, or ./- for a file called so',
  );
}

/** The path behind symbolic links, so that they stay and what they point to is replaced. */
export async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return resolve(path);
    throw error;
  }
}
