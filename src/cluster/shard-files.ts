import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { bytesOf, type Elements } from '../formats/element-writer.js';
import { listFolder, statsOf } from '../formats/entries.js';
import { isRecord } from '../formats/record.js';
import { encodeSafetensorsHeader, type SafetensorsHeader } from '../formats/safetensors.js';
import { elementCount } from '../formats/shape.js';
import { asInputError, systemErrorCode } from '../formats/system-errors.js';
import { brief } from '../formats/text.js';
import type { ArrayEntry } from '../manifest.js';
import { VERSION } from '../version.js';
import { blockAt, blockCount, type Job, type TensorSpec } from './job.js';
import { type Run, shardRange } from './plan.js';

const KIND = 'equiflow shard';
const FORMAT = 1;

/** Where the files of a shard are. */
export interface ShardPaths {
  readonly data: string;
  readonly manifest: string;
  /** What an interrupted writer has left. */
  readonly part: string;
}

export function shardsFolder({ folder }: Run): string {
  return join(folder, 'shards');
}

/**
 * Where shards are written until they are whole: among few names, for those who look for files of the dead, and on the same file
 * system as the shards, wherever that is mounted.
 */
export function writersFolder(run: Run): string {
  return join(shardsFolder(run), 'writers');
}

export function shardPaths(run: Run, index: number): ShardPaths {
  const name = String(index).padStart(5, '0');
  return {
    data: join(shardsFolder(run), `${name}.safetensors`),
    manifest: join(shardsFolder(run), `${name}.json`),
    part: join(writersFolder(run), `${name}.part`),
  };
}

/** The manifest of a shard: with it, and not before, the shard is done. What is read back of it, since a run has thousands. */
export interface ShardManifest {
  readonly plan: string;
  readonly index: number;
  readonly first: number;
  readonly n: number;
  /** CRC-32 of each block. */
  readonly blocks: readonly number[];
}

/** A shard with its place in the data file. */
export interface ShardLayout {
  readonly tensors: readonly TensorSpec[];
  readonly header: SafetensorsHeader;
  readonly blocks: number;
  /** Elements that block k adds to each array. */
  readonly counts: (k: number) => Readonly<Record<string, number>>;
}

export function shardLayout(run: Run, job: Job, index: number): ShardLayout {
  const range = shardRange(run.plan, index);
  const tensors = job.layout(range);
  const descriptions = tensors.map(({ name, type, shape }) => ({
    name,
    dtype: type === '<f4' ? ('F32' as const) : ('F64' as const),
    shape,
  }));
  const about = { kind: KIND, equiflow: VERSION, plan: run.plan.hash, index, ...range };
  return {
    tensors,
    header: encodeSafetensorsHeader(descriptions, { equiflow: JSON.stringify(about) }),
    blocks: blockCount(job, range),
    counts: (k) =>
      Object.fromEntries(job.layout(blockAt(job, range, k)).map(({ name, shape }) => [name, elementCount(shape)])),
  };
}

/** The manifest of a shard: the same bytes whoever writes it. @param digest SHA-256 of an array as a `.npy` file */
export function manifestText(
  run: Run,
  index: number,
  { tensors }: Pick<ShardLayout, 'tensors'>,
  digest: (name: string) => string,
  blocks: readonly number[],
): string {
  const arrays: Record<string, ArrayEntry> = Object.fromEntries(
    tensors.map(({ name, type, shape }) => [
      name,
      { shape, dtype: type === '<f4' ? ('f32' as const) : ('f64' as const), sha256: digest(name) },
    ]),
  );
  const facts = { plan: run.plan.hash, index, ...shardRange(run.plan, index), arrays, blocks: null };
  const text = JSON.stringify({ kind: KIND, version: FORMAT, equiflow: VERSION, ...facts }, null, 2);
  return `${text.replace('"blocks": null', `"blocks": ${JSON.stringify(blocks)}`)}\n`;
}

/** CRC-32 of arrays, one after the other in the order of the layout. */
export function arraysChecksum(
  tensors: readonly Pick<TensorSpec, 'name'>[],
  arrays: Readonly<Record<string, Elements>>,
): number {
  return tensors.reduce((sum, { name }) => crc32(bytesOf(arrays[name]), sum), 0);
}

/** How a shard stands, as its manifest and the sizes of its files tell; its data are read by whoever needs them. */
export type ShardState =
  | { readonly state: 'done'; readonly manifest: ShardManifest }
  | { readonly state: 'missing' }
  /** To be run again. */
  | { readonly state: 'damaged'; readonly reason: string }
  /** Of another plan: somebody's results that must not be touched. */
  | { readonly state: 'foreign'; readonly reason: string };

/** @throws IoError if a file cannot be read though it is there */
export async function shardState(run: Run, job: Job, index: number): Promise<ShardState> {
  const paths = shardPaths(run, index);
  const damaged = (reason: string) => ({ state: 'damaged', reason }) as const;
  let text: string;
  try {
    text = await readFile(paths.manifest, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { state: 'missing' };
    throw asInputError(error, paths.manifest);
  }
  const manifest = parseManifest(text);
  if (manifest === undefined) return damaged(`${paths.manifest}: not the manifest of a shard`);
  const { plan } = run;
  if (manifest.plan !== plan.hash) {
    const reason = `${paths.manifest}: plan is ${brief(manifest.plan)}, expected ${plan.hash}: a shard of another run`;
    return { state: 'foreign', reason };
  }
  const expected = { index, ...shardRange(plan, index) };
  for (const name of ['index', 'first', 'n'] as const) {
    if (manifest[name] !== expected[name]) {
      return damaged(`${paths.manifest}: ${name} is ${brief(manifest[name])}, expected ${expected[name]} by the plan`);
    }
  }
  const layout = shardLayout(run, job, index);
  if (manifest.blocks.length !== layout.blocks) {
    return damaged(`${paths.manifest}: blocks has ${manifest.blocks.length} checksums, expected ${layout.blocks}`);
  }
  const size = (await statsOf(paths.data))?.size;
  if (size === undefined) return damaged(`${paths.data}: missing, though its manifest is there`);
  if (size !== layout.header.size) {
    return damaged(`${paths.data}: ${size} bytes, expected ${layout.header.size}`);
  }
  return { state: 'done', manifest };
}

function parseManifest(text: string): ShardManifest | undefined {
  try {
    const value = JSON.parse(text);
    const sound =
      value.kind === KIND &&
      value.version === FORMAT &&
      typeof value.plan === 'string' &&
      Array.isArray(value.blocks) &&
      value.blocks.every((sum: unknown) => Number.isInteger(sum)) &&
      isRecord(value.arrays);
    if (!sound) return undefined;
    const { plan, index, first, n, blocks } = value;
    return { plan, index, first, n, blocks };
  } catch {
    return undefined;
  }
}

const MANIFEST_NAME = /^(\d{5,})\.json$/;

/** Indices of the shards that have a manifest. @throws InputError if the folder of shards is missing */
export async function listManifests(run: Run): Promise<ReadonlySet<number>> {
  const names = await listFolder(shardsFolder(run));
  return new Set(names.flatMap((name) => MANIFEST_NAME.exec(name)?.slice(1).map(Number) ?? []));
}
