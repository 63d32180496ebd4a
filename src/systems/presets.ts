import { mackayIcosahedron } from './icosahedron.js';
import { DW4_ANSWERS, dw2Answers, lennardJonesAnswers } from './known-answers.js';
import { defineSystem, type EnergyTerm, type System } from './system.js';

/** A numeric option of a preset. */
export interface PresetOption {
  readonly name: string;
  readonly description: string;
  /** Taken when the option is left out; without it the option is required. */
  readonly default?: number;
  /** The values there are; without them any positive number. */
  readonly values?: readonly number[];
}

/** A family of systems under one name. */
export interface Preset {
  readonly name: string;
  readonly options: readonly PresetOption[];
  /** Settings of the options that the literature uses. */
  readonly variants: readonly Readonly<Record<string, number>>[];
  /** Builds the system from options that are complete and within range. */
  readonly build: (options: Readonly<Record<string, number>>) => System;
}

/** U of the double-well systems of Köhler, Klein and Noé (2019, 2020). */
const DOUBLE_WELL: EnergyTerm = { kind: 'double-well', scale: 1, a: 0.9, b: -4, c: 0, d0: 4 };
const DOUBLE_WELL_CONVENTION = 'U = Σ_{i<j} 0.9(d−4)⁴ − 4(d−4)², every pair once; kT = 1';

const DW2: Preset = {
  name: 'dw2',
  options: [{ name: 'dimensions', description: 'dimension of space', default: 2, values: [2, 3] }],
  variants: [{ dimensions: 2 }, { dimensions: 3 }],
  build: (options) => {
    const dimensions = options.dimensions === 3 ? 3 : 2;
    const known = dw2Answers(dimensions);
    return defineSystem({
      name: 'dw2',
      options,
      particles: 2,
      dimensions,
      terms: [DOUBLE_WELL],
      convention: DOUBLE_WELL_CONVENTION,
      known,
      // Accepts 42 % of the moves.
      sampling: { metropolisStep: 0.5, start: known.minima![0].x },
    });
  },
};

const DW4: Preset = {
  name: 'dw4',
  options: [],
  variants: [{}],
  build: () =>
    defineSystem({
      name: 'dw4',
      particles: 4,
      dimensions: 2,
      terms: [DOUBLE_WELL],
      convention: DOUBLE_WELL_CONVENTION,
      known: DW4_ANSWERS,
      // Accepts 32 % of the moves.
      sampling: { metropolisStep: 0.2, start: DW4_ANSWERS.minima![0].x },
    }),
};

const PAIR_FACTOR: PresetOption = {
  name: 'pairFactor',
  description:
    'factor on the pair energy, on which the literature disagrees: published tables use 2 ' +
    '(iDEM, equivariant flow matching), bgflow and EACF use 1',
};

/**
 * A Lennard-Jones cluster in a harmonic trap.
 *
 * @param step Metropolis step at pairFactor 1, where it accepts a third to a half of the moves of a cold cluster
 */
function lennardJonesCluster(name: string, shells: number, step: number): Preset {
  return {
    name,
    options: [PAIR_FACTOR],
    variants: [{ pairFactor: 1 }, { pairFactor: 2 }],
    build: (options) => {
      const { pairFactor } = options;
      // Shells a little closer than rMin, since neighbours within a shell are further apart.
      const start = mackayIcosahedron(shells, 0.96);
      const particles = start.length / 3;
      return defineSystem({
        name,
        options,
        particles,
        dimensions: 3,
        terms: [
          { kind: 'lennard-jones', scale: pairFactor, epsilon: 1, rMin: 1 },
          { kind: 'trap', scale: 1, stiffness: 1 },
        ],
        convention:
          `U = pairFactor·Σ_{i<j} [(1/d)¹² − 2(1/d)⁶] + ½Σ_i‖x_i − x̄‖², pairFactor = ${pairFactor}, ` +
          'every pair once; kT = 1',
        known: lennardJonesAnswers(particles, pairFactor),
        // Vibrations shrink as the square root of the stiffness.
        sampling: { metropolisStep: step / Math.sqrt(pairFactor), start },
      });
    },
  };
}

/** σ and ε of the binary mixture of Kob and Andersen (Phys. Rev. E 51 (1995) 4626), in units of species 0. */
const KOB_ANDERSEN = [
  { species: [0, 0], epsilon: 1, rMin: 1 },
  { species: [0, 1], epsilon: 1.5, rMin: 0.8 },
  { species: [1, 1], epsilon: 0.5, rMin: 0.88 },
] as const;

/** Ten particles of species 0 around and among three of species 1. */
const BINARY_CLUSTER: Preset = {
  name: 'blj13',
  options: [PAIR_FACTOR],
  variants: [{ pairFactor: 1 }],
  build: (options) => {
    const { pairFactor } = options;
    const start = mackayIcosahedron(1, 0.9);
    return defineSystem({
      name: 'blj13',
      options,
      particles: 13,
      dimensions: 3,
      // The icosahedron's centre comes first: a small particle fits there.
      species: [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      terms: [
        ...KOB_ANDERSEN.map(({ species, epsilon, rMin }): EnergyTerm => {
          return { kind: 'lennard-jones', scale: pairFactor, epsilon, rMin, species };
        }),
        { kind: 'trap', scale: 1, stiffness: 1 },
      ],
      convention:
        'U = pairFactor·Σ_{i<j} ε_ab[(r_ab/d)¹² − 2(r_ab/d)⁶] + ½Σ_i‖x_i − x̄‖², a, b the species of i, j, ' +
        `ε 1, 1.5, 0.5 and r 1, 0.8, 0.88 for 00, 01, 11 (Kob–Andersen), pairFactor = ${pairFactor}, every pair once; kT = 1`,
      sampling: { metropolisStep: 0.03 / Math.sqrt(pairFactor), start },
    });
  },
};

/** All presets by name. */
export const PRESETS: readonly Preset[] = [
  DW2,
  DW4,
  lennardJonesCluster('lj13', 1, 0.036),
  lennardJonesCluster('lj55', 2, 0.01),
  BINARY_CLUSTER,
];
