import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import { sha256OfFile } from '../../formats/checksum.js';
import { parseAddress } from '../../formats/hdf5/address.js';
import { asInputError } from '../../formats/system-errors.js';
import { MANIFEST } from '../../sampling/sample-manifest.js';

/** Names of the files that samples are read from; see `NamedSamples`. */
export interface SamplePaths {
  readonly path?: string;
  readonly energy?: string;
  readonly logQ?: string;
  readonly x?: string;
  readonly arrays?: Readonly<Record<string, string>>;
}

/** A file as it was when the plan was made. */
export interface InputFile {
  readonly path: string;
  readonly bytes: number;
  /** Time of its last change, ISO 8601. */
  readonly modified: string;
  /** Of its content, if that was looked at. */
  readonly sha256?: string;
}

/** The same names from anywhere: shards run in folders of their own. */
export function absolutePaths({ path, energy, logQ, x, arrays = {} }: SamplePaths): SamplePaths {
  return {
    ...(path === undefined ? {} : { path: resolve(path) }),
    ...(energy === undefined ? {} : { energy: absoluteAddress(energy) }),
    ...(logQ === undefined ? {} : { logQ: absoluteAddress(logQ) }),
    ...(x === undefined ? {} : { x: absoluteAddress(x) }),
    arrays: Object.fromEntries(Object.entries(arrays).map(([name, file]) => [name, absoluteAddress(file)])),
  };
}

function absoluteAddress(text: string): string {
  const { file, dataset } = parseAddress(text);
  return dataset === undefined ? resolve(file) : `${resolve(file)}:${dataset}`;
}

/**
 * Everything that is read of samples, as it is now.
 *
 * @param used arrays that are read of the sample set itself
 * @throws InputError if a file is missing; UsageError if one cannot be read again and again, such as a pipe
 */
export async function inputFiles(paths: SamplePaths, used: readonly string[]): Promise<InputFile[]> {
  const { path, energy, logQ, x, arrays = {} } = paths;
  const given = [energy, logQ, x, ...Object.values(arrays)].flatMap((text) =>
    text === undefined ? [] : [parseAddress(text).file],
  );
  const own = path === undefined ? [] : await filesOfSet(path, used);
  return Promise.all([...new Set([...own, ...given])].map(asItIs));
}

async function filesOfSet(path: string, used: readonly string[]): Promise<string[]> {
  if (!(await statOf(path)).isDirectory()) return [path];
  return [join(path, MANIFEST), ...used.map((name) => join(path, `${name}.npy`))];
}

/** The same with the SHA-256 of their contents. */
export async function withContents(files: readonly InputFile[]): Promise<InputFile[]> {
  const hashed: InputFile[] = [];
  for (const file of files) hashed.push({ ...file, sha256: await sha256OfFile(file.path) });
  return hashed;
}

/**
 * Compares files with what they were. One that was touched and nothing else, as is done where old files are purged, is read to see
 * that it has the same content.
 *
 * @param touched times of last change, by path, of files that were read for that before
 * @throws DataError naming the first file that is not as it was; InputError if it is missing
 */
export async function requireUnchanged(
  files: readonly InputFile[],
  touched: Map<string, string> = new Map(),
): Promise<void> {
  for (const file of files) {
    const now = await asItIs(file.path);
    if (now.bytes === file.bytes) {
      if ([file.modified, touched.get(file.path)].includes(now.modified)) continue;
      if (file.sha256 !== undefined && (await sha256OfFile(file.path)) === file.sha256) {
        touched.set(file.path, now.modified);
        continue;
      }
    }
    const [found, expected] = [now, file].map(({ bytes, modified }) => `${bytes} bytes of ${modified}`);
    throw new DataError(
      `${file.path}: changed since the plan was made: ${found}, expected ${expected}; make another plan`,
    );
  }
}

async function asItIs(path: string): Promise<InputFile> {
  const stats = await statOf(path);
  if (!stats.isFile()) throw new UsageError(`${path}: not a regular file, expected one that every shard can read`);
  return { path, bytes: stats.size, modified: stats.mtime.toISOString() };
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    throw asInputError(error, path);
  }
}
