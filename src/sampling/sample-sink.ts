import type { ArrayEntry } from '../manifest.js';
import type { SampleBlock } from './block-room.js';
import type { ArrayName } from './set-arrays.js';

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
