import { rm } from 'node:fs/promises';
import { writeOutput } from '../formats/index.js';
import { type CheckpointContext, encodeCheckpoint, type TrainingState } from '../training/index.js';

/** Seconds between two checkpoints: what a run that is killed loses at most, but for the time between two validations. */
const INTERVAL = 10;
/** Writing takes at most this share of the time. */
const SHARE = 0.02;

/** Writes checkpoints while a run goes on, each whole or not at all, one at a time. */
export class CheckpointWriter {
  #latest: TrainingState | undefined;
  #writing: Promise<void> | undefined;
  #due = 0;

  /** @param recorded fulfilled when the training record up to now is in its file, which a checkpoint must not be ahead of */
  constructor(
    readonly path: string,
    private readonly context: CheckpointContext,
    private readonly recorded: () => Promise<void>,
  ) {}

  /** The last state that was offered. */
  get latest(): TrainingState | undefined {
    return this.#latest;
  }

  /** Keeps a state, and writes it if it is time. A write that fails does not end the run: the next may succeed. */
  offer(state: TrainingState): void {
    this.#latest = state;
    if (this.#writing !== undefined || performance.now() < this.#due) return;
    const started = performance.now();
    this.#writing = this.#write(state)
      .catch(() => {})
      .finally(() => {
        const seconds = (performance.now() - started) / 1000;
        this.#due = performance.now() + 1000 * Math.max(INTERVAL, seconds / SHARE);
        this.#writing = undefined;
      });
  }

  /** Writes the last state that was offered, whatever the time. */
  async finish(): Promise<void> {
    await this.#writing;
    if (this.#latest !== undefined) await this.#write(this.#latest);
  }

  /** Takes the file away: the run is over. */
  async remove(): Promise<void> {
    await this.#writing;
    await rm(this.path, { force: true });
  }

  async #write(state: TrainingState): Promise<void> {
    const bytes = encodeCheckpoint(state, this.context);
    await this.recorded();
    await writeOutput(this.path, bytes);
  }
}
