import { DataError, UsageError } from '../errors.js';
import type { BoltzmannGenerator } from '../flows/index.js';
import type { Progress } from '../progress.js';
import {
  type ChainLengths,
  type JudgedEstimate,
  type Mbar,
  mbar,
  type TwoSidedDifference,
  twoSidedDifference,
} from '../reweighting/index.js';
import type { System } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import type { EnergyBlockInput } from './ensemble-tasks.js';
import { logProb } from './sample.js';

const TASK = { module: new URL('./ensemble-tasks.js', import.meta.url), name: 'energyBlock' };
const BLOCK = 4096;

/** What samples are distributed by: a Boltzmann distribution, or a flow, whose density is normalised. */
export type EnsembleDensity =
  | { readonly kind: 'boltzmann'; readonly system: System; readonly kT: number }
  | { readonly kind: 'flow'; readonly generator: BoltzmannGenerator };

/** A density with samples of it, or without: then it is predicted from the samples of the others. */
export interface Ensemble {
  readonly name: string;
  readonly density: EnsembleDensity;
  readonly samples?: {
    /** Shape [n, N, D]. */
    readonly x: Float64Array;
    /** log q of a flow's own samples, where it is known, [n], nats. */
    readonly logQ?: Float64Array;
    /** Lengths of the consecutive chains; absent if the samples are independent. */
    readonly chains?: ChainLengths;
  };
}

/** Free energies of several ensembles in nats, f = −log Z; that of a flow is 0. */
export interface EnsembleFreeEnergies {
  /** Samples of each ensemble. */
  readonly counts: readonly number[];
  /** u_k(x_n) = U/kT or −log q of all samples in all ensembles, [K][n], samples of the first ensemble first. */
  readonly reducedEnergies: readonly Float64Array[];
  readonly mbar: Mbar;
  /** f_k − f_0 by MBAR, with error and verdict. */
  readonly differences: readonly JudgedEstimate[];
  /** For two sampled ensembles: Bennett's ratio and both exponential averages of the same difference. */
  readonly pair?: TwoSidedDifference;
}

/**
 * Free-energy differences between ensembles from the samples of all of them: temperatures, parameters of the energy, flows and
 * Markov chains mixed. Every sample's energy is evaluated in every ensemble, in f64 on the pool; errors follow the
 * autocorrelation along chains.
 *
 * @throws UsageError if there are fewer than two ensembles, none has samples, or particles differ; DataError if samples do not fit; NumericalError
 *   where a flow cannot say the density of a sample
 */
export async function ensembleFreeEnergies(
  ensembles: readonly Ensemble[],
  pool: WorkerPool,
  { onProgress, signal }: { onProgress?: Progress; signal?: AbortSignal } = {},
): Promise<EnsembleFreeEnergies> {
  if (ensembles.length < 2) throw new UsageError(`${ensembles.length} ensembles, expected two or more`);
  const size = requireSameParticles(ensembles);
  const counts = ensembles.map(({ samples }) => (samples ? samples.x.length / size : 0));
  const n = counts.reduce((a, b) => a + b, 0);
  const x = new Float64Array(n * size);
  let first = 0;
  const starts = ensembles.map(({ samples }, k) => {
    const start = first;
    if (samples) x.set(samples.x, start * size);
    first += counts[k];
    return start;
  });
  const options = { ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) };
  const reducedEnergies: Float64Array[] = [];
  for (const [k, { density, samples, name }] of ensembles.entries()) {
    const own = { start: starts[k], count: counts[k], logQ: samples?.logQ };
    if (own.logQ !== undefined && own.logQ.length !== own.count) {
      throw new DataError(`${name}: ${own.logQ.length} log-densities, expected ${own.count}, one per sample`);
    }
    reducedEnergies.push(
      density.kind === 'flow'
        ? await flowEnergies(density.generator, x, n, own, pool, options)
        : await boltzmannEnergies(density, x, n, pool, options),
    );
  }
  const chains = ensembles.map(({ samples }) => samples?.chains);
  const estimate = mbar(reducedEnergies, counts, { chains });
  const sampled = counts.flatMap((count, k) => (count > 0 ? [k] : []));
  const pair =
    ensembles.length === 2 && sampled.length === 2 ? pairEstimates(reducedEnergies, counts, chains) : undefined;
  return {
    counts,
    reducedEnergies,
    mbar: estimate,
    differences: ensembles.map((_, k) => estimate.difference(0, k)),
    ...(pair === undefined ? {} : { pair }),
  };
}

