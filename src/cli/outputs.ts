import { readdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { OutputError } from '../errors.js';
import { checkWritable, writeOutput } from '../formats/files.js';
import { encodeNpy, type NpyArray } from '../formats/npy.js';
import { manifestJson } from '../manifest.js';

const encode = (text: string) => new TextEncoder().encode(text);

/** JSON in which figures that do not exist are null. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, (_, entry) => (typeof entry === 'number' && !Number.isFinite(entry) ? null : entry), 2)}\n`;
}

/**
 * Tells before any work starts whether `writeOutputFolder` has a chance: the parent is writable, and what stands at the
 * path is nothing, an empty folder, or one that `replaces` accepts.
 * @throws OutputError if not
 */
export async function checkFolderWritable(path: string, replaces: (path: string) => Promise<boolean>): Promise<void> {
  const folder = path.replace(/\/+$/, '');
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return checkWritable(folder);
  if (!found.isDirectory()) {
    throw new OutputError(`cannot write ${path}: it is not a folder, expected a folder or a new name`);
  }
  if ((await readdir(folder)).length > 0 && !(await replaces(folder))) {
    throw new OutputError(`cannot write ${path}: the folder holds other files, expected an empty one or a new name`);
  }
  // The folder is replaced by a rename beside it.
  await checkWritable(`${folder}.new`);
}

/** Writes arrays as one `.npz` with its manifest inside. */
export async function writeArchive(
  path: string,
  kind: string,
  facts: Readonly<Record<string, unknown>>,
  arrays: ReadonlyMap<string, NpyArray>,
): Promise<void> {
  const manifest = manifestJson(kind, facts, arrays);
  const { encodeNpz } = await import('../formats/npz.js');
  await writeOutput(path, encodeNpz(arrays, new Map([['manifest.json', manifest]])));
}

/** Writes one array as `.npy`, and its manifest beside it as `<path>.json`. */
export async function writeArray(
  path: string,
  kind: string,
  facts: Readonly<Record<string, unknown>>,
  name: string,
  array: NpyArray,
): Promise<void> {
  await writeOutput(path, encodeNpy(array));
  await writeOutput(`${path}.json`, encode(manifestJson(kind, facts, new Map([[name, array]]))));
}

/** What differs between two runs of one command: beside the result, as `<path>.run.json`. */
export async function writeRunInfo(
  path: string,
  started: number,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  const info = {
    finished: new Date().toISOString(),
    host: hostname(),
    node: process.versions.node,
    seconds: (performance.now() - started) / 1000,
    ...facts,
  };
  await writeOutput(`${path.replace(/\/+$/, '')}.run.json`, encode(json(info)));
}
