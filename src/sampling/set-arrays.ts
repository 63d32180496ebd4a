import type { ElementWriter } from '../formats/element-writer.js';
import type { Precision } from '../kernels/index.js';
import type { ArrayEntry } from '../manifest.js';
import type { SampleBlock } from './block-room.js';

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

/** The shape of an array of a sample set. */
export function shapeOf(name: ArrayName, { n, particles, dimensions }: SetLayout): number[] {
  return name === 'x' ? [n, particles, dimensions] : [n];
}

export function typeOf(name: ArrayName, { precision }: SetLayout): '<f4' | '<f8' {
  return name === 'x' && precision === 'f32' ? '<f4' : '<f8';
}

/** The arrays of an unfinished sample set, written side by side, block by block. See `SampleSink`. */
export class SetArrays {
  constructor(
    private readonly writers: Readonly<Record<ArrayName, ElementWriter>>,
    private readonly layout: SetLayout,
  ) {}

  async take(count: number): Promise<SampleBlock | undefined> {
    const width = this.layout.particles * this.layout.dimensions;
    const found = await Promise.all(
      ARRAYS.map((name) => this.writers[name].peek(name === 'x' ? count * width : count)),
    );
    if (found.includes(undefined)) return undefined;
    return Object.fromEntries(ARRAYS.map((name, i) => [name, found[i]])) as unknown as SampleBlock;
  }

  accept(block: SampleBlock): void {
    for (const name of ARRAYS) this.writers[name].accept(block[name]);
  }

  async append(block: SampleBlock): Promise<void> {
    await Promise.all(ARRAYS.map((name) => this.writers[name].append(block[name])));
  }

  entries(): Record<ArrayName, ArrayEntry> {
    return entries(this.layout, (name) => this.writers[name].digest());
  }
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
