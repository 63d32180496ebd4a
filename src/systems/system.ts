import { UsageError } from '../errors.js';

/** scale · Σ_{i<j} a(d − d0)⁴ + b(d − d0)² + c */
export interface DoubleWellTerm {
  readonly kind: 'double-well';
  readonly scale: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d0: number;
}

/** scale · Σ_{i<j} ε[(rMin/d)¹² − 2(rMin/d)⁶]: minimum −ε at d = rMin */
export interface LennardJonesTerm {
  readonly kind: 'lennard-jones';
  readonly scale: number;
  readonly epsilon: number;
  readonly rMin: number;
}

/** scale · ½ stiffness Σ_i ‖x_i − x̄‖² */
export interface TrapTerm {
  readonly kind: 'trap';
  readonly scale: number;
  readonly stiffness: number;
}

/** One part of U; every pair counts once. */
export type EnergyTerm = DoubleWellTerm | LennardJonesTerm | TrapTerm;

/** A known number; a `standardError` of 0 means exact to the digits given. */
export interface KnownValue {
  readonly value: number;
  readonly standardError: number;
}

/** A minimum of U up to translation, O(D) and exchange of equal particles. */
export interface KnownMinimum {
  readonly energy: number;
  /** Coordinates [N, D], flat, mean-free. */
  readonly x: readonly number[];
  /** Equilibrium probability of its basin at kT = 1. */
  readonly population: KnownValue;
}

/** What is known about a system at kT = 1; whatever is absent is not known. */
export interface KnownAnswers {
  /** Where the numbers come from. */
  readonly source: string;
  /** log ∫ e^{−U} over the mean-free subspace (Lebesgue measure), nats. */
  readonly logZ?: KnownValue;
  readonly meanEnergy?: KnownValue;
  /** Differential entropy on the mean-free subspace, nats: the lowest NLL that a normalised model can have. */
  readonly entropy?: KnownValue;
  readonly energyStandardDeviation?: KnownValue;
  /** All minima, lowest first. */
  readonly minima?: readonly KnownMinimum[];
  /** Probability that exactly k pairs are closer than `cutoff`, at index k. */
  readonly shortPairs?: { readonly cutoff: number; readonly probabilities: readonly KnownValue[] };
  readonly meanPairDistance?: KnownValue;
  /** ⟨Σ_i ‖x_i − x̄‖²⟩ */
  readonly meanSquaredNorm?: KnownValue;
}

/** Defaults for Metropolis Monte Carlo with normal moves of all particles at once, kT = 1. */
export interface SamplingDefaults {
  /** Standard deviation of the move per coordinate. */
  readonly metropolisStep: number;
  /** A low-energy configuration [N, D], flat. */
  readonly start: readonly number[];
}

/** A target energy U(x), x [N, D], invariant under translations, O(D) and exchange of equal particles. */
export interface System {
  readonly name: string;
  /** Options of the preset, as in its specification. */
  readonly options: Readonly<Record<string, number>>;
  /** N */
  readonly particles: number;
  /** D */
  readonly dimensions: number;
  /** Species of each particle; equal numbers are exchangeable. */
  readonly species: readonly number[];
  readonly terms: readonly EnergyTerm[];
  /** U as a formula, with the factors that the literature disagrees on. */
  readonly convention: string;
  readonly known: KnownAnswers;
  readonly sampling: SamplingDefaults;
}

/** The parts of a system that have no default, and those that have. */
export type SystemDefinition = Pick<System, 'name' | 'particles' | 'dimensions' | 'terms' | 'convention' | 'sampling'> &
  Partial<Pick<System, 'options' | 'species' | 'known'>>;

/**
 * Checks and completes a system: no options, one species and no known answers unless stated.
 *
 * @throws UsageError for N < 2, D other than 2 or 3, a constant that is not finite or out of range, or arrays of the wrong length
 */
export function defineSystem(definition: SystemDefinition): System {
  const { name, particles, dimensions, terms, sampling } = definition;
  const refuse = (field: string, value: unknown, expected: string) => {
    throw new UsageError(`system ${name}: ${field} ${value}, expected ${expected}`);
  };
  if (!Number.isInteger(particles) || particles < 2) refuse('particles', particles, 'an integer of at least 2');
  if (dimensions !== 2 && dimensions !== 3) refuse('dimensions', dimensions, '2 or 3');
  const species = definition.species ?? new Array<number>(particles).fill(0);
  if (species.length !== particles) refuse('species of length', species.length, `${particles}, one per particle`);
  if (terms.length === 0) refuse('number of terms', 0, 'at least 1');
  terms.forEach((term, t) => {
    for (const [field, value] of Object.entries(term)) {
      if (field !== 'kind' && !Number.isFinite(value)) refuse(`terms[${t}].${field}`, value, 'a finite number');
    }
    if (term.kind === 'lennard-jones' && !(term.rMin > 0)) refuse(`terms[${t}].rMin`, term.rMin, 'a positive number');
  });
  if (!(sampling.metropolisStep > 0)) refuse('metropolisStep', sampling.metropolisStep, 'a positive number');
  if (sampling.start.length !== particles * dimensions || !sampling.start.every(Number.isFinite)) {
    refuse('start of length', sampling.start.length, `${particles}·${dimensions} finite coordinates`);
  }
  return {
    ...definition,
    options: definition.options ?? {},
    species,
    known: definition.known ?? { source: 'nothing is known about this system' },
  };
}

/** The start configuration of a system as a new array [N, D], centroid removed. */
export function startConfiguration(system: System): Float64Array {
  const { particles, dimensions } = system;
  const x = Float64Array.from(system.sampling.start);
  for (let axis = 0; axis < dimensions; axis++) {
    let sum = 0;
    for (let c = axis; c < x.length; c += dimensions) sum += x[c];
    for (let c = axis; c < x.length; c += dimensions) x[c] -= sum / particles;
  }
  return x;
}
