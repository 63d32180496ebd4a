/* What the kernels have to do, counted from their algorithms: vector instructions of one pass over one unit of work. A vector holds
 * four samples in f32, two in f64. test/bench/operations.test.ts finds the same numbers in the compiled module. */
import { gridFor } from '../src/fields/radial-grid.js';
import { stageTimes } from '../src/integrators/index.js';
import type { Precision } from '../src/kernels/index.js';
import type { Case } from './cases.js';

/** Vector instructions by what they need. Address arithmetic, loop counters and what a compiler spills are not counted. */
export interface Operations {
  /** Additions, subtractions and minima, which share their units. */
  readonly additions?: number;
  readonly multiplications?: number;
  /** On integers and bits, and changes of type. */
  readonly others?: number;
  readonly shuffles?: number;
  readonly roots?: number;
  readonly divisions?: number;
  /** Of vectors, of one number into all lanes, and of row numbers. */
  readonly loads?: number;
  readonly stores?: number;
  /** Vectors that come from beyond the first cache or go there. */
  readonly streamed?: number;
}

/** One loop of a kernel; the next begins when it is done, so that their times add up. */
export interface Pass {
  readonly name: string;
  readonly operations: Operations;
}

const KEYS = [
  ...(['additions', 'multiplications', 'others', 'shuffles', 'roots', 'divisions'] as const),
  ...(['loads', 'stores', 'streamed'] as const),
];

function pass(name: string, operations: Operations, times = 1): Pass {
  const scaled = KEYS.flatMap((key) => (operations[key] ? [[key, operations[key] * times] as const] : []));
  return { name, operations: Object.fromEntries(scaled) };
}

/** Floating-point operations of passes, in vectors; a root or a division counts as one. */
export function floatingPoint(passes: readonly Pass[]): number {
  return passes.reduce((sum, { operations }) => {
    const { additions = 0, multiplications = 0, roots = 0, divisions = 0 } = operations;
    return sum + additions + multiplications + roots + divisions;
  }, 0);
}

/** Velocity and divergence, per pair: the three passes of assembly/pairs.ts, or of four-particles.ts for DW4. */
export function fieldPasses(precision: Precision, particles: number, dimensions: number): Pass[] {
  const D = dimensions;
  const four = particles === 4 && D === 2;
  const pairs = (particles * (particles - 1)) / 2;
  return [
    pass('distance, row, fraction', {
      // Difference, its square, index and fraction: s − ½, ± 1.5·2^23, z − y, the minimum
      additions: D + (D - 1) + 5,
      multiplications: D + 1,
      others: 1,
      roots: 1,
      // Four particles: all coordinates once, and one axis of the difference again
      loads: four ? (8 + 6) / 6 : D,
      stores: four ? 3 + D : 3,
      streamed: (particles * D) / pairs,
    }),
    pass('table, cubic, divergence', {
      additions: 7,
      multiplications: 5,
      shuffles: precision === 'f32' ? 8 : 4,
      // Fraction and distance, four vectors of coefficients, and as many row numbers as lanes
      loads: 6 + (precision === 'f32' ? 4 : 2),
      stores: 1,
    }),
    pass(
      'forces',
      four
        ? // Written out: twelve products, three of them in each of eight sums
          { additions: 16 / 6, multiplications: 2, loads: 4, stores: 8 / 6, streamed: (particles * D) / pairs }
        : {
            additions: 3 * D,
            multiplications: D,
            loads: 2 * D + 1,
            stores: D,
            streamed: (particles * D) / pairs,
          },
    ),
  ];
}

/** Energy and gradient of DW4, per block of six pairs: the three passes of assembly/four-particle-energies.ts. */
function fourParticlePasses(precision: Precision): Pass[] {
  // Sums of three rows of pairs, in f64: of f32 the two halves go their own ways
  const sums =
    precision === 'f32'
      ? { additions: 6, others: 6, shuffles: 3, loads: 6, stores: 8 }
      : { additions: 3, others: 0, shuffles: 0, loads: 3, stores: 4 };
  return [
    pass('distances', { additions: 18, multiplications: 12, roots: 6, loads: 8 + 6, stores: 18 }),
    pass('energies and slopes', {
      ...sums,
      additions: 6 * 5 + 3 + sums.additions,
      multiplications: 6 * 5 + 3,
      divisions: 6,
      loads: 6 * 6 + sums.loads,
      stores: 6 + sums.stores,
    }),
    pass('gradients', { additions: 16, multiplications: 12, loads: 24, stores: 8 }),
  ];
}

