import test from 'ava';
import { NumericalError } from '../../src/errors.js';
import { aligner, assign, type CouplingKind, coupling, nearestOrthogonal, svd } from '../../src/training/index.js';
import {
  permute,
  type RandomSource,
  randomPermutation,
  randomReflection,
  randomSource,
  rotate,
} from '../twin/random.js';

/** All orders of 0 … n−1. */
function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((rest) => rest.concat(n - 1).map((_, at) => rest.toSpliced(at, 0, n - 1)));
}

function costOf(cost: Float64Array, n: number, columns: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += cost[i * n + columns[i]];
  return sum;
}

test('an assignment is as cheap as the cheapest of all permutations, up to 7 rows', (t) => {
  const random = randomSource(1);
  for (let n = 1; n <= 7; n++) {
    const orders = permutations(n);
    for (let repeat = 0; repeat < 20; repeat++) {
      const cost = random.normals(n * n);
      const least = Math.min(...orders.map((order) => costOf(cost, n, order)));
      t.true(Math.abs(costOf(cost, n, assign(cost, n).columns) - least) < 1e-12, `n = ${n}`);
    }
  }
});

test('large assignments come with potentials that prove them, also where many costs are equal', (t) => {
  const random = randomSource(2);
  for (const [n, levels] of [
    [64, 0],
    [257, 0],
    [100, 3],
    [50, 1],
  ]) {
    const cost = random.normals(n * n).map((value) => (levels === 0 ? value : Math.floor(levels * (value % 1))));
    const { columns, rowPotentials, columnPotentials } = assign(cost, n);
    t.deepEqual(
      Array.from(columns).sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    );
    let slack = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) slack = Math.min(slack, cost[i * n + j] - rowPotentials[i] - columnPotentials[j]);
      t.true(Math.abs(cost[i * n + columns[i]] - rowPotentials[i] - columnPotentials[columns[i]]) < 1e-12);
    }
    t.true(slack > -1e-12, `n = ${n}: ${slack}`);
  }
});

test('a cost that is not finite is refused by its place', (t) => {
  t.throws(() => assign(Float64Array.of(1, 2, 3, Number.NaN), 2), {
    instanceOf: NumericalError,
    message: /cost \[1, 1\] is NaN/,
  });
});

/** A B, or A Bᵀ, of [D, D] matrices. */
function product(A: Float64Array, B: Float64Array, D: number, transposed = false): Float64Array {
  return A.map((_, c) => {
    let sum = 0;
    for (let k = 0; k < D; k++) {
      sum += A[Math.floor(c / D) * D + k] * B[transposed ? (c % D) * D + k : k * D + (c % D)];
    }
    return sum;
  });
}

function trace(A: Float64Array, D: number): number {
  return A.reduce((sum, value, c) => (c % (D + 1) === 0 ? sum + value : sum), 0);
}

/** Matrices of every rank, among them 0, and with equal singular values. */
function matrices(random: RandomSource, D: number): Float64Array[] {
  const unit = randomReflection(random, D);
  const full = Array.from({ length: 20 }, () => random.normals(D * D));
  const [a, b] = [random.normals(D), random.normals(D)];
  const rankOne = full[0].map((_, c) => a[Math.floor(c / D)] * b[c % D]);
  return [...full, unit, rankOne, new Float64Array(D * D), full[1].map((value) => 1e-9 * value)];
}

for (const D of [2, 3]) {
  const unit = Float64Array.from({ length: D * D }, (_, c) => (c % (D + 1) === 0 ? 1 : 0));
  const isUnit = (A: Float64Array) => A.every((value, c) => Math.abs(value - unit[c]) < 1e-12);

  test(`U S Vᵀ is the matrix, with orthogonal U and V, of any rank: D = ${D}`, (t) => {
    for (const A of matrices(randomSource(3), D)) {
      const { U, S, V } = svd(A, D);
      t.true(isUnit(product(U, U, D, true)) && isUnit(product(V, V, D, true)));
      const scaled = U.map((value, c) => value * S[c % D]);
      const size = Math.hypot(...A);
      t.true(product(scaled, V, D, true).every((value, c) => Math.abs(value - A[c]) <= 1e-13 * size));
    }
  });

  test(`no orthogonal matrix overlaps more than Kabsch's, rotations and reflections alike: D = ${D}`, (t) => {
    const random = randomSource(4);
    for (const H of matrices(random, D)) {
      const R = nearestOrthogonal(H, D);
      t.true(isUnit(product(R, R, D, true)));
      const overlap = trace(product(R, H, D), D);
      // In the plane a fine grid over both sheets of O(2); in space random elements and neighbours of R.
      const others =
        D === 2
          ? Array.from({ length: 20000 }, (_, k) => {
              const [c, s] = [Math.cos((k * Math.PI) / 5000), Math.sin((k * Math.PI) / 5000)];
              return k < 10000 ? Float64Array.of(c, -s, s, c) : Float64Array.of(c, s, s, -c);
            })
          : Array.from({ length: 2000 }, () => randomReflection(random, 3).map((v, _, Q) => (Q[0] > 0 ? v : -v)));
      const best = Math.max(...others.map((Q) => trace(product(Q, H, D), D)));
      t.true(best <= overlap + 1e-12 * Math.hypot(...H), `${best} > ${overlap}`);
      if (D === 2) t.true(best >= overlap - 1e-6 * Math.hypot(...H));
    }
  });
}

