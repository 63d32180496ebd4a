import { createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { OutputError } from '../errors.js';
import { writeOutput } from '../formats/index.js';
import type { StepRecord, TrainingState } from '../training/index.js';

/**
 * The training record beside a model: JSON lines, one for each step and one for each validation, written while the run
 * goes on, so that it can be followed and survives whatever ends the run.
 */
export class TrainingLog {
  #failure: Error | undefined;
  /** Validations that are in it. */
  #validated: number;

  private constructor(
    readonly path: string,
    private readonly stream: WriteStream,
    validated: number,
  ) {
    this.#validated = validated;
    stream.on('error', (error) => {
      this.#failure = error;
    });
  }

  /** Starts a record, or goes on with one of which only the lines up to the step of `resumed` count. */
  static async open(path: string, resumed?: TrainingState): Promise<TrainingLog> {
    let kept = '';
    if (resumed !== undefined && existsSync(path)) {
      const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => upTo(line, resumed.step));
      kept = lines.map((line) => `${line}\n`).join('');
    }
    await writeOutput(path, new TextEncoder().encode(kept));
    return new TrainingLog(path, createWriteStream(path, { flags: 'a' }), resumed?.curve.length ?? 0);
  }

  steps(records: readonly StepRecord[]): void {
    for (const { ms, ...record } of records) this.#line({ ...record, ms: Number(ms.toFixed(3)) });
  }

  /** Adds the last validation of a state, unless it is there already. */
  validation({ curve, skipped }: TrainingState): void {
    if (curve.length <= this.#validated) return;
    this.#validated = curve.length;
    const { step, ...validation } = curve.at(-1)!;
    this.#line({ step, validation, skipped });
  }

  /** @throws OutputError if a line could not be written */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.stream.end(() => resolve()));
    if (this.#failure !== undefined) {
      throw new OutputError(`cannot write ${this.path}: ${this.#failure.message}`, { cause: this.#failure });
    }
  }

  #line(entry: unknown): void {
    if (this.#failure === undefined) this.stream.write(`${JSON.stringify(entry)}\n`);
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
