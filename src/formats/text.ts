import { DataError } from '../errors.js';

/** A byte-order mark is kept, so that decoding and encoding give the same bytes. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes UTF-8.
 *
 * @param what names the text within the file `source`, for messages
 * @throws DataError if the bytes are not UTF-8
 */
export function decodeText(bytes: Uint8Array, source: string, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new DataError(`${source}: ${what} is not UTF-8 text`, { cause });
  }
}
