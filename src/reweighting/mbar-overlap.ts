import { gravest } from './estimates.js';
import { type MbarData, type MbarSolution, sampledStates } from './mbar-equations.js';
import { overlapStatus } from './overlap.js';
import type { WeightStatus } from './status.js';

/** A link of the spanning tree: without it, the sampled states fall into two groups. */
export interface Cut {
  /** States on the far side of the link. */
  readonly far: ReadonlySet<number>;
  readonly status: WeightStatus;
}

/**
 * Judges the weakest places of a set of sampled states: the links of the spanning tree of strongest overlap. Removing one leaves
 * two groups, and their samples are judged like forward and reverse samples of Bennett's method. A difference between two
 * states is as good as the worst cut that separates them.
 *
 * @param laplacian links between sampled states, row-major [S, S]
 */
export function judgeCuts(data: MbarData, solution: MbarSolution, laplacian: Float64Array): Cut[] {
  const sampled = sampledStates(data.counts);
  const size = sampled.length;
  const parent = spanningTree(laplacian, size);
  const cuts: Cut[] = [];
  for (let s = 1; s < size; s++) {
    const far = new Set(sampled.filter((_, r) => descendsFrom(r, s, parent)));
    cuts.push({ far, status: judgeCut(data, solution, far) });
  }
  return cuts;
}

/** The worst verdict on the cuts between two states, or on all cuts if one of the states was not sampled. */
export function statusBetween(cuts: readonly Cut[], counts: readonly number[], i: number, j: number): WeightStatus {
  const sampled = counts[i] > 0 && counts[j] > 0;
  const between = cuts.filter(({ far }) => !sampled || far.has(i) !== far.has(j)).map(({ status }) => status);
  return gravest({ level: 'trust', text: 'One sampled state: no overlap is needed.' }, ...between);
}

/** Parent of each sampled state in the maximum spanning tree (Prim), the root's own being −1. */
function spanningTree(laplacian: Float64Array, size: number): Int32Array {
  const parent = new Int32Array(size).fill(-1);
  const link = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  const outside = new Set(Array.from({ length: size }, (_, s) => s));
  let last = 0;
  outside.delete(0);
  while (outside.size > 0) {
    let best = -1;
    for (const s of outside) {
      const strength = -laplacian[s * size + last];
      if (strength > link[s]) {
        link[s] = strength;
        parent[s] = last;
      }
      if (best < 0 || link[s] > link[best]) best = s;
    }
    outside.delete(best);
    last = best;
  }
  return parent;
}

function descendsFrom(state: number, ancestor: number, parent: Int32Array): boolean {
  for (let s = state; s >= 0; s = parent[s]) if (s === ancestor) return true;
  return false;
}

function judgeCut(data: MbarData, solution: MbarSolution, far: ReadonlySet<number>): WeightStatus {
  const { energies, counts } = data;
  const near: number[] = [];
  const across: number[] = [];
  let first = 0;
  for (const [k, count] of counts.entries()) {
    const other = sampledStates(counts).filter((s) => far.has(s) !== far.has(k));
    for (let n = first; n < first + count; n++) {
      let probability = 0;
      for (const s of other) {
        probability += counts[s] * Math.exp(solution.freeEnergy[s] - energies[s][n] - solution.logDenominator[n]);
      }
      (far.has(k) ? across : near).push(Math.min(0, Math.log(probability)));
    }
    first += count;
  }
  const names = [...far].join(', ');
  return overlapStatus(
    Float64Array.from(near),
    Float64Array.from(across),
    `state${far.size > 1 ? 's' : ''} ${names} and the others`,
  ).status;
}
