import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError, UsageError } from '../errors.js';
import { sha256 } from '../formats/checksum.js';
import { readInput, writeOutput, writeOutputFolder } from '../formats/files.js';
import { brief, decodeText } from '../formats/text.js';
import { VERSION } from '../version.js';
import { JOB_KINDS, type Job, type JobKind, type UnitRange } from './job.js';

/** Name of the plan in its run folder. */
export const PLAN = 'plan.json';

const KIND = 'equiflow plan';
const FORMAT = 1;

/** A run and how it is cut: all that decides its bytes. Never changed once it is written. */
export interface Plan<Task = unknown> {
  readonly job: JobKind;
  /** What the job is, to be read by its kind alone. */
  readonly task: Task;
  /** Units of a block. */
  readonly block: number;
  /** Index of the first shard: 0, or 1 for schedulers that count from 1. */
  readonly firstIndex: number;
  /** Shard k of K, counted from 0, has the units from boundaries[k] to before boundaries[k + 1]; shape [K + 1], from 0. */
  readonly boundaries: readonly number[];
  /** SHA-256 of everything above. */
  readonly hash: string;
}

/** A plan in its folder. */
export interface Run {
  readonly folder: string;
  readonly plan: Plan;
}

/** How a run is cut. */
export interface Cut {
  readonly shards: number;
  /** Index of the first shard: 0 unless the scheduler counts from 1. */
  readonly firstIndex?: number;
}

/** Index of the first shard. @throws UsageError for one that no scheduler begins with */
export function firstIndexOf({ firstIndex = 0 }: Pick<Cut, 'firstIndex'>): number {
  if (firstIndex !== 0 && firstIndex !== 1) throw new UsageError(`plan: firstIndex is ${firstIndex}, expected 0 or 1`);
  return firstIndex;
}

/** The plan with its hash. */
export function makePlan<Task>(facts: Omit<Plan<Task>, 'hash'>): Plan<Task> {
  return { ...facts, hash: sha256(new TextEncoder().encode(JSON.stringify(content(facts)))) };
}

/** Everything that is hashed, in one order. */
function content({ job, task, block, firstIndex, boundaries }: Omit<Plan, 'hash'>) {
  return { kind: KIND, version: FORMAT, equiflow: VERSION, job, task, block, firstIndex, boundaries };
}

/**
 * Cuts units into shards as equal as their grain allows.
 * @throws UsageError if there are more shards than grains
 */
export function evenBoundaries(units: number, shards: number, grain: number, unit: string): number[] {
  const grains = Math.ceil(units / grain);
  if (!Number.isInteger(shards) || shards < 1 || shards > grains) {
    const limit = grain === 1 ? '' : `, since shards begin at multiples of ${grain} ${unit}`;
    throw new UsageError(`plan: ${shards} shards of ${units} ${unit}, expected an integer from 1 to ${grains}${limit}`);
  }
  // Quotient and rest apart: k·grains may be beyond the integers that a number holds.
  const [quotient, rest] = [Math.floor(grains / shards), grains % shards];
  const grainsBefore = (k: number) => k * quotient + Math.floor((k * rest) / shards);
  return Array.from({ length: shards + 1 }, (_, k) => Math.min(units, grainsBefore(k) * grain));
}

/** The same job cut otherwise. @throws as `evenBoundaries` */
export function recut<Task>(
  { hash: _, ...facts }: Plan<Task>,
  { units, grain, unit }: Pick<Job, 'units' | 'grain' | 'unit'>,
  shards: number,
): Plan<Task> {
  return makePlan({ ...facts, boundaries: evenBoundaries(units, shards, grain, unit) });
}

/**
 * Makes the run folder: the plan, files that belong to it, and room for shards.
 * @throws OutputError if the folder is there and not empty; IoError
 */
