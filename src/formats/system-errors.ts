import { EquiflowError, InputError, IoError, OutputError } from '../errors.js';

/** The device or file system failed, or has no room left, although the path was good. */
const FAILED_UNDERWAY = new Set([
  'EIO',
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ESTALE',
  'ETIMEDOUT',
]);

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder, expected a file',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EIO: 'input/output error',
  ENAMETOOLONG: 'the name is too long',
  EFBIG: 'the file grew beyond the allowed size',
};

/** The code of an error that a system call reported, such as ENOENT, or undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === undefined ? undefined : code;
}

/** What to throw for an error met while reading `path`; errors that the system did not report stay what they are. */
export function asInputError(error: unknown, path: string): unknown {
  return translate(error, `cannot read ${path}`, InputError);
}

/** What to throw for an error met while writing `path`; errors that the system did not report stay what they are. */
export function asOutputError(error: unknown, path: string): unknown {
  return translate(error, `cannot write ${path}`, OutputError);
}

function translate(error: unknown, what: string, BadPath: typeof InputError | typeof OutputError): unknown {
  const code = systemErrorCode(error);
  if (error instanceof EquiflowError || code === undefined) return error;
  const reason = REASONS[code] ?? (error as Error).message;
  const message = `${what}: ${reason} (${code})`;
  return FAILED_UNDERWAY.has(code) ? new IoError(message, { cause: error }) : new BadPath(message, { cause: error });
}