function meanFree(x: Float64Array, D: number): Float64Array {
  const N = x.length / D;
  const mean = Array.from({ length: D }, (_, a) => x.reduce((sum, v, c) => (c % D === a ? sum + v / N : sum), 0));
  return x.map((value, c) => value - mean[c % D]);
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, c) => sum + (value - b[c]) ** 2, 0);
}

/** The least distance over all permutations within species, each with its best orthogonal matrix: exact, for few particles. */
function bruteForce(a: Float64Array, b: Float64Array, species: readonly number[], D: number): number {
  const N = species.length;
  let least = Number.POSITIVE_INFINITY;
  for (const order of permutations(N)) {
    if (!order.every((j, i) => species[j] === species[i])) continue;
    const ordered = permute(b, order, D);
    const H = new Float64Array(D * D);
    for (let i = 0; i < N; i++) {
      for (let c = 0; c < D * D; c++) H[c] += ordered[i * D + Math.floor(c / D)] * a[i * D + (c % D)];
    }
    least = Math.min(least, squaredDistance(a, rotate(ordered, nearestOrthogonal(H, D), D)));
  }
  return least;
}

for (const [species, D] of [
  [[0, 0, 0, 0], 2],
  [[0, 0, 0, 0, 0], 3],
  [[0, 1, 0, 1, 0], 3],
] as const) {
  const name = `species ${species}, D = ${D}`;

  test(`an alignment moves within the orbit, never beats brute force and mostly equals it: ${name}`, (t) => {
    const random = randomSource(5);
    const { canonical, align, moved } = aligner(species, D);
    const repeats = 100;
    let exact = 0;
    let excess = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const [a, b] = [0, 1].map(() => meanFree(random.normals(species.length * D), D));
      const [ca, cb] = [canonical(a), canonical(b)];
      const alignment = align(ca, cb);
      const onto = moved(ca, cb, alignment);
      t.true(Math.abs(squaredDistance(a, onto) - alignment.squaredDistance) < 1e-10);
      t.deepEqual(distances(onto, species, D), distances(b, species, D));
      const least = bruteForce(a, b, species, D);
      t.true(alignment.squaredDistance > least - 1e-10);
      if (alignment.squaredDistance < least + 1e-9) exact++;
      excess += (alignment.squaredDistance - least) / least / repeats;
    }
    t.log(`${exact} of ${repeats} exact, mean excess ${(100 * excess).toFixed(1)} %`);
    t.true(exact > 0.4 * repeats);
  });

  test(`an alignment depends on orbits alone: ${name}`, (t) => {
    const random = randomSource(6);
    const { canonical, align } = aligner(species, D);
    for (let repeat = 0; repeat < 50; repeat++) {
      const [a, b] = [0, 1].map(() => meanFree(random.normals(species.length * D), D));
      const acted = [a, b].map((x) => {
        const order = randomPermutation(random, species.length);
        const within = species.map((kind, i) => {
          const members = order.filter((j) => species[j] === kind);
          return members[species.slice(0, i).filter((other) => other === kind).length];
        });
        return canonical(permute(rotate(x, randomReflection(random, D), D), within, D));
      });
      const before = align(canonical(a), canonical(b)).squaredDistance;
      t.true(Math.abs(align(acted[0], acted[1]).squaredDistance - before) < 1e-9);
    }
  });
}

/** Pair distances by pair of species, sorted: what an orbit is told by. Rounded, for comparison. */
function distances(x: Float64Array, species: readonly number[], D: number): string[] {
  const out: string[] = [];
  for (let i = 0; i < species.length; i++) {
    for (let j = 0; j < i; j++) {
      const d = Math.hypot(...Array.from({ length: D }, (_, a) => x[i * D + a] - x[j * D + a]));
      const pair = [species[i], species[j]].sort();
      out.push(`${pair} ${d.toFixed(9)}`);
    }
  }
  return out.sort();
}

for (const kind of ['independent', 'minibatch-ot', 'equivariant-ot'] satisfies CouplingKind[]) {
  test(`a coupling keeps the samples of the prior, and the configurations up to the group, at no greater distance: ${kind}`, (t) => {
    const random = randomSource(7);
    const [N, D] = [4, 2];
    const species = [0, 0, 1, 1];
    const rows = (x: Float64Array) => Array.from({ length: x.length / (N * D) }, (_, s) => x.slice(8 * s, 8 * s + 8));
    const means: number[] = [];
    // 23 is not a multiple of the groups; the last group is smaller.
    for (const group of [1, 5, 23]) {
      const [x0, x1] = [0, 1].map(() =>
        Float64Array.from(Array.from({ length: 23 }, () => Array.from(meanFree(random.normals(N * D), D))).flat()),
      );
      const [before0, before1] = [x0.slice(), x1.slice()];
      coupling(kind, group, species, D)(x0, x1, 23);
      t.deepEqual(rows(x0).map(String).sort(), rows(before0).map(String).sort());
      if (kind === 'equivariant-ot') {
        rows(x1).forEach((row, s) => {
          t.deepEqual(distances(row, species, D), distances(rows(before1)[s], species, D));
        });
      } else t.deepEqual(x1, before1);
      t.true(squaredDistance(x0, x1) <= squaredDistance(before0, before1) + 1e-9);
      means.push(squaredDistance(x0, x1) / squaredDistance(before0, before1));
    }
    t.log(means.map((ratio) => ratio.toFixed(3)).join(' '));
    if (kind !== 'independent') t.true(means[2] < means[0]);
  });
}