/** Energy and gradient of the terms of a system, per pair: the two passes of assembly/pair-energies.ts, and the trap. */
export function energyPasses({ system }: Case, precision: Precision): Pass[] {
  const { particles, dimensions: D, terms } = system;
  if (particles === 4 && D === 2 && terms.length === 1 && terms[0].kind === 'double-well') {
    return fourParticlePasses(precision).map(({ name, operations }) => pass(name, operations, 1 / 6));
  }
  return terms.flatMap(({ kind }) => {
    if (kind === 'trap') {
      const share = 2 / (particles - 1);
      return [
        pass('centroid', { additions: D, loads: D }, share),
        pass('trap', { additions: 3 * D, multiplications: 2 * D, loads: 2 * D, stores: D }, share),
      ];
    }
    const bonds = kind === 'lennard-jones';
    const key = { additions: 2 * D - 1, multiplications: D, loads: D, stores: 1 };
    return [
      pass('distances', { ...key, ...(bonds ? { divisions: 1 } : { roots: 1 }) }),
      pass('energies and forces', {
        additions: (bonds ? 3 : 6) + 3 * D,
        multiplications: (bonds ? 6 : 5) + D,
        ...(bonds ? {} : { divisions: 1 }),
        loads: 2 * D + 1,
        stores: D,
      }),
    ];
  });
}

/** Two draws of four samples by ten rounds of Philox: sixteen numbers. The rest is done for eight at a time. */
export const NORMALS = {
  round: { others: 18, shuffles: 8, loads: 4 },
  logarithms: { additions: 30, multiplications: 28, divisions: 2, others: 16, shuffles: 2, loads: 2, stores: 2 },
  turn: { additions: 34, multiplications: 44, roots: 2, others: 32, shuffles: 2, loads: 4, stores: 4 },
} as const satisfies Record<string, Operations>;

/** Standard normals, per number: the three passes of assembly/random.ts. */
export function normalPasses(): Pass[] {
  const { round, logarithms, turn } = NORMALS;
  return [
    pass(
      'Philox, ten rounds',
      { others: 10 * round.others, shuffles: 10 * round.shuffles, loads: 10 * round.loads, stores: 8 },
      1 / 16,
    ),
    pass('logarithms', logarithms, 1 / 8),
    pass('root, angle, product', turn, 1 / 8),
  ];
}

/** Per tile of four knots in f64: for a centre that reaches it, that and two columns, a column; four vectors of two blends. */
export const TABLES = {
  gauss: { additions: 40, multiplications: 37, others: 6, loads: 2, stores: 4 },
  normalise: { additions: 2, multiplications: 4, loads: 4, stores: 4 },
  products: { additions: 8, multiplications: 8, loads: 6 },
  rows: { additions: 16, multiplications: 10, shuffles: 12, loads: 6, stores: 8 },
  blend: { additions: 8, multiplications: 8, loads: 6 },
} as const satisfies Record<string, Operations>;

/** Widths beyond which a centre adds nothing to the basis: as assembly/radial-basis.ts has it. */
const WINDOW = 7;

/** All stage tables for sampling, per build: assembly/radial-basis.ts, tables.ts and blend.ts. */
export function tablePasses({ field, flow }: Case, precision: Precision): Pass[] {
  const { mu, logGamma, muTime } = field.parameters;
  const { intervals, spacing } = gridFor(field.parameters, precision, {});
  const tiles = Math.ceil(intervals / 4) + 1;
  const tile = (d: number) => Math.floor(Math.max(0, Math.min(tiles, d / (4 * spacing))));
  const reached = [...mu].reduce((sum, center, k) => {
    const reach = WINDOW * Math.exp(logGamma[k]);
    return sum + tile(center + reach + 4 * spacing) - tile(center - reach);
  }, 0);
  const columns = (muTime.length + 1) & ~1;
  // Rows of four f64 are two vectors
  const blended = stageTimes(flow.integrator).length * 2 * (intervals + 1);
  const narrowed = { others: 1, shuffles: 0.5, loads: 1, stores: 0.5 };
  return [
    pass('exponentials', TABLES.gauss, reached),
    pass('normalisation', TABLES.normalise, reached),
    pass('products with weights', TABLES.products, (reached * columns) / 2),
    pass('rows', TABLES.rows, tiles * columns),
    pass('blends', { ...TABLES.blend, streamed: 8 }, (blended * muTime.length) / 8),
    ...(precision === 'f32' ? [pass('to f32', narrowed, blended)] : []),
  ];
}
