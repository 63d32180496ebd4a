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

/** A value of any kind as messages quote it: on one line and cut after 60 characters. */
export function brief(value: unknown): string {
  let text: string | undefined;
  try {
    // JSON has no NaN or Infinity and would call them null.
    text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  } catch {
    return 'a value nested too deeply';
  }
  if (text === undefined) return 'none';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** A name from a file as messages show it, without quotes: on one line and cut after 60 characters. */
export function briefName(name: string): string {
  const line = name.slice(0, 61).replace(/\p{Cc}+/gu, ' ');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
