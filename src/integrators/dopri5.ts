import { UsageError } from '../errors.js';

/**
 * Dormand–Prince 5(4): a step size for every sample, chosen so that the embedded error estimate of each step stays below
 *
 *     rms(e_x) ≤ atol + rtol·rms(x)        |e_ℓ| ≤ atolLogDet,   ℓ = log|det|, in nats
 *
 * with root mean squares over the N·D coordinates of a sample, which rotations, reflections and permutations leave alone: where
 * the field is equivariant, so is the map. Steps are powers of two at multiples of themselves. The fifth-order solution is
 * carried on. J. R. Dormand and P. J. Prince, J. Comput. Appl. Math. 6 (1980) 19.
 */
export interface DormandPrince5 {
  readonly kind: 'dopri5';
  /** Relative and absolute tolerance of positions for one step. */
  readonly rtol: number;
  readonly atol: number;
  /** Tolerance of log|det| for one step, nats. */
  readonly atolLogDet: number;
  /** Steps, rejected ones included, after which a sample is given up. */
  readonly maxSteps: number;
  /** No step is longer. */
  readonly maxStep: number;
}

/** All but `kind`, each with a default. */
export type DormandPrince5Options = Partial<Omit<DormandPrince5, 'kind'>>;

/**
 * @throws UsageError unless tolerances are positive (`rtol` below 1, `atol` and `rtol` not both 0), `maxSteps` is an integer
 *   from 1 to 10⁶ and `maxStep` at most 1 and at least 2⁻²⁰
 */
export function dopri5({
  rtol = 1e-6,
  atol = rtol,
  // In files it reads as it would be typed.
  atolLogDet = Number((100 * rtol).toPrecision(12)),
  maxSteps = 1000,
  maxStep = 1,
}: DormandPrince5Options = {}): DormandPrince5 {
  const require = (name: string, value: unknown, holds: boolean, expected: string) => {
    if (!holds) throw new UsageError(`integrator: ${name} is ${value}, expected ${expected}`);
  };
  require('rtol', rtol, Number.isFinite(rtol) && rtol > 0 && rtol < 1, 'a number between 0 and 1');
  require('atol', atol, Number.isFinite(atol) && atol >= 0, '0 or a positive number');
  require('atolLogDet', atolLogDet, Number.isFinite(atolLogDet) && atolLogDet > 0, 'a positive number of nats');
  require('maxSteps', maxSteps, Number.isInteger(maxSteps) &&
    maxSteps >= 1 &&
    maxSteps <= 1e6, 'an integer from 1 to 1000000');
  require('maxStep', maxStep, maxStep >= 2 ** -FINEST_LEVEL && maxStep <= 1, 'a number from 2^-20 to 1');
  return { kind: 'dopri5', rtol, atol, atolLogDet, maxSteps, maxStep };
}

/** Steps are no shorter than 2^−this; positions are counted in that unit. The same number as in assembly/cells.ts. */
export const FINEST_LEVEL = 20;

/** Fractions of a step at which stages two to seven stand; the last two at its end. */
export const NODES: readonly number[] = [1 / 5, 3 / 10, 4 / 5, 8 / 9, 1];

const B = [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0];
const D = [
  -12715105075 / 11282082432,
  0,
  87487479700 / 32700410799,
  -10690763975 / 1880347072,
  701980252875 / 199316789632,
  -1453857185 / 822651844,
  69997945 / 29380423,
];

/**
 * Weights w_j(θ) of the interpolant u(θ) = x + h Σ_j w_j(θ) k_j across a step, of fourth order, with the step's own ends and
 * slopes: `contd5` of Hairer, Nørsett and Wanner's DOPRI5 (Solving Ordinary Differential Equations I, II.6), by slopes.
 */
export function denseWeights(theta: number): number[] {
  const rest = 1 - theta;
  return B.map((b, j) => {
    const first = j === 0 ? 1 : 0;
    const last = j === 6 ? 1 : 0;
    return theta * (b + rest * (first - b + theta * (2 * b - first - last + rest * D[j])));
  });
}
