import { createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { OutputError } from '../errors.js';
import { checkWritable, writeOutput } from '../formats/index.js';
import type { StepRecord, TrainingState } from '../training/index.js';

/**
 * The training record beside a model: JSON lines, one for each step and one for each validation, written while the run
 * goes on, so that it can be followed and survives whatever ends the run.
 */
export class TrainingLog {
  #failure: Error | undefined;
  /** Validations that are in it. */
  #validated: number;
  /** From the first line on: a run that never begins, for want of its engine, leaves the record of an earlier one alone. */
  #stream: Promise<WriteStream | undefined> | undefined;
  #written: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    private readonly kept: string,
    validated: number,
  ) {
    this.#validated = validated;
  }

  /**
   * A record that begins with its first line, or goes on with one of which only the lines up to the step of `resumed` count.
   * @throws OutputError if it cannot be written
   */
  static async open(path: string, resumed?: TrainingState): Promise<TrainingLog> {
    let kept = '';
    if (resumed !== undefined && existsSync(path)) {
      const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => upTo(line, resumed.step));
      kept = lines.map((line) => `${line}\n`).join('');
    }
    await checkWritable(path);
    return new TrainingLog(path, kept, resumed?.curve.length ?? 0);
  }

  steps(records: readonly StepRecord[]): void {
    this.#add(records.map(({ ms, ...record }) => ({ ...record, ms: Number(ms.toFixed(3)) })));
  }

  /** Adds the last validation of a state, unless it is there already. */
  validation({ curve, skipped }: TrainingState): void {
    if (curve.length <= this.#validated) return;
    this.#validated = curve.length;
    const { step, ...validation } = curve.at(-1)!;
    this.#add([{ step, validation, skipped }]);
  }

  /** Fulfilled when all lines so far are in the file, or could not be written. */
  written(): Promise<void> {
    return this.#written;
  }

  /** @throws OutputError if a line could not be written */
  async close(): Promise<void> {
    const stream = await this.#stream;
    await new Promise<void>((resolve) => (stream ? stream.end(() => resolve()) : resolve()));
    if (this.#failure !== undefined) {
      throw new OutputError(`cannot write ${this.path}: ${this.#failure.message}`, { cause: this.#failure });
    }
  }

  #add(entries: readonly unknown[]): void {
    const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    this.#stream ??= this.#begin();
    this.#written = this.#stream.then(
      (stream) => new Promise((resolve) => (stream ? stream.write(lines, () => resolve()) : resolve())),
    );
  }

  async #begin(): Promise<WriteStream | undefined> {
    const fail = (error: Error) => {
      this.#failure = error;
    };
    try {
      await writeOutput(this.path, new TextEncoder().encode(this.kept));
    } catch (error) {
      fail(error as Error);
      return undefined;
    }
    return createWriteStream(this.path, { flags: 'a' }).on('error', fail);
  }
}

function upTo(line: string, step: number): boolean {
  try {
    return (JSON.parse(line) as { step: number }).step <= step;
  } catch {
    // A run that was killed leaves its last line unfinished.
    return false;
  }
}
