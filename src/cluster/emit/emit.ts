import { UsageError } from '../../errors.js';

/** What the writers of scripts and manifests know of a run. */
export interface RunFacts {
  /** Absolute path of the run folder. */
  readonly run: string;
  /** What is computed: `sample`, `simulate` or `reweight`. */
  readonly job: string;
  /** SHA-256 of the plan, in hexadecimal digits. */
  readonly hash: string;
  /** Array index of the first shard. */
  readonly firstIndex: number;
  readonly shards: number;
  /** The words that run equiflow where the shards run, such as [node, main.js], by absolute paths. */
  readonly command: readonly string[];
  /** Options of `merge` as words, such as ['--out', '/data/samples']; none for its defaults. */
  readonly merge: readonly string[];
  /** Files outside the run folder that shards read, by absolute paths. */
  readonly input?: readonly string[];
}

/** A file that `emit` writes. */
export interface EmittedFile {
  /** Path from the run folder, with slashes. */
  readonly name: string;
  readonly text: string;
  /** Whether it is there to be run. */
  readonly executable?: boolean;
}

/** Lines of shell that a user puts before equiflow, as they stand in a script. */
export const setupText = (setup: readonly string[] = []): string => setup.map((line) => `${line}\n`).join('');

/** @throws UsageError as `oneLine`, for what every script holds */
export function requireLines({ run, command }: RunFacts, setup: readonly string[] = []): void {
  oneLine('the run folder', run);
  for (const word of command) oneLine('--command', word);
  for (const line of setup) oneLine('--setup', line);
}

/** Words of one command for a POSIX shell; only those that need quotes get them. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

/**
 * The name that jobs of a run have unless the user gives one: lower-case letters, digits and hyphens, so that every
 * scheduler takes it.
 */
export function defaultName({ job, hash }: Pick<RunFacts, 'job' | 'hash'>): string {
  return `equiflow-${job}-${hash.slice(0, 8)}`;
}

/**
 * Text that goes onto a line of a script.
 * @throws UsageError if it holds a line break or another control character, which no scheduler's script can carry
 */
export function oneLine(what: string, text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) {
    throw new UsageError(`${what} is ${JSON.stringify(text)}, expected text without control characters`);
  }
  return text;
}
