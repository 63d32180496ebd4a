import { Kernels, type LaneKernels, type Precision } from '../kernels/index.js';
import { pairTableRows } from './pair-table.js';
import type { EnergyTerm, System } from './system.js';

/** Numbers of a term in kernel memory; see assembly/energy.ts. */
const TERM_SIZE = 8;

/** Where a term's mask stands among its numbers. */
const MASK = 6;

/** A term as the kernels read it: kind, scale, constants. Tables are placed in memory at the lane's width. */
function encodeTerm(kernels: Kernels, term: EnergyTerm, precision: Precision): number[] {
  switch (term.kind) {
    case 'double-well':
      return [0, term.scale, term.a, term.b, term.c, term.d0];
    case 'lennard-jones':
      return [1, term.scale, term.epsilon, term.rMin];
    case 'trap':
      return [2, term.scale, term.stiffness];
    case 'tabulated': {
      const intervals = term.values.length - 1;
      const rows = pairTableRows(term);
      const table = kernels.allocate(rows.length * kernels.lane(precision).bytes);
      kernels.view(precision, table, rows.length).set(rows);
      return [3, term.scale, term.dMin, intervals / (term.dMax - term.dMin), intervals, table];
    }
  }
}

/** Places the terms of a system in kernel memory. */
export function placeTerms(
  kernels: Kernels,
  system: System,
  precision: Precision = 'f64',
): { terms: number; count: number } {
  const values = new Float64Array(system.terms.length * TERM_SIZE);
  system.terms.forEach((term, t) => {
    values.set(encodeTerm(kernels, term, precision), t * TERM_SIZE);
    if (term.kind !== 'trap' && term.species !== undefined) {
      values[t * TERM_SIZE + MASK] = placeMask(kernels, system, term.species);
    }
  });
  return { terms: kernels.place(values), count: system.terms.length };
}

/** Bytes [N][N], 1 for the pairs of particles that are of the given pair of species. */
function placeMask(kernels: Kernels, { particles: N, species }: System, [a, b]: readonly [number, number]): number {
  const mask = kernels.allocate(N * N);
  const bytes = Uint8Array.from({ length: N * N }, (_, at) => {
    const [s, t] = [species[Math.floor(at / N)], species[at % N]];
    return (s === a && t === b) || (s === b && t === a) ? 1 : 0;
  });
  kernels.u8View(mask, N * N).set(bytes);
  return mask;
}

/** Samples that are evaluated at a time: enough to amortise the call, few enough for L2. */
const CHUNK = 256;

/** Evaluates U and ∇U of one system on the WASM kernels. */
export class EnergyEvaluator {
  readonly #kernels = new Kernels();
  readonly #lane: LaneKernels;
  readonly #terms: { terms: number; count: number };
  readonly #offsets: { rows: number; x: number; energy: number; gradient: number; scratch: number };

  constructor(
    readonly system: System,
    precision: Precision = 'f64',
  ) {
    const k = this.#kernels;
    const bytes = CHUNK * system.particles * system.dimensions * 8;
    this.#lane = k.lane(precision);
    this.#terms = placeTerms(k, system, precision);
    this.#offsets = {
      rows: k.allocate(bytes),
      x: k.allocate(bytes),
      energy: k.allocate(CHUNK * 8),
      gradient: k.allocate(bytes),
      scratch: k.allocate(k.common.energyScratch(system.particles)),
    };
  }

  /** U [n] of configurations `x` [n, N, D], never divided by kT, in an array of its own or in `energy`. */
  energy(x: Float32Array | Float64Array, n: number, energy: Float64Array = new Float64Array(n)): Float64Array {
    this.#evaluate(x, n, energy);
    return energy;
  }

  /** U [n] and ∇U [n, N, D]. */
  energyAndGradient(x: Float32Array | Float64Array, n: number): { energy: Float64Array; gradient: Float64Array } {
    const energy = new Float64Array(n);
    const gradient = new Float64Array(n * this.system.particles * this.system.dimensions);
    this.#evaluate(x, n, energy, gradient);
    return { energy, gradient };
  }

  #evaluate(x: Float32Array | Float64Array, n: number, energy: Float64Array, gradient?: Float64Array): void {
    const { particles, dimensions } = this.system;
    const C = particles * dimensions;
    const k = this.#kernels;
    const at = this.#offsets;
    for (let first = 0; first < n; first += CHUNK) {
      const count = Math.min(CHUNK, n - first);
      const blocks = Math.ceil(count / this.#lane.lanes);
      const padded = blocks * this.#lane.lanes;
      const single = x instanceof Float32Array;
      const rows = single ? k.f32View(at.rows, padded * C) : k.f64View(at.rows, padded * C);
      rows.set(x.subarray(first * C, (first + count) * C));
      for (let s = count; s < padded; s++) rows.copyWithin(s * C, (count - 1) * C, count * C);
      if (single) this.#lane.packFrom32(at.rows, at.x, padded, C);
      else this.#lane.packFrom64(at.rows, at.x, padded, C);
      const gradientAt = gradient ? at.gradient : 0;
      this.#lane.potential(
        this.#terms.terms,
        this.#terms.count,
        at.x,
        at.energy,
        gradientAt,
        particles,
        dimensions,
        blocks,
        at.scratch,
      );
      energy.set(k.f64View(at.energy, count), first);
      if (gradient) {
        this.#lane.unpackTo64(at.gradient, at.rows, count, C);
        gradient.set(k.f64View(at.rows, count * C), first * C);
      }
    }
  }
}
