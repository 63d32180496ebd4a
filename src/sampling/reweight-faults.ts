import { DataError } from '../errors.js';
import { type BadValue, LOG_WEIGHTS } from './reweight-tasks.js';

/** Gathers the numbers that no estimator may see, to name all of them at once. */
export class BadValues {
  readonly #found = new Map<string, BadValue>();

  constructor(
    private readonly source: string,
    private readonly n: number,
  ) {}

  /** @param first index of the first sample of the piece */
  add(bad: readonly BadValue[], first: number): void {
    for (const { name, count, index, value } of bad) {
      const before = this.#found.get(name);
      this.#found.set(
        name,
        before ? { ...before, count: before.count + count } : { name, count, index: first + index, value },
      );
    }
  }

  get found(): boolean {
    return this.#found.size > 0;
  }

  /** @throws DataError with count, first value and index */
  throwIfAny(): void {
    for (const { name, count, index, value } of this.#found.values()) {
      const where = `the first is ${value} at index ${index}`;
      throw new DataError(
        name === LOG_WEIGHTS
          ? `${this.source}: ${count} of ${this.n} log-weights are NaN or +Inf, ${where}; expected finite ones, or -Inf for a weight of zero`
          : `${name}: ${count} of ${this.n} values are not finite, ${where}; expected numbers where the weight is positive`,
      );
    }
  }
}