function requireSameParticles(ensembles: readonly Ensemble[]): number {
  const shapes = ensembles.map(({ density }) => {
    const { particles, dimensions } = density.kind === 'flow' ? density.generator.prior : density.system;
    return { particles, dimensions, size: particles * dimensions };
  });
  for (const [k, { particles, dimensions, size }] of shapes.entries()) {
    const { name, samples } = ensembles[k];
    if (particles !== shapes[0].particles || dimensions !== shapes[0].dimensions) {
      const expected = `${shapes[0].particles} in ${shapes[0].dimensions} as ${ensembles[0].name}`;
      throw new UsageError(`${name}: ${particles} particles in ${dimensions} dimensions, expected ${expected}`);
    }
    if (samples && !Number.isInteger(samples.x.length / size)) {
      throw new DataError(`${name}: x has ${samples.x.length} numbers, expected a multiple of ${size}`);
    }
  }
  return shapes[0].size;
}

type RunOptions = { readonly onProgress?: Progress; readonly signal?: AbortSignal };

async function boltzmannEnergies(
  { system, kT }: { system: System; kT: number },
  x: Float64Array,
  n: number,
  pool: WorkerPool,
  { onProgress, signal }: RunOptions,
): Promise<Float64Array> {
  const size = system.particles * system.dimensions;
  function* inputs(): Generator<EnergyBlockInput> {
    for (let start = 0; start < n; start += BLOCK) {
      const count = Math.min(BLOCK, n - start);
      yield { system, x: x.slice(start * size, (start + count) * size), n: count };
    }
  }
  const reduced = new Float64Array(n);
  let done = 0;
  for await (const energy of pool.map<EnergyBlockInput, Float64Array>(TASK, inputs(), signal ? { signal } : {})) {
    reduced.set(
      energy.map((u) => u / kT),
      done,
    );
    done += energy.length;
    onProgress?.({ stage: `energies of ${system.name}`, done, total: n });
  }
  return reduced;
}

/** −log q, of the flow's own samples as it was when they were drawn. */
async function flowEnergies(
  generator: BoltzmannGenerator,
  x: Float64Array,
  n: number,
  own: { start: number; count: number; logQ: Float64Array | undefined },
  pool: WorkerPool,
  options: RunOptions,
): Promise<Float64Array> {
  const size = x.length / n;
  const known = own.logQ === undefined ? 0 : own.count;
  const rest = new Float64Array((n - known) * size);
  rest.set(x.subarray(0, own.start * size));
  rest.set(x.subarray((own.start + known) * size), own.start * size);
  const logQ = await logProb(generator, rest, n - known, pool, options);
  const reduced = new Float64Array(n);
  reduced.set(logQ.subarray(0, own.start));
  if (own.logQ !== undefined) reduced.set(own.logQ, own.start);
  reduced.set(logQ.subarray(own.start), own.start + known);
  return reduced.map((l) => -l);
}

function pairEstimates(
  energies: readonly Float64Array[],
  [first]: readonly number[],
  [chainsA, chainsB]: readonly (ChainLengths | undefined)[],
): TwoSidedDifference {
  const work = energies[1].map((u, i) => u - energies[0][i]);
  const forward = work.subarray(0, first);
  const reverse = work.subarray(first).map((w) => -w);
  return twoSidedDifference(forward, reverse, {
    ...(chainsA ? { forwardChains: chainsA } : {}),
    ...(chainsB ? { reverseChains: chainsB } : {}),
  });
}
