import { UsageError } from '../errors.js';
import { gigabytes } from '../formats/space.js';
import { duration } from '../progress.js';

/** Slurm refuses arrays of more than 1000 tasks unless its administrator has allowed them (MaxArraySize 1001). */
export const MAX_TASKS = 1000;

/** Minutes that a shard should take: long against the start of a task, short against what a scheduler may cut off. */
export const DEFAULT_MINUTES = 10;

/** Threads of a shard where nobody says: as many as `emit` asks of a scheduler. */
export const DEFAULT_THREADS = 4;

/** Larger files are slow to copy, to check and to lose. */
const MAX_SHARD_BYTES = 2e9;

/** Seconds that Node.js, the model and the workers take, by bench/shards.ts. */
const START_SECONDS = 0.3;

/** What decides the number of shards. */
export interface ShardChoiceInput {
  readonly units: number;
  /** What a unit is called: `samples`, `chains`. */
  readonly unit: string;
  /** Shards begin at multiples of this many units. */
  readonly grain: number;
  /** Bytes that a unit takes in the data file. */
  readonly unitBytes: number;
  /** Units a second and thread, as measured. */
  readonly rate: number;
  /** Threads that a shard will have. */
  readonly threads: number;
  /** Minutes that a shard should take. */
  readonly minutes: number;
}

/** How many shards, and why. */
export interface ShardChoice {
  readonly shards: number;
  /** What the largest shard has, takes and writes. */
  readonly units: number;
  readonly seconds: number;
  readonly bytes: number;
  /** One sentence for the user. */
  readonly text: string;
}

/**
 * Chooses the number of shards so that each computes for at most the minutes asked for and its file has at most 2 GB; but no more
 * than 1000, whatever they take then.
 * @throws UsageError unless minutes, threads and rate are positive
 */
export function chooseShards(input: ShardChoiceInput): ShardChoice {
  const { units, unit, grain, unitBytes, rate, threads, minutes } = input;
  for (const name of ['minutes', 'threads', 'rate'] as const) {
    if (!(input[name] > 0)) throw new UsageError(`plan: ${name} is ${input[name]}, expected a positive number`);
  }
  const grains = Math.ceil(units / grain);
  const grainsIn = (limit: number) => Math.max(1, Math.floor(limit / grain));
  const byTime = Math.ceil(grains / grainsIn(60 * minutes * rate * threads));
  const bySize = Math.ceil(grains / grainsIn(MAX_SHARD_BYTES / unitBytes));
  const shards = Math.min(MAX_TASKS, Math.max(byTime, bySize));
  const largest = Math.min(units, Math.ceil(grains / shards) * grain);
  const seconds = START_SECONDS + largest / (rate * threads);
  const bytes = largest * unitBytes;

  const measured = `${Number(rate.toPrecision(3))} ${unit} a second and thread measured here`;
  const each = `each at most ${largest} ${unit}, about ${duration(seconds)} on ${threads} ${threads === 1 ? 'thread' : 'threads'} and ${megabytes(bytes)}`;
  const cut = shards === 1 ? '1 shard' : `${shards} shards`;
  return { shards, units: largest, seconds, bytes, text: `${cut}, ${each} (${measured}${reason()})` };

  function reason(): string {
    if (Math.max(byTime, bySize) > MAX_TASKS) return `; ${MAX_TASKS} tasks are what an array may have by default`;
    if (bySize > byTime) return `; files of at most ${megabytes(MAX_SHARD_BYTES)}`;
    if (shards === grains && grain > 1 && shards > 1) return `; the smallest shard has ${grain} ${unit}`;
    return '';
  }
}

function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${Number((bytes / 1e6).toPrecision(3))} MB` : gigabytes(bytes);
}
