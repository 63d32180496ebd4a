/* Contenders take turns, so that whatever else the machine does meanwhile falls on all of them. */
import type { Measurement } from './measurement.js';
import { type Timing, timingOf } from './timing.js';

/** Seconds of one call: by the clock, and of processor time over all threads of the process. */
export interface Seconds {
  readonly wall: number;
  readonly cpu: number;
}

export interface Contender {
  readonly name: string;
  /** Units of work of one call. */
  readonly units: number;
  readonly call: () => Promise<Seconds> | Seconds;
  readonly peer?: true;
}

/** How often every contender has its turn: at least `least` times, then up to `most` while it took less than `seconds`. */
export interface RoundsEffort {
  readonly least: number;
  readonly most: number;
  readonly seconds: number;
}

export const FULL_ROUNDS: RoundsEffort = { least: 3, most: 11, seconds: 5 };
export const SHORT_ROUNDS: RoundsEffort = { least: 5, most: 9, seconds: 0.5 };
/** Turns of 20 ms each. */
export const NATIVE_ROUNDS: RoundsEffort = { least: 9, most: 25, seconds: 0.3 };
export const QUICK_ROUNDS: RoundsEffort = { least: 3, most: 3, seconds: 0 };

/** Seconds that one turn of ours lasts at least. */
const TURN = 0.02;

/** Times of contenders for one subject as measurements of `unit`. */
export function measured(
  contenders: readonly Contender[],
  times: readonly Timing[],
  what: Pick<Measurement, 'group' | 'subject' | 'unit' | 'clock'>,
): Measurement[] {
  return contenders.map(({ name, peer }, i) => ({
    ...what,
    contender: name,
    seconds: times[i],
    ...(peer === undefined ? {} : { peer }),
  }));
}

/** `body` as a contender: repeated until a turn is long enough to be timed, after as long a warm-up. */
export function inProcess(name: string, units: number, body: () => unknown): Contender {
  let repeats = 0;
  const call = () => {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    for (let r = 0; r < repeats; r++) body();
    const { user, system } = process.cpuUsage(cpu);
    return { wall: (performance.now() - wall) / 1e3 / repeats, cpu: (user + system) / 1e6 / repeats };
  };
  return {
    name,
    units,
    call: () => {
      if (repeats === 0) repeats = warmUp(body);
      return call();
    },
  };
}

/** Calls for ten turns, and returns how many fit in one. */
function warmUp(body: () => unknown): number {
  const start = performance.now();
  let calls = 0;
  for (; performance.now() - start < 10 * TURN * 1e3 && calls < 1e6; calls++) body();
  return Math.max(1, Math.ceil(calls / 10));
}

/**
 * Seconds per unit of every contender from interleaved rounds, in order. Each has one call beforehand that does not count.
 * `clock` takes the wall clock, for work on several threads; otherwise processor time counts, which other processes do not
 * lengthen.
 */
export async function takeTurns(
  contenders: readonly Contender[],
  { least, most, seconds }: RoundsEffort,
  clock = false,
): Promise<Timing[]> {
  for (const { call } of contenders) await call();
  const runs = contenders.map((contender) => ({ contender, times: [] as number[], spent: 0 }));
  for (let round = 0; round < most; round++) {
    for (const run of runs.filter(({ spent }) => round < least || spent < seconds)) {
      const { units, call } = run.contender;
      const start = performance.now();
      const { wall, cpu } = await call();
      run.spent += (performance.now() - start) / 1e3;
      run.times.push((clock ? wall : cpu) / units);
    }
  }
  return runs.map(({ times }) => timingOf(times));
}