export async function writeRun(
  folder: string,
  plan: Plan,
  files: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<Run> {
  await writeOutputFolder(folder, async (temporary) => {
    await mkdir(join(temporary, 'shards', 'writers'), { recursive: true });
    for (const [name, bytes] of files) await writeOutput(join(temporary, name), bytes);
    await writeOutput(join(temporary, PLAN), new TextEncoder().encode(planText(plan)));
  });
  return { folder, plan };
}

/** Readable, with the boundaries in one line. */
function planText(plan: Plan): string {
  const text = JSON.stringify({ ...content(plan), boundaries: null, hash: plan.hash }, null, 2);
  return `${text.replace('"boundaries": null', `"boundaries": [${plan.boundaries.join(', ')}]`)}\n`;
}

/**
 * Reads the plan of a run.
 *
 * @param path the run folder or its plan
 * @throws InputError if there is none; DataError if it is no plan, was changed, or is another version's
 */
export async function readRun(path: string): Promise<Run> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  const file = isFolder ? join(path, PLAN) : path;
  return { folder: dirname(file), plan: decodePlan(await readInput(file), file) };
}

/** @throws DataError as `readRun` */
export function decodePlan(bytes: Uint8Array, file: string): Plan {
  const text = decodeText(bytes, file, 'the plan');
  let value: Record<string, unknown> | null;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DataError(`${file}: not valid JSON, expected a plan`);
  }
  if (value?.kind !== KIND) throw new DataError(`${file}: kind is ${brief(value?.kind)}, expected '${KIND}'`);
  if (value.version !== FORMAT || value.equiflow !== VERSION) {
    const found = `version ${brief(value.version)} of equiflow ${brief(value.equiflow)}`;
    throw new DataError(`${file}: a plan of ${found}, expected ${FORMAT} of ${VERSION}: bytes may differ between them`);
  }
  const { hash, ...facts } = value as unknown as Plan;
  const plan = hashed(facts, file);
  if (plan.hash !== hash) {
    throw new DataError(`${file}: its content has the hash ${plan.hash}, its own is ${brief(hash)}: it was changed`);
  }
  requireSense(plan, file);
  return plan;
}

function hashed(facts: Omit<Plan, 'hash'>, file: string): Plan {
  try {
    return makePlan(facts);
  } catch (cause) {
    // JSON may be nested deeper than it can be written again.
    throw new DataError(`${file}: nested too deeply, expected a plan`, { cause });
  }
}

/** Only a program that writes hashes and nonsense gets as far as here. */
function requireSense({ job, block, firstIndex, boundaries }: Plan, file: string): void {
  const wrong = (name: string, value: unknown, expected: string) =>
    new DataError(`${file}: ${name} is ${brief(value)}, expected ${expected}`);
  if (!JOB_KINDS.includes(job)) throw wrong('job', job, `one of ${JOB_KINDS.join(', ')}`);
  if (!Number.isInteger(block) || block < 1) throw wrong('block', block, 'a positive integer');
  if (firstIndex !== 0 && firstIndex !== 1) throw wrong('firstIndex', firstIndex, '0 or 1');
  const ascend =
    Array.isArray(boundaries) &&
    boundaries.length > 1 &&
    boundaries[0] === 0 &&
    boundaries.every((b, k) => Number.isSafeInteger(b) && (k === 0 || b > boundaries[k - 1]));
  if (!ascend) throw wrong('boundaries', boundaries, 'ascending integers from 0');
}

/** Number of shards. */
export function shardCount({ boundaries }: Plan): number {
  return boundaries.length - 1;
}

/** The indices of all shards, ascending. */
export function shardIndices(plan: Plan): number[] {
  return Array.from({ length: shardCount(plan) }, (_, k) => plan.firstIndex + k);
}

/**
 * The units of a shard.
 * @throws UsageError for an index that the plan does not have
 */
export function shardRange(plan: Plan, index: number): UnitRange {
  const { firstIndex, boundaries } = plan;
  const k = index - firstIndex;
  // A text from the environment would count as well, and stand in the manifest.
  if (!Number.isInteger(index) || k < 0 || k >= shardCount(plan)) {
    const last = firstIndex + shardCount(plan) - 1;
    const advice =
      firstIndex === 0 && index === last + 1 ? '; for a scheduler that counts from 1, plan with --first-index 1' : '';
    throw new UsageError(`shard ${index}: no such shard, expected an index from ${firstIndex} to ${last}${advice}`);
  }
  return { first: boundaries[k], n: boundaries[k + 1] - boundaries[k] };
}
