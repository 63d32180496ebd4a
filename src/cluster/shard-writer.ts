import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InterruptedError } from '../errors.js';
import { beginsWith, bytesOf, type Elements, ElementWriter, readWhole, writeWhole } from '../formats/element-writer.js';
import { type PreparedOutput, prepareOutput } from '../formats/files.js';
import { syncFolder } from '../formats/flush.js';
import { ABANDONED_SECONDS, HEARTBEAT_SECONDS } from '../formats/heartbeat.js';
import { requireSpace } from '../formats/space.js';
import { asOutputError } from '../formats/system-errors.js';
import { createTemporary, keepTemporary, removeTemporary } from '../formats/temporaries.js';
import type { Job, JobBlock } from './job.js';
import type { Run } from './plan.js';
import {
  arraysChecksum,
  manifestText,
  type ShardLayout,
  type ShardPaths,
  shardLayout,
  shardPaths,
  writersFolder,
} from './shard-files.js';
import { abandonedFiles, giveBack, isTakenOver, takeOver } from './writers.js';

/** What `stat` counts in. */
const BLOCK_BYTES = 512;

/** Of a block's CRC-32. */
const CHECKSUM_BYTES = 4;

/**
 * The data file of a shard while it grows, under a name of its own: any number of processes may write the same shard, and whoever
 * is last replaces equal bytes by equal bytes. Behind the data stand the checksums of the blocks that are whole, so that the next
 * writer can go on with what an interrupted or killed one left.
 */
