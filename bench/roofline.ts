/* The least time that a kernel could take here: what it has to do over how fast the machine does that, resource by resource. */
import type { Precision } from '../src/kernels/index.js';
import type { Operations, Pass } from './operations.js';
import { type Effort, time } from './timing.js';
import { type LoopKind, wasmLoop } from './wasm-loops.js';

/** What can bound a loop, in the words of the tables. */
export type Resource = 'arithmetic' | 'additions' | 'roots and divisions' | 'shuffles' | 'loads' | 'stores' | 'L2';

/** Vectors per second of one thread, in loops that do nothing else. */
export interface Rates {
  readonly arithmetic: number;
  readonly additions: number;
  readonly shuffles: number;
  readonly roots: number;
  readonly divisions: number;
  readonly loads: number;
  readonly stores: number;
  /** Vectors read from a buffer that only the second cache holds. */
  readonly L2: number;
}

/** A quarter of a megabyte: beyond the first caches there are, within the second. */
const L2_BYTES = 1 << 18;

const LOOPS: Readonly<Record<keyof Rates, { readonly kind: LoopKind; readonly bytes?: number }>> = {
  arithmetic: { kind: 'multiply-add' },
  additions: { kind: 'addition' },
  shuffles: { kind: 'shuffle' },
  roots: { kind: 'root' },
  divisions: { kind: 'division' },
  loads: { kind: 'load' },
  stores: { kind: 'store' },
  L2: { kind: 'load', bytes: L2_BYTES },
};

/** Iterations of a loop per call: tens of microseconds. */
const ITERATIONS = 10_000;
/** Sixteen loops of a fifth of a second, in many short samples. */
const EFFORT: Effort = { maxTime: 0.15, minTime: 0.002, minSamples: 30, warmUp: 50 };

/**
 * Rates in both precisions, from the fastest sample: rates that other processes pulled down would flatter what is compared with
 * them.
 * @throws Error if a loop computes something wrong
 */
export function measureRates(): Record<Precision, Rates> {
  const measure = (precision: Precision): Rates => {
    const rates = Object.entries(LOOPS).map(([name, { kind, bytes }]) => {
      const { operations, run, expected } = wasmLoop(kind, precision, ITERATIONS, bytes);
      const result = run();
      if (!(Math.abs(result / expected - 1) < 1e-5)) throw new Error(`${kind} loop: ${result}, expected ${expected}`);
      return [name, operations / time(run, EFFORT).fastest] as const;
    });
    return Object.fromEntries(rates) as unknown as Rates;
  };
  return { f32: measure('f32'), f64: measure('f64') };
}

/** Seconds that each resource needs for the operations of a pass. */
export function needs(o: Operations, rates: Rates): Record<Resource, number> {
  const { additions = 0, multiplications = 0, others = 0, shuffles = 0, roots = 0, divisions = 0 } = o;
  const { loads = 0, stores = 0, streamed = 0 } = o;
  return {
    arithmetic: (additions + multiplications + others + shuffles + roots + divisions) / rates.arithmetic,
    additions: additions / rates.additions,
    'roots and divisions': roots / rates.roots + divisions / rates.divisions,
    shuffles: shuffles / rates.shuffles,
    loads: loads / rates.loads,
    stores: stores / rates.stores,
    L2: streamed / rates.L2,
  };
}

/** The least time of a kernel, and what most of it is waited for. */
export interface Attainable {
  readonly seconds: number;
  readonly resource: Resource;
}

/** Every pass takes as long as the resource that it needs longest; passes follow one another. */
export function attainable(passes: readonly Pass[], rates: Rates): Attainable {
  const waits = new Map<Resource, number>();
  let seconds = 0;
  for (const { operations } of passes) {
    const entries = Object.entries(needs(operations, rates)) as [Resource, number][];
    const [resource, longest] = entries.reduce((a, b) => (b[1] > a[1] ? b : a));
    waits.set(resource, (waits.get(resource) ?? 0) + longest);
    seconds += longest;
  }
  const [resource] = [...waits].reduce((a, b) => (b[1] > a[1] ? b : a));
  return { seconds, resource };
}

/** The rates in words. */
export function ratesText({ f32, f64 }: Record<Precision, Rates>): string {
  const per = (rate: number) => (rate / 1e9).toFixed(1);
  const both = (name: keyof Rates) => `${per(f32[name])} / ${per(f64[name])}`;
  return (
    'Vectors of 128 bits per nanosecond, each in a loop of its own, f32 / f64: ' +
    `arithmetic ${both('arithmetic')}, additions ${both('additions')}, shuffles ${both('shuffles')}, ` +
    `roots ${both('roots')}, divisions ${both('divisions')}, loads ${both('loads')} (${both('L2')} from L2), stores ${both('stores')}.`
  );
}
