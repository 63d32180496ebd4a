import { constants as bufferConstants } from 'node:buffer';
import { constants, renameSync } from 'node:fs';
import { access, type FileHandle, open, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError, IoError, OutputError } from '../errors.js';
import { statIfPresent } from './entries.js';
import { syncFolder, syncTree } from './flush.js';
import { asInputError, asOutputError } from './system-errors.js';
import { followLinks, requireFileTarget, requireFolderTarget } from './targets.js';
import { createTemporary, keepTemporary, removeTemporary, temporaryPath } from './temporaries.js';

/** One read call takes at most 2 GiB on Linux; smaller pieces cost nothing. */
const READ_CHUNK_BYTES = 1 << 28;

export interface FolderOptions {
  /** Whether an existing non-empty folder was written by us and may be replaced; without it none may. */
  readonly replaces?: (path: string) => Promise<boolean>;
}

/**
 * Reads a whole file, of any size that fits a buffer, or a pipe to its end.
 *
 * @throws InputError if it does not exist, is a folder or may not be read
 * @throws IoError if reading fails underway
 */
export async function readInput(path: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stats = await handle.stat();
    // Pipes and the files of /proc do not know their size.
    if (!stats.isFile() || stats.size === 0) return await handle.readFile();
    return await readWhole(handle, stats.size, path);
  } catch (error) {
    throw asInputError(error, path);
  } finally {
    await handle?.close();
  }
}

/** `FileHandle.readFile` refuses files above 2 GiB, hence this loop. */
async function readWhole(handle: FileHandle, size: number, path: string): Promise<Uint8Array> {
  if (size > bufferConstants.MAX_LENGTH) {
    throw new InputError(`cannot read ${path}: ${size} bytes, expected at most ${bufferConstants.MAX_LENGTH}`);
  }
  const bytes = new Uint8Array(size);
  let position = 0;
  while (position < size) {
    const { bytesRead } = await handle.read(bytes, position, Math.min(size - position, READ_CHUNK_BYTES), position);
    if (bytesRead === 0)
      throw new IoError(`cannot read ${path}: it shrank from ${size} bytes to ${position} meanwhile`);
    position += bytesRead;
  }
  return bytes;
}

/**
 * Writes a file so that its name always stands for whole content, old or new: into a temporary in the same folder,
 * flushed to the device, then renamed. A symbolic link stays and the file it points to is replaced.
 *
 * @throws OutputError if the folder is missing or not writable, or the path is a folder, device or pipe
 * @throws IoError if writing fails underway, for example because the disk is full; nothing is left behind
 */
export async function writeOutput(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  await (await prepareOutput(path, bytes)).publish();
}

/** A file that is whole and on the device, and has not its name yet. */
export interface PreparedOutput {
  /** Gives it its name. @throws OutputError, IoError as `writeOutput` */
  publish(): Promise<void>;
  /** Removes it. */
  discard(): void;
}

/** The first part of `writeOutput`, all that takes room on the disk. @throws as `writeOutput` */
export async function prepareOutput(
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<PreparedOutput> {
  let temporary: string | undefined;
  const discard = () => {
    if (temporary !== undefined) removeTemporary(temporary);
  };
  try {
    await requireFileTarget(path);
    const target = await followLinks(path);
    const prepared = createTemporary(target, 'file');
    temporary = prepared;
    // 'r+' and not 'w': if a signal handler has removed the temporary, it must not come back.
    const handle = await open(prepared, 'r+');
    try {
      await writeFile(handle, bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const publish = async () => {
      try {
        renameSync(prepared, target);
        keepTemporary(prepared);
        await syncFolder(dirname(target));
      } catch (error) {
        discard();
        throw asOutputError(error, path);
      }
    };
    return { publish, discard };
  } catch (error) {
    discard();
    throw asOutputError(error, path);
  }
}

/**
 * Writes a folder so that its name never stands for partial content: `write` fills a temporary folder beside it, which
 * is flushed and renamed. An existing folder must be empty or pass `options.replaces`, asked before the work and again
 * before the rename. Replacing takes two renames; a process killed exactly between them leaves both versions under
 * temporary names.
 *
 * @throws OutputError as `writeOutput`, or for an existing folder that may not be replaced
 * @throws IoError as `writeOutput`; other errors of `write` pass through, those of its system calls translated
 */
export async function writeOutputFolder(
  path: string,
  write: (folder: string) => Promise<void>,
  options: FolderOptions = {},
): Promise<void> {
  let temporary: string | undefined;
  try {
    await requireFolderTarget(path, options.replaces);
    const target = await followLinks(path);
    temporary = createTemporary(target, 'folder');
    await write(temporary);
    await syncTree(temporary);
    if ((await requireFolderTarget(path, options.replaces)) === 'nothing') renameSync(temporary, target);
    else exchange(temporary, target);
    keepTemporary(temporary);
    await syncFolder(dirname(target));
  } catch (error) {
    if (temporary !== undefined) removeTemporary(temporary);
    throw asOutputError(error, path);
  }
}

/**
 * Tells before any work starts whether `writeOutput` has a chance: the folder exists and is writable, and the path is
 * not a folder, device or pipe.
 *
 * @throws OutputError if not
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    await requireFileTarget(path);
    const folder = dirname(await followLinks(path));
    const stats = await statIfPresent(folder);
    if (stats === undefined) throw new OutputError(`cannot write ${path}: no folder ${folder}`);
    if (!stats.isDirectory()) throw new OutputError(`cannot write ${path}: ${folder} is not a folder`);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw asOutputError(error, path);
  }
}

/**
 * Tells before any work starts whether `writeOutputFolder` has a chance: the parent is writable, and what stands at the path is
 * nothing, an empty folder, or one that `replaces` accepts.
 * @throws OutputError if not
 */
export async function checkFolderWritable(path: string, { replaces }: FolderOptions): Promise<void> {
  const folder = path.replace(/\/+$/, '');
  try {
    const found = await requireFolderTarget(folder, replaces);
    // What is there is replaced by a rename beside it.
    await checkWritable(found === 'nothing' ? folder : `${folder}.new`);
  } catch (error) {
    throw asOutputError(error, path);
  }
}

/** Synchronous, so that no signal handler sees the moment at which the target is missing. */
function exchange(temporary: string, target: string): void {
  const former = temporaryPath(target);
  renameSync(target, former);
  try {
    renameSync(temporary, target);
  } catch (error) {
    renameSync(former, target);
    throw error;
  }
  removeTemporary(former);
}
