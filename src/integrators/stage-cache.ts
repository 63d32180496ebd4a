import type { PreparedField } from '../fields/index.js';
import type { Kernels } from '../kernels/index.js';

/** What the stages of one prepared flow may take: all of DW4 at rtol 1e-7 in f64, the last few hundred of larger fields. */
const MAXIMUM_BYTES = 64 << 20;

interface Stage {
  time: number;
  readonly offset: number;
  /** The call that used it last. */
  call: number;
}

/**
 * Stages of a field by time, made when first asked for. Where they would take more than `bytes`, one makes room for another
 * and is made again when needed: a stage costs microseconds, so that a run gets slower, never stuck. Which one goes is left
 * to chance: samples come in chunks that all go through the same times in order, where the stage that was not used for
 * longest is the very next to be needed.
 */
export class StageCache {
  readonly #stages: Stage[] = [];
  readonly #byTime = new Map<number, Stage>();
  readonly #capacity: number;
  #call = 0;
  #chance = 1;
  #made = 0;

  /** `together` stages that are asked for in one call stay where they are until the next. */
  constructor(
    private readonly kernels: Kernels,
    private readonly field: PreparedField,
    together: number,
    bytes = MAXIMUM_BYTES,
  ) {
    this.#capacity = Math.max(together, Math.floor(bytes / field.stageBytes));
  }

  /** How many stages were computed so far. */
  get made(): number {
    return this.#made;
  }

  /** Offsets of the stages at `times`, no more of them than `together`; valid until the next call. */
  at(times: readonly number[]): number[] {
    this.#call++;
    const found = times.map((t) => this.#byTime.get(t));
    // Before any is replaced.
    for (const stage of found) if (stage) stage.call = this.#call;
    return times.map((t, i) => (found[i] ?? this.#byTime.get(t) ?? this.#make(t)).offset);
  }

  #make(time: number): Stage {
    const stage = this.#stages.length < this.#capacity ? this.#added() : this.#replaced();
    this.field.placeStage(stage.offset, time);
    this.#made++;
    stage.time = time;
    stage.call = this.#call;
    this.#byTime.set(time, stage);
    return stage;
  }

  #added(): Stage {
    const stage = { time: Number.NaN, offset: this.kernels.allocate(this.field.stageBytes), call: 0 };
    this.#stages.push(stage);
    return stage;
  }

  #replaced(): Stage {
    for (;;) {
      // Which stage is forgotten decides no result; a small generator that is the same everywhere keeps run times alike.
      this.#chance = (Math.imul(this.#chance, 1664525) + 1013904223) >>> 0;
      const stage = this.#stages[Math.floor((this.#chance / 2 ** 32) * this.#stages.length)];
      if (stage.call === this.#call) continue;
      this.#byTime.delete(stage.time);
      return stage;
    }
  }
}
