import { UsageError } from '../errors.js';
import type { Kernels, Precision } from '../kernels/index.js';
import { STREAM, standardNormals } from '../kernels/index.js';
import type { Field, ParameterSet, PreparedField, PrepareOptions } from './field.js';
import { RadialTables } from './radial-tables.js';
import { type SpeciesPairs, speciesPairs } from './species.js';
import { uniformTimes } from './time-features.js';

/** Centres and widths of the radial basis, and the time basis, before training. */
export interface KernelFieldBasis {
  /** Distance centres μ_k, ascending. */
  readonly centers: ArrayLike<number>;
  /** Widths γ_k, one per centre. */
  readonly widths: ArrayLike<number>;
  /** Number of time centres on [0, 1] and their common width. */
  readonly times?: number;
  readonly timeWidth?: number;
}

/**
 * The equivariant kernel dynamics of Köhler, Klein and Noé (2019): v_i = Σ_{j≠i} r_ij f(t, d_ij) with
 * f(t, d) = Σ_m K̂_m(t) [Σ_k (R̂_k(d) + s_k²) W_km + b_m]. Equivariant under O(D) and permutations; Σ_i v_i = 0.
 *
 * Parameters: `weights` [K, M], `bias` [M], `importance` s [K], `mu` [K], `logGamma` [K], `muTime` [M], `logGammaTime` [M].
 * With S > 1 species there is a radial function for each of the P = S(S+1)/2 pairs of species, on a common basis:
 * `weights` [P, K, M], `bias` [P, M]; permutations then exchange particles of the same species only.
 */
export class KernelField implements Field {
  readonly kind = 'kernel';
  readonly species: SpeciesPairs;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Redundant with `bias` and without gradient at 0: kept for compatibility with published models. */
  readonly frozen: readonly string[] = ['importance'];

  constructor(
    readonly particles: number,
    readonly dimensions: number,
    readonly parameters: ParameterSet,
    species: readonly number[] = new Array<number>(particles).fill(0),
  ) {
    this.species = speciesPairs(particles, species);
    const K = parameters.mu?.length ?? 0;
    const M = parameters.muTime?.length ?? 0;
    const perPair = this.species.pairs === 1 ? [] : [this.species.pairs];
    this.shapes = {
      weights: [...perPair, K, M],
      bias: [...perPair, M],
      importance: [K],
      mu: [K],
      logGamma: [K],
      muTime: [M],
      logGammaTime: [M],
    };
    checkParameters('kernel', parameters, this.shapes);
  }

  prepare(kernels: Kernels, precision: Precision, times: Float64Array, options: PrepareOptions = {}): PreparedField {
    return new RadialTables(kernels, precision, this, times, options);
  }

  withParameters(parameters: ParameterSet): KernelField {
    return new KernelField(this.particles, this.dimensions, parameters, this.species.species);
  }
}

/**
 * A kernel field with normal random weights of standard deviation `weightScale`/√K, zero bias and importance.
 * `weightScale` 0 makes the flow the identity.
 */
export function initialKernelField(
  particles: number,
  dimensions: number,
  basis: KernelFieldBasis,
  { seed, weightScale = 0.1, species }: { seed: number; weightScale?: number; species?: readonly number[] },
): KernelField {
  const K = basis.centers.length;
  const M = basis.times ?? 10;
  const P = species ? speciesPairs(particles, species).pairs : 1;
  const weights = standardNormals(seed, STREAM.parameters, 0, P * K, M).map((w) => (weightScale * w) / Math.sqrt(K));
  const parameters = {
    weights,
    bias: new Float64Array(P * M),
    importance: new Float64Array(K),
    mu: Float64Array.from(basis.centers),
    logGamma: Float64Array.from(basis.widths, Math.log),
    ...uniformTimes(M, basis.timeWidth ?? 0.3),
  };
  return new KernelField(particles, dimensions, parameters, species);
}

/** `count` centres evenly over [0, maxDistance], all of width `width`: the paper's choice for double wells. */
export function uniformBasis(count: number, maxDistance: number, width: number): KernelFieldBasis {
  return {
    centers: Float64Array.from({ length: count }, (_, k) => (maxDistance * k) / (count - 1)),
    widths: new Float64Array(count).fill(width),
  };
}

/** @throws UsageError naming the tensor that is missing, of the wrong length, or not finite. */
export function checkParameters(
  kind: string,
  parameters: ParameterSet,
  shapes: Readonly<Record<string, readonly number[]>>,
): void {
  for (const [name, shape] of Object.entries(shapes)) {
    const data = parameters[name];
    const size = shape.reduce((product, extent) => product * extent, 1);
    if (data === undefined || size === 0) throw new UsageError(`${kind} field: tensor '${name}' is missing or empty`);
    if (data.length !== size) {
      throw new UsageError(`${kind} field: tensor '${name}' has ${data.length} numbers, expected [${shape}]`);
    }
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new UsageError(`${kind} field: tensor '${name}' has ${data[bad]} at index ${bad}`);
  }
}
