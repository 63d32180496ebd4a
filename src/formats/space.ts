import { statfs } from 'node:fs/promises';
import { IoError } from '../errors.js';

/** A size as messages say it. */
export function gigabytes(bytes: number): string {
  return `${Number((bytes / 1e9).toPrecision(3))} GB`;
}

/**
 * Fails before the work where its result cannot fit.
 *
 * @param path as messages name the result
 * @param folder where it will be written
 * @param need subject and verb of what the bytes are for
 * @throws IoError if there is no room
 */
export async function requireSpace(path: string, folder: string, bytes: number, need = 'it needs'): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(folder);
  // Some network file systems do not tell.
  if (blocks === 0 || bytes <= bavail * bsize) return;
  throw new IoError(
    `cannot write ${path}: ${need} ${gigabytes(bytes)}, and ${gigabytes(bavail * bsize)} are free there`,
  );
}