export class ShardWriter {
  readonly #checksums: number[] = [];
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(
    private readonly run: Run,
    private readonly index: number,
    private readonly paths: ShardPaths,
    private readonly layout: ShardLayout,
    private readonly temporary: string,
    private readonly handle: FileHandle,
    private readonly writers: Readonly<Record<string, ElementWriter>>,
  ) {
    // A long block writes nothing for minutes, and the writer would be taken for dead. Its first byte is written again and no time
    // set: the clock that counts is that of the file system, which all machines share.
    this.#heartbeat = setInterval(() => {
      handle.write(layout.header.bytes, 0, 1, 0).catch(() => {});
    }, 1000 * HEARTBEAT_SECONDS);
    this.#heartbeat.unref();
  }

  /**
   * Begins a shard, or goes on with it.
   * @throws OutputError, IoError as `writeOutput`, the latter also if the disk has no room for it; InterruptedError as `finish`
   */
  static async open(run: Run, job: Job, index: number): Promise<ShardWriter> {
    const paths = shardPaths(run, index);
    const layout = shardLayout(run, job, index);
    let temporary: string | undefined;
    let handle: FileHandle | undefined;
    try {
      await mkdir(writersFolder(run), { recursive: true });
      temporary = createTemporary(join(writersFolder(run), basename(paths.data)), 'file');
      // A second signal, which ends the process at once, leaves it for the next writer, as a kill does.
      keepTemporary(temporary);
      const dead = await abandonedFiles(run, index, (await stat(temporary)).mtimeMs);
      await takeOver(paths.part, dead, temporary);
      handle = await open(temporary, 'r+');
      const { blocks } = await handle.stat();
      await requireSpace(paths.data, dirname(temporary), layout.header.size - BLOCK_BYTES * blocks);
      const writers: Record<string, ElementWriter> = {};
      for (const [i, { name, type, shape }] of layout.tensors.entries()) {
        writers[name] = new ElementWriter(paths.data, handle, type, shape, layout.header.starts[i]);
      }
      const writer = new ShardWriter(run, index, paths, layout, temporary, handle, writers);
      await writer.#takeUp();
      return writer;
    } catch (error) {
      await handle?.close();
      if (temporary !== undefined) {
        if (await isTakenOver(run, temporary, error)) throw takenOver(index, error);
        // Whatever becomes of it, the error that led here is the one to be told.
        await giveBack(temporary, paths.part).catch(() => {});
      }
      throw asOutputError(error, paths.data);
    }
  }

  /** Blocks that are written. */
  get blocks(): number {
    return this.#checksums.length;
  }

  /** @throws IoError if writing fails, for example because the disk is full */
  async append({ arrays, checksum }: JobBlock): Promise<void> {
    await Promise.all(this.layout.tensors.map(({ name }) => this.writers[name].append(arrays[name])));
    try {
      await writeWhole(this.handle, bytesOf(Uint32Array.of(checksum)), this.#end);
    } catch (error) {
      throw asOutputError(error, this.paths.data);
    }
    this.#checksums.push(checksum);
  }

  /** Where the next checksum goes. */
  get #end(): number {
    return this.layout.header.size + CHECKSUM_BYTES * this.blocks;
  }

  /**
   * Puts the whole shard where it belongs, its manifest last. That is written first: where the disk has no room even for it, the data
   * are left to the next attempt.
   * @throws InterruptedError if another process has taken the shard over; OutputError, IoError as `writeOutput`
   */
  async finish(): Promise<void> {
    const { paths, run, index } = this;
    let manifest: PreparedOutput;
    try {
      manifest = await prepareOutput(paths.manifest, this.#manifest());
    } catch (error) {
      await this.leave(true).catch(() => {});
      throw error;
    }
    try {
      await this.handle.truncate(this.layout.header.size);
      await this.handle.sync();
      await this.#close();
      await rename(this.temporary, paths.data);
      await syncFolder(dirname(paths.data));
    } catch (error) {
      manifest.discard();
      await this.#close().catch(() => {});
      if (await isTakenOver(run, this.temporary, error)) throw takenOver(index, error);
      removeTemporary(this.temporary);
      throw asOutputError(error, paths.data);
    }
    await manifest.publish();
    await rm(paths.part, { force: true });
  }

  #manifest(): Uint8Array {
    const { run, index, layout, writers } = this;
    return new TextEncoder().encode(
      manifestText(run, index, layout, (name) => writers[name].digest(), this.#checksums),
    );
  }

  /** Ends early. @param keep whether the next attempt may go on with what is there */
  async leave(keep: boolean): Promise<void> {
    const { paths, temporary } = this;
    if (!keep || this.blocks === 0) {
      await this.#close();
      removeTemporary(temporary);
      return;
    }
    try {
      await this.handle.sync();
      await this.#close();
      await rename(temporary, paths.part);
      await syncFolder(dirname(paths.part));
    } catch (error) {
      if (await isTakenOver(this.run, temporary, error)) return;
      removeTemporary(temporary);
      throw asOutputError(error, paths.part);
    }
  }

  /** Goes through what an earlier writer left, up to the first block that is not what its checksum says. */
  async #takeUp(): Promise<void> {
    const { header, tensors, blocks, counts } = this.layout;
    const same = await beginsWith(this.handle, header.bytes);
    const checksum = new Uint32Array(1);
    while (same && this.blocks < blocks) {
      const arrays: Record<string, Elements | undefined> = {};
      for (const { name } of tensors) arrays[name] = await this.writers[name].peek(counts(this.blocks)[name]);
      if (!isWhole(arrays) || !(await readWhole(this.handle, bytesOf(checksum), this.#end))) break;
      if (arraysChecksum(tensors, arrays) !== checksum[0]) break;
      for (const { name } of tensors) this.writers[name].accept(arrays[name]);
      this.#checksums.push(checksum[0]);
    }
    await writeWhole(this.handle, header.bytes, 0);
    // Later checksums are of blocks that are written again.
    await this.handle.truncate(this.#end);
  }

  async #close(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.handle.close();
  }
}

function takenOver(index: number, cause: unknown): InterruptedError {
  const reason = `since this one stood still for more than ${ABANDONED_SECONDS} s`;
  return new InterruptedError(`shard ${index}: another process has taken it over, ${reason}; run it again`, { cause });
}

function isWhole(arrays: Record<string, Elements | undefined>): arrays is Record<string, Elements> {
  return Object.values(arrays).every((array) => array !== undefined);
}
