import { readFileSync } from 'node:fs';

/**
 * Independent float64 reference values (PyTorch autograd and brute-force Jacobian traces). kT = 1; log-densities in nats
 * on the mean-free subspace. Nested arrays, row-major: B samples, N particles, D dimensions, K distance, M time kernels.
 */
export interface Reference {
  readonly seed: number;
  readonly about: string;
  readonly energies: readonly EnergyCase[];
  readonly fields: readonly FieldCase[];
}

/** Energies [B] and gradients [B, N, D] at x [B, N, D]; `system` is `dw2-2d`, `dw2-3d`, `dw4`, `lj13 pairFactor=1`, … */
export interface EnergyCase {
  readonly system: string;
  readonly x: number[][][];
  readonly energy: number[];
  readonly gradient: number[][][];
}

/** Parameters of a kernel field, or gradients with respect to them. */
export interface KernelParameters {
  readonly weights: number[][];
  readonly bias: number[];
  readonly importance: number[];
  readonly mu: number[];
  readonly logGamma: number[];
  readonly muTime: number[];
  readonly logGammaTime: number[];
}

/** Velocity [B, N, D] and divergence [B] at time t. */
export interface RightHandSide {
  readonly t: number;
  readonly velocity: number[][][];
  readonly divergence: number[];
}

/** A loss through the discretised solver and its gradient with respect to every parameter. */
export interface LossCase {
  readonly rk4Steps: number;
  readonly value: number;
  readonly gradient: KernelParameters;
}

export interface FieldCase {
  readonly name: string;
  readonly particles: number;
  readonly dimensions: number;
  readonly rk4Steps: number;
  readonly parameters: KernelParameters;
  readonly x: number[][][];
  readonly rhs: readonly RightHandSide[];
  /** Configurations with pairs beyond the last centre, where the 1e-6 of the normaliser decides. */
  readonly tail: { readonly x: number[][][]; readonly rhs: readonly RightHandSide[] };
  readonly z: number[][][];
  /** From `z`, t = 0 → 1: x, and log|det ∂x/∂z|. */
  readonly forward: { readonly x: number[][][]; readonly logDet: number[] };
  /** From `x`, t = 1 → 0: z, log|det ∂z/∂x|, and log prior(z) + logDet. */
  readonly inverse: { readonly z: number[][][]; readonly logDet: number[]; readonly logProb: number[] };
  /** −⟨log q(x)⟩ of `x`. */
  readonly nll: LossCase;
  /** ⟨U(x) − log|det ∂x/∂z|⟩ over `z`, without the prior's entropy. */
  readonly reverseKl: LossCase & { readonly note: string };
}

/** Reads test/data/reference.json. */
export function loadReference(): Reference {
  // From dist/test/twin to the project root.
  return JSON.parse(readFileSync(new URL('../../../test/data/reference.json', import.meta.url), 'utf8'));
}

type Nested = readonly (number | Nested)[];

/** A nested array as one row-major array. */
export function flatten(nested: Nested): Float64Array {
  const flat: number[] = [];
  const append = (part: Nested) => {
    for (const value of part) {
      if (typeof value === 'number') flat.push(value);
      else append(value);
    }
  };
  append(nested);
  return Float64Array.from(flat);
}

/** max|actual − expected| / max|expected| over a tensor: the error measure of every comparison with the reference. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number> | Nested): number {
  const flat = Array.isArray(expected) ? flatten(expected) : (expected as ArrayLike<number>);
  if (actual.length !== flat.length) throw new Error(`${actual.length} values, expected ${flat.length}`);
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < flat.length; i++) {
    // Math.max hands NaN on, so that a NaN fails every comparison.
    difference = Math.max(difference, Math.abs(actual[i] - flat[i]));
    largest = Math.max(largest, Math.abs(flat[i]));
  }
  return difference / largest;
}
