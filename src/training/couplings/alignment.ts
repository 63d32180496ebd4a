import { assignmentSolver } from './assignment.js';
import { identity, nearestOrthogonal, svd } from './orthogonal.js';

/** Every round lowers the distance or is the last, and few pairs take more than five. */
const MAX_ROUNDS = 30;

/** A configuration [N, D] in the frame of its own principal axes, and the frame: row a is axis a. */
export interface Canonical {
  readonly x: Float64Array;
  readonly axes: Float64Array;
  readonly squaredNorm: number;
}

/** Which element of the group brings one configuration closest to another. */
export interface Alignment {
  /** Σ_i |a_i − R b_order(i)|² */
  readonly squaredDistance: number;
  /** R of O(D) between the two canonical frames. */
  readonly orthogonal: Float64Array;
  /** Particle of b that stands for particle i of a. */
  readonly order: Int32Array;
}

/** Alignments of mean-free configurations under O(D) and exchange of particles of equal species. */
export interface Aligner {
  canonical(x: Float64Array): Canonical;
  align(a: Canonical, b: Canonical): Alignment;
  /** b moved by the group element, in the frame that a was given in. */
  moved(a: Canonical, b: Canonical, alignment: Alignment): Float64Array;
}

/**
 * Brings configurations closest together under rotations, reflections and permutations: permutation by assignment,
 * orthogonal matrix by Kabsch, in turn until neither changes (Klein, Krämer, Noé 2023, arXiv 2306.15030). It starts from
 * the better of the 2^D ways to lay the principal axes upon each other, so that distance and alignment depend on the two
 * orbits alone; a local minimum is possible, as no fast exact solution is known.
 */
export function aligner(species: readonly number[], D: number): Aligner {
  const N = species.length;
  const kinds = [...new Set(species)].map((kind) => species.flatMap((s, i) => (s === kind ? [i] : [])));
  const solvers = kinds.map((members) => assignmentSolver(members.length));
  const costs = kinds.map((members) => new Float64Array(members.length ** 2));
  const starts = Array.from({ length: 2 ** D }, (_, signs) =>
    identity(D).map((value, c) => (signs & (1 << Math.floor(c / D)) ? -value : value)),
  );

  /** The best order for a given R, and Σ a_i·R b_order(i). */
  function assignParticles(a: Float64Array, b: Float64Array, R: Float64Array): { order: Int32Array; overlap: number } {
    const turned = transform(R, b, D);
    const order = new Int32Array(N);
    let overlap = 0;
    kinds.forEach((members, kind) => {
      const n = members.length;
      const cost = costs[kind];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          let product = 0;
          for (let c = 0; c < D; c++) product += a[members[i] * D + c] * turned[members[j] * D + c];
          cost[i * n + j] = -product;
        }
      }
      const { columns } = solvers[kind](cost, n);
      for (let i = 0; i < n; i++) {
        order[members[i]] = members[columns[i]];
        overlap -= cost[i * n + columns[i]];
      }
    });
    return { order, overlap };
  }

  function align(a: Canonical, b: Canonical): Alignment {
    let orthogonal: Float64Array = starts[0];
    let best = assignParticles(a.x, b.x, orthogonal);
    for (const start of starts.slice(1)) {
      const candidate = assignParticles(a.x, b.x, start);
      if (candidate.overlap > best.overlap) [orthogonal, best] = [start, candidate];
    }
    for (let round = 0; round < MAX_ROUNDS; round++) {
      orthogonal = nearestOrthogonal(crossCovariance(a.x, b.x, best.order, D), D);
      const next = assignParticles(a.x, b.x, orthogonal);
      const settled = next.order.every((particle, i) => particle === best.order[i]);
      best = next;
      if (settled) break;
    }
    return { squaredDistance: a.squaredNorm + b.squaredNorm - 2 * best.overlap, orthogonal, order: best.order };
  }

  return {
    canonical(x) {
      const axes = principalAxes(x, D);
      return { x: transform(axes, x, D), axes, squaredNorm: x.reduce((sum, value) => sum + value * value, 0) };
    },
    align,
    moved(a, b, { orthogonal, order }) {
      const inFrame = transform(orthogonal, b.x, D);
      const ordered = inFrame.map((_, c) => inFrame[order[Math.floor(c / D)] * D + (c % D)]);
      return transform(transpose(a.axes, D), ordered, D);
    },
  };
}

/** Rows are the principal axes of mean-free x [N, D], longest first; their signs mean nothing. */
function principalAxes(x: Float64Array, D: number): Float64Array {
  const { U, S } = svd(crossCovariance(x, x, undefined, D), D);
  const longestFirst = Array.from(S.keys()).sort((a, b) => S[b] - S[a]);
  return U.map((_, c) => U[(c % D) * D + longestFirst[Math.floor(c / D)]]);
}

/** Σ_i b_order(i) a_iᵀ [D, D]. */
function crossCovariance(a: Float64Array, b: Float64Array, order: Int32Array | undefined, D: number): Float64Array {
  const H = new Float64Array(D * D);
  for (let i = 0; i < a.length / D; i++) {
    const j = order === undefined ? i : order[i];
    for (let r = 0; r < D; r++) for (let c = 0; c < D; c++) H[r * D + c] += b[j * D + r] * a[i * D + c];
  }
  return H;
}

/** R x_i for every particle of x [N, D]. */
function transform(R: Float64Array, x: Float64Array, D: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i += D) {
    for (let r = 0; r < D; r++) for (let c = 0; c < D; c++) out[i + r] += R[r * D + c] * x[i + c];
  }
  return out;
}

function transpose(R: Float64Array, D: number): Float64Array {
  return R.map((_, c) => R[(c % D) * D + Math.floor(c / D)]);
}
