import {
  binomialFraction,
  classifyMinima,
  labelledArrangements,
  minimizeOnPool,
  weightedFraction,
} from '../analysis/index.js';
import type { Positions } from '../flows/index.js';
import type { System } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import type { EnsembleView, MinimaShares, MinimizedConfiguration, Uncertain } from './record.js';

/** Points that a figure needs; more only make the report heavier. */
const FIGURE_POINTS = 10_000;
/** Configurations drawn as pictures. */
const PICTURES = 3;

/** Configurations with their energies, as any sampler or generator gives them. */
export interface Ensemble {
  readonly x: Positions;
  readonly energy: Float64Array;
  readonly n: number;
  /** log w of each, where there are weights. */
  readonly logWeight?: Float64Array;
}

/** An ensemble as the report shows it, and which of the known minima are found in it at all. */
export interface AnalysedEnsemble {
  readonly view: EnsembleView;
  readonly counts: readonly number[];
}

function uncertain({ value, standardError }: Uncertain): Uncertain {
  return { value, standardError };
}

/**
 * Keeps the configurations with U at most `cutoff` among the first `limit`, minimises them, and finds each among the
 * system's known minima. Pictures are the first configurations as they come, whatever their energy.
 */
export async function analyseEnsemble(
  system: System,
  { x, energy, n, logWeight }: Ensemble,
  { cutoff, limit, pool, signal }: { cutoff: number; limit: number; pool: WorkerPool; signal?: AbortSignal },
): Promise<AnalysedEnsemble> {
  const { particles: N, dimensions: D } = system;
  const C = N * D;
  const known = system.known.minima ?? [];
  const looked = Math.min(n, limit);
  const kept: number[] = [];
  for (let s = 0; s < looked; s++) if (energy[s] <= cutoff) kept.push(s);
  const pictures = Math.min(PICTURES, n);
  const rows = [...Array(pictures).keys(), ...kept];
  const starts = new Float64Array(rows.length * C);
  rows.forEach((s, row) => {
    starts.set(x.subarray(s * C, (s + 1) * C), row * C);
  });
  const minimized = await minimizeOnPool(system, starts, rows.length, pool, signal ? { signal } : {});

  const keptX = minimized.x.subarray(pictures * C);
  const index = classifyMinima(keptX, minimized.energy.subarray(pictures), kept.length, N, D, known);
  const counts = known.map((_, m) => index.reduce((count, found) => count + (found === m ? 1 : 0), 0));
  const minima: MinimaShares = {
    n: looked,
    kept: kept.length,
    keptFraction: uncertain(binomialFraction(kept.length, looked)),
    shares: known.map((_, m) => ({
      raw: rawShare(counts[m], kept.length),
      reweighted: logWeight ? reweightedShare(index, m, kept, logWeight) : null,
    })),
    other: index.reduce((count, found) => count + (found < 0 ? 1 : 0), 0),
    labelledArrangements: labelledArrangements(keptX, index, kept.length, N, D).count.length,
  };

  const configurations: MinimizedConfiguration[] = Array.from({ length: pictures }, (_, s) => ({
    x: particleRows(x, s, N, D),
    energy: energy[s],
    minimized: { x: particleRows(minimized.x, s, N, D), energy: minimized.energy[s] },
  }));
  const shown = Math.min(n, FIGURE_POINTS);
  return {
    counts,
    view: {
      n,
      energies: Array.from(energy.subarray(0, shown), rounded),
      firstParticle: Array.from({ length: shown }, (_, s) => firstParticle(x, s, N, D).map(rounded)),
      minima,
      configurations,
    },
  };
}

/** Four decimals are more than a figure shows, and keep the record small. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

function rawShare(count: number, kept: number): Uncertain {
  return kept === 0 ? { value: Number.NaN, standardError: Number.NaN } : uncertain(binomialFraction(count, kept));
}

/** Σ w over the kept samples in minimum m, by Σ w over all kept ones. */
function reweightedShare(index: Int32Array, m: number, kept: readonly number[], logWeight: Float64Array): Uncertain {
  let largest = Number.NEGATIVE_INFINITY;
  for (const s of kept) largest = Math.max(largest, logWeight[s]);
  if (!Number.isFinite(largest)) return { value: Number.NaN, standardError: Number.NaN };
  const weights = kept.map((s) => Math.exp(logWeight[s] - largest));
  return uncertain(
    weightedFraction(
      Array.from(index, (found) => found === m),
      weights,
    ),
  );
}

/** One of the samples as rows of coordinates, [N][D]. */
export function particleRows(x: ArrayLike<number>, sample: number, N: number, D: number): number[][] {
  return Array.from({ length: N }, (_, i) => Array.from({ length: D }, (_, axis) => x[sample * N * D + i * D + axis]));
}

/** Position of the first particle relative to the centroid. */
function firstParticle(x: Positions, sample: number, N: number, D: number): number[] {
  return Array.from({ length: D }, (_, axis) => {
    let mean = 0;
    for (let i = 0; i < N; i++) mean += x[sample * N * D + i * D + axis] / N;
    return x[sample * N * D + axis] - mean;
  });
}
