/* The machine's own speed of multiply and add in WebAssembly: what every other rate is to be seen against. */
import type { Precision } from '../src/kernels/index.js';
import { PEAK_EFFORT, time } from './timing.js';
import { type Loop, wasmLoop } from './wasm-loops.js';

/** Floating-point operations per second of multiply and add in each precision, one thread. */
export type Peak = Readonly<Record<Precision, number>>;

/** Numbers in a vector. */
export const LANES = { f32: 4, f64: 2 } as const;

/** Iterations of the peak loop per call: tens of microseconds. */
const PEAK_ITERATIONS = 10_000;

/** A loop of `iterations` multiply-adds on all chains. */
export function peakLoop(precision: Precision, iterations: number): Loop {
  return wasmLoop('multiply-add', precision, iterations);
}

/** From the fastest sample: a peak that other processes pulled down would flatter everything that is compared with it. */
export function measurePeak(): Peak {
  const measure = (precision: Precision) => {
    const { operations, run } = peakLoop(precision, PEAK_ITERATIONS);
    return (LANES[precision] * operations) / time(run, PEAK_EFFORT).fastest;
  };
  return { f32: measure('f32'), f64: measure('f64') };
}
