import type { ElementWriter } from '../formats/element-writer.js';
import type { Precision } from '../kernels/index.js';
import type { ArrayEntry } from '../manifest.js';
import type { SampleBlock } from './tasks.js';

/** The arrays of a sample set, in the order in which checksums take them. */
export const ARRAYS = ['x', 'logQ', 'energy', 'logWeight'] as const;
export type ArrayName = (typeof ARRAYS)[number];

/** What decides the size and names of what is stored. */
export interface SetLayout {
  readonly n: number;
  /** Global index of the first sample. */
  readonly first: number;
  readonly particles: number;
  readonly dimensions: number;
  readonly precision: Precision;
  /** Species of each particle, [N]. */
  readonly species: readonly number[];
}

/** An unfinished sample set in files of some format, which grows block by block. */
export interface SampleSink {
  /** Bytes that a sample takes. */
  readonly sampleBytes: number;
  /** The next block of so many samples as an earlier run has left it, or undefined if it is not whole. */
  take(count: number): Promise<SampleBlock | undefined>;
  /** Goes on beyond a block that `take` has shown. */
  accept(block: SampleBlock): Promise<void>;
  /** @throws IoError if writing fails, for example because the disk is full */
  append(block: SampleBlock): Promise<void>;
  /** Forgets what an earlier run has left behind the present place. */
  truncate(): Promise<void>;
  /** Returns when the device has what was written. */
  sync(): Promise<void>;
  /** What the manifest says of the arrays, once the last block is written. */
  entries(): Record<ArrayName, ArrayEntry>;
  /** Adds the manifest and brings all to the device; to be closed then. */
  finish(manifest: string): Promise<void>;
  close(): Promise<void>;
}

/** The shape of an array of a sample set. */
export function shapeOf(name: ArrayName, { n, particles, dimensions }: SetLayout): number[] {
  return name === 'x' ? [n, particles, dimensions] : [n];
}

export function typeOf(name: ArrayName, { precision }: SetLayout): '<f4' | '<f8' {
  return name === 'x' && precision === 'f32' ? '<f4' : '<f8';
}

type Writers = Readonly<Record<ArrayName, ElementWriter>>;

export async function takeBlock(writers: Writers, count: number, layout: SetLayout): Promise<SampleBlock | undefined> {
  const width = layout.particles * layout.dimensions;
  const found = await Promise.all(ARRAYS.map((name) => writers[name].peek(name === 'x' ? count * width : count)));
  if (found.includes(undefined)) return undefined;
  return Object.fromEntries(ARRAYS.map((name, i) => [name, found[i]])) as unknown as SampleBlock;
}

export function acceptBlock(writers: Writers, block: SampleBlock): void {
  for (const name of ARRAYS) writers[name].accept(block[name]);
}

export async function appendBlock(writers: Writers, block: SampleBlock): Promise<void> {
  await Promise.all(ARRAYS.map((name) => writers[name].append(block[name])));
}

export function entriesOf(writers: Writers, layout: SetLayout): Record<ArrayName, ArrayEntry> {
  return entries(layout, (name) => writers[name].digest());
}

/** Entries of the length that the true ones will have. */
export function unknownEntries(layout: SetLayout): Record<ArrayName, ArrayEntry> {
  return entries(layout, () => '0'.repeat(64));
}

function entries(layout: SetLayout, sha256: (name: ArrayName) => string): Record<ArrayName, ArrayEntry> {
  const entry = (name: ArrayName): ArrayEntry => ({
    shape: shapeOf(name, layout),
    dtype: name === 'x' ? layout.precision : 'f64',
    sha256: sha256(name),
  });
  return { x: entry('x'), logQ: entry('logQ'), energy: entry('energy'), logWeight: entry('logWeight') };
}
