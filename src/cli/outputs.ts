import { hostname } from 'node:os';
import { writeOutput } from '../formats/files.js';
import { encodeNpy, type NpyArray } from '../formats/npy.js';
import { manifestJson } from '../manifest.js';

const encode = (text: string) => new TextEncoder().encode(text);

/** JSON in which figures that do not exist are null. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, (_, entry) => (typeof entry === 'number' && !Number.isFinite(entry) ? null : entry), 2)}\n`;
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
