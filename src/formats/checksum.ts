import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { asInputError } from './system-errors.js';

/** SHA-256 (FIPS 180-4) of the bytes in lower-case hexadecimal, as `sha256sum` prints it. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The same of a file of any size. @throws InputError, IoError as `readInput` */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  } catch (error) {
    throw asInputError(error, path);
  }
  return hash.digest('hex');
}
