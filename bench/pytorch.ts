import type { SamplingResult } from './suite.js';

/**
 * Samples per second with exact log-density of the authors' PyTorch library, tuned: RK4×20, K = 50, M = 10, one thread.
 * Measured with PyTorch on a Zen 5 class core whose f32x4 peak in WebAssembly is 54 GF/s.
 */
const SAMPLES_PER_SECOND: Readonly<Record<string, number>> = { DW4: 3640, LJ13: 261, LJ55: 14.4 };
const PEAK_THERE = 54e9;

/** How many times faster than that f32 sampling has to be. */
const REQUIRED: Readonly<Record<string, number>> = { DW4: 300, LJ13: 400, LJ55: 400 };

/** A sampling rate beside the PyTorch library's, carried over to this machine by the ratio of the peaks. */
export interface Comparison {
  readonly pytorchHere: number;
  readonly ratio: number;
  readonly required: number;
  readonly met: boolean;
}

export function compareWithPyTorch({ system, samplesPerSecond }: SamplingResult, f32Peak: number): Comparison {
  const pytorchHere = (SAMPLES_PER_SECOND[system] * f32Peak) / PEAK_THERE;
  const ratio = samplesPerSecond / pytorchHere;
  return { pytorchHere, ratio, required: REQUIRED[system], met: ratio >= REQUIRED[system] };
}
