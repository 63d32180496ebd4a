import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** `<checksum of the block> <checksum of this line's place and first word>`, 17 characters and the end of the line. */
const LINE_BYTES = 18;

/**
 * Which blocks of an unfinished sample set are on the device: one line a block, in order, with the checksum of its bytes.
 * A line that is torn or damaged ends what is believed, and so does a line at a place that is not its own.
 */
export class Journal {
  private constructor(
    private readonly handle: FileHandle,
    readonly checksums: number[],
  ) {}

  static async open(path: string): Promise<Journal> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
    const lines = (await handle.readFile('latin1')).match(/[^\n]*\n/g) ?? [];
    const end = lines.findIndex((text, block) => text !== line(block, Number.parseInt(text, 16)));
    const valid = end < 0 ? lines : lines.slice(0, end);
    return new Journal(
      handle,
      valid.map((text) => Number.parseInt(text, 16)),
    );
  }

  /** Forgets all blocks from `length` on. */
  async truncate(length: number): Promise<void> {
    this.checksums.length = length;
    await this.handle.truncate(length * LINE_BYTES);
  }

  /** Adds the next blocks, whose data must have reached the device before; returns when the lines have, too. */
  async append(checksums: readonly number[]): Promise<void> {
    const first = this.checksums.length;
    const lines = Buffer.from(checksums.map((checksum, i) => line(first + i, checksum)).join(''), 'latin1');
    let done = 0;
    while (done < lines.length) {
      const position = first * LINE_BYTES + done;
      done += (await this.handle.write(lines, done, lines.length - done, position)).bytesWritten;
    }
    await this.handle.sync();
    this.checksums.push(...checksums);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

function line(block: number, checksum: number): string {
  const text = hex(checksum);
  return `${text} ${hex(crc32(`${block} ${text}`))}\n`;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
