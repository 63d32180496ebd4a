import { UsageError } from '../errors.js';

/** What all pair terms have in common. */
interface PairTermBase {
  readonly scale: number;
  /** The pair of species that the term is about, smaller number first; without it, all pairs. */
  readonly species?: readonly [number, number];
}

/** scale · Σ_{i<j} a(d − d0)⁴ + b(d − d0)² + c */
export interface DoubleWellTerm extends PairTermBase {
  readonly kind: 'double-well';
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d0: number;
}

/** scale · Σ_{i<j} ε[(rMin/d)¹² − 2(rMin/d)⁶]: minimum −ε at d = rMin */
export interface LennardJonesTerm extends PairTermBase {
  readonly kind: 'lennard-jones';
  readonly epsilon: number;
  readonly rMin: number;
}

/**
 * scale · Σ_{i<j} u(d) with u a piecewise cubic on [dMin, dMax], given by values and slopes at evenly spaced knots, both
 * included. Below dMin u goes on as the straight line of its first slope (a linear core), beyond dMax it stays constant.
 * Made by `tabulatePair`.
 */
export interface TabulatedTerm extends PairTermBase {
  readonly kind: 'tabulated';
  readonly dMin: number;
  readonly dMax: number;
  /** u at the knots. */
  readonly values: readonly number[];
  /** du/dd at the knots. */
  readonly slopes: readonly number[];
}

/** scale · ½ stiffness Σ_i ‖x_i − x̄‖² */
export interface TrapTerm {
  readonly kind: 'trap';
  readonly scale: number;
  readonly stiffness: number;
}

/** A part of U that depends on pair distances. */
export type PairTerm = DoubleWellTerm | LennardJonesTerm | TabulatedTerm;

/** One part of U; every pair counts once. */
export type EnergyTerm = PairTerm | TrapTerm;

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
  // Model files hold the name and are read back by the same rule.
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new UsageError(`system name '${name}', expected 1 to 64 letters, digits, dots, hyphens or underscores`);
  }
  const refuse = (field: string, value: unknown, expected: string) => {
    throw new UsageError(`system ${name}: ${field} ${value}, expected ${expected}`);
  };
  if (!Number.isInteger(particles) || particles < 2) refuse('particles', particles, 'an integer of at least 2');
  if (dimensions !== 2 && dimensions !== 3) refuse('dimensions', dimensions, '2 or 3');
  const species = definition.species ?? new Array<number>(particles).fill(0);
  if (species.length !== particles) refuse('species of length', species.length, `${particles}, one per particle`);
  if (terms.length === 0) refuse('number of terms', 0, 'at least 1');
  const kinds = new Set(species).size;
  if (!species.every((s) => Number.isInteger(s) && s >= 0 && s < kinds)) {
    refuse('species', `[${species}]`, 'numbers counting up from 0 without gaps');
  }
  terms.forEach((term, t) => {
    checkTerm(term, kinds, (field, value, expected) => refuse(`terms[${t}].${field}`, value, expected));
  });
  if (!(sampling.metropolisStep > 0 && Number.isFinite(sampling.metropolisStep)))
    refuse('metropolisStep', sampling.metropolisStep, 'a positive number');
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

function checkTerm(
  term: EnergyTerm,
  species: number,
  refuse: (field: string, value: unknown, expected: string) => void,
): void {
  for (const [field, value] of Object.entries(term)) {
    if (field === 'kind' || field === 'species') continue;
    const numbers: unknown[] = Array.isArray(value) ? value : [value];
    const bad = numbers.findIndex((number) => !Number.isFinite(number));
    if (bad >= 0) refuse(field, numbers[bad], 'a finite number');
  }
  if (term.kind === 'lennard-jones' && !(term.rMin > 0)) refuse('rMin', term.rMin, 'a positive number');
  if (term.kind === 'tabulated') {
    if (!(term.dMin > 0 && term.dMax > term.dMin)) {
      refuse('dMin, dMax', `${term.dMin}, ${term.dMax}`, 'positive distances, the first below the second');
    }
    if (term.values.length < 2 || term.values.length !== term.slopes.length) {
      refuse(
        'values, slopes of lengths',
        `${term.values.length}, ${term.slopes.length}`,
        'as many of each, at least 2',
      );
    }
  }
  if (term.kind === 'trap' || term.species === undefined) return;
  const [a, b] = term.species;
  const valid = [a, b].every((s) => Number.isInteger(s) && s >= 0 && s < species) && a <= b;
  if (term.species.length !== 2 || !valid) {
    refuse('species', `[${term.species}]`, `two species from 0 to ${species - 1}, the smaller first`);
  }
}
