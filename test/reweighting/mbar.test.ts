import test from 'ava';
import { DataError, UsageError } from '../../src/errors.js';
import { bennettAcceptanceRatio, mbar, reducedWork } from '../../src/reweighting/index.js';
import { assertCoverage, autoregressive, refusals } from './calibration.js';
import { draw, normals } from './random.js';

/** The same sequence in Python: x = (1664525·x + 1013904223) mod 2³², u = (x + ½)/2³², then Box–Muller, cosines only. */
function congruentialNormals(seed: number): () => number {
  let x = seed;
  const uniform = () => {
    x = (Math.imul(1664525, x) + 1013904223) >>> 0;
    return (x + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

interface Oscillators {
  readonly stiffness: readonly number[];
  readonly centres: readonly number[];
  readonly counts: readonly number[];
  /** Constants added to the energies. */
  readonly offsets: readonly number[];
}

/** Samples of u_k = k(x − c)²/2 + offset in every state; f_k = −½ log(2π/k) + offset. */
function oscillators({ stiffness, centres, counts, offsets }: Oscillators, normal: () => number) {
  const x = Float64Array.from(
    counts.flatMap((count, k) => Array.from({ length: count }, () => centres[k] + normal() / Math.sqrt(stiffness[k]))),
  );
  const energies = stiffness.map((s, k) => x.map((v) => (s * (v - centres[k]) ** 2) / 2 + offsets[k]));
  return { x, energies };
}

/** From pymbar 4.0.3 with numpy 2.4: Delta_f[0], dDelta_f, the overlap matrix, and averages of x² with their errors. */
const references = [
  {
    name: 'three states',
    states: { stiffness: [1, 4, 2], centres: [0, 0.5, 1], counts: [60, 80, 40], offsets: [0, 0, 0] },
    seed: 1,
    freeEnergy: [0, 0.7244565778, 0.4217033277],
    errors: [0, 0.0916025055, 0.1069779699, 0.0916025055, 0, 0.0718737608, 0.1069779699, 0.0718737608, 0],
    overlap: [
      0.4987532794, 0.3419847932, 0.1592619274, 0.2564885949, 0.5320314957, 0.2114799094, 0.2388928912, 0.4229598189,
      0.33814729,
    ],
    averages: [0.9529630865, 0.4914724858, 1.3489229544],
    averageErrors: [0.1179695296, 0.0429789729, 0.1738718397],
  },
  {
    name: 'a state without samples, energies with large constants',
    states: {
      stiffness: [1, 2, 3, 1.5],
      centres: [0, 0.7, 0.3, 1.2],
      counts: [50, 0, 70, 30],
      offsets: [0, 300, -1000, 5],
    },
    seed: 2,
    freeEnergy: [0, 300.4280974693, -999.4705795104, 5.3073855203],
    errors: [
      0, 0.0832458424, 0.0725537902, 0.1367421313, 0.0832458424, 0, 0.0504946582, 0.0932305317, 0.0725537902,
      0.0504946582, 0, 0.1321301005, 0.1367421313, 0.0932305317, 0.1321301005, 0,
    ],
    overlap: [
      0.4361151459, 0, 0.4226678692, 0.1412169849, 0.2744151774, 0, 0.4878457349, 0.2377390877, 0.3019056209, 0,
      0.5541835849, 0.1439107943, 0.2353616415, 0, 0.3357918533, 0.4288465052,
    ],
    averages: [0.9763315834, 0.8340621165, 0.3423720334, 2.5973853804],
    averageErrors: [0.1358009691, 0.1137558216, 0.0334116363, 0.5271844558],
  },
  {
    name: 'two states that hardly overlap',
    states: { stiffness: [1, 1], centres: [0, 3.5], counts: [200, 200], offsets: [0, -7] },
    seed: 3,
    freeEnergy: [0, -6.7277629352],
    errors: [0, 0.2807394458, 0.2807394458, 0],
    overlap: [0.9437029728, 0.0562970272, 0.0562970272, 0.9437029728],
    averages: [0.8671889687, 13.7671528323],
    averageErrors: [0.0827372068, 0.5689980835],
  },
];

for (const reference of references) {
  test(`agrees with pymbar to 1e-8: ${reference.name}`, (t) => {
    const { x, energies } = oscillators(reference.states, congruentialNormals(reference.seed));
    const result = mbar(energies, reference.states.counts);
    const states = energies.length;
    const near = (found: number, expected: number, what: string) =>
      t.true(Math.abs(found - expected) < 1e-8, `${what}: ${found}, pymbar ${expected}`);
    for (let k = 0; k < states; k++) {
      near(result.freeEnergy[k], reference.freeEnergy[k], `f ${k}`);
      const average = result.average(
        x.map((v) => v ** 2),
        k,
      );
      near(average.value, reference.averages[k], `average ${k}`);
      near(average.standardError, reference.averageErrors[k], `error of average ${k}`);
      near(Math.sqrt(result.covariance[k * states + k]), reference.errors[k], `covariance ${k}`);
      for (let l = 0; l < states; l++) {
        near(result.difference(k, l).standardError, reference.errors[k * states + l], `error ${k} ${l}`);
        near(result.overlap[k * states + l], reference.overlap[k * states + l], `overlap ${k} ${l}`);
      }
    }
  });
}

test('two states: the acceptance ratio of Bennett, value and error', (t) => {
  const states = { stiffness: [1, 3], centres: [0, 1], counts: [300, 500], offsets: [0, 20] };
  const { energies } = oscillators(states, normals(5));
  const work = reducedWork(energies[0], energies[1]);
  const bar = bennettAcceptanceRatio(
    work.slice(0, 300),
    work.slice(300).map((w) => -w),
  );
  const difference = mbar(energies, states.counts).difference(0, 1);
  t.true(Math.abs(difference.value - bar.value) < 1e-10);
  t.true(Math.abs(difference.standardError / bar.standardError - 1) < 1e-7);
});

const LADDER = {
  stiffness: [1, 2, 4, 0.5],
  centres: [0, 1, 2, 3],
  counts: [150, 300, 0, 200],
  offsets: [0, 3, -40, 0],
};

for (const [from, to] of [
  [0, 3],
  [0, 1],
  [1, 2],
]) {
  const truth = Math.log(LADDER.stiffness[to] / LADDER.stiffness[from]) / 2 + LADDER.offsets[to] - LADDER.offsets[from];
  test(`harmonic oscillators, states ${from} to ${to}, ΔF = ${truth.toFixed(2)}: intervals hold it as often as they say`, (t) => {
    assertCoverage(t, truth, 200, (r) =>
      mbar(oscillators(LADDER, normals(100 + r)).energies, LADDER.counts).difference(from, to),
    );
  });
}

test('a difference of zero, and an average in a state without samples, are calibrated', (t) => {
  const equal = { ...LADDER, stiffness: [1, 1, 1, 1], centres: [0, 1, 1.5, 2], offsets: [0, 0, 0, 0] };
  assertCoverage(t, 0, 200, (r) => mbar(oscillators(equal, normals(r)).energies, equal.counts).difference(0, 3));
  assertCoverage(t, 1.5, 200, (r) => {
    const { x, energies } = oscillators(equal, normals(500 + r));
    return mbar(energies, equal.counts).average(x, 2);
  });
});

test('temperatures of one energy: samples at three give the free energy of all', (t) => {
  // u = x²/2T: f = −½ log 2πT.
  const temperatures = [1, 1.7, 3];
  assertCoverage(t, -Math.log(3) / 2, 200, (r) => {
    const normal = normals(3000 + r);
    const x = Float64Array.from(
      temperatures.flatMap((T) => Array.from({ length: 300 }, () => Math.sqrt(T) * normal())),
    );
    return mbar(
      temperatures.map((T) => x.map((v) => v ** 2 / 2 / T)),
      [300, 300, 300],
    ).difference(0, 2);
  });
});

test('a flow and a Markov chain of its target: log Z with autocorrelation in the chain alone', (t) => {
  // q = N(0, 1.2²) normalised, so f = 0; target u = x²/2 with log Z = ½ log 2π from AR(1) chains.
  const logZ = Math.log(2 * Math.PI) / 2;
  assertCoverage(t, -logZ, 200, (r) => {
    const normal = normals(r);
    const flow = Array.from({ length: 1500 }, () => 1.2 * normal());
    const x = Float64Array.from([...flow, ...autoregressive(3000, 0.9, 70_000 + r)]);
    const energies = [x.map((v) => v ** 2 / 2 / 1.44 + Math.log(1.2) + logZ), x.map((v) => v ** 2 / 2)];
    return mbar(energies, [1500, 3000], { chains: [[1500], [1000, 2000]] }).difference(0, 1);
  });
});

test('states that hardly overlap are refused, those on one side of the gap among themselves are not', (t) => {
  const gap = { stiffness: [1, 1, 1], centres: [0, 1, 12], counts: [500, 500, 500], offsets: [0, 0, 0] };
  const result = (r: number) => mbar(oscillators(gap, normals(r)).energies, gap.counts);
  t.true(refusals(40, (r) => result(r).difference(0, 2)) >= 0.95);
  t.is(
    refusals(40, (r) => result(r).difference(0, 1)),
    0,
  );
  t.is(result(0).status.level, 'do-not-trust');
  t.regex(result(0).status.text, /between state 2 and the others/);
});

test('an average over a handful of effective samples says so, one over many does not', (t) => {
  const [few, many] = [10, 4000].map((n) => {
    const x = draw(2 * n, normals(5));
    return mbar([x.map((v) => v ** 2 / 2), x.map((v) => v ** 2 / 2)], [n, n]).average(x, 0);
  });
  t.is(few.status.level, 'do-not-trust');
  t.regex(few.status.text, /^Only 20\.0 effective samples, fewer than 25: error bars are guesses\./);
  t.not(many.status.level, 'do-not-trust');
});

test('chains that are not those of the states are refused', (t) => {
  const u = new Float64Array(4);
  const message = /chains: 1 lists, expected 2, one per state/;
  t.throws(() => mbar([u, u], [2, 2], { chains: [[2]] }).difference(0, 1), { instanceOf: DataError, message });
});

test('a state that the samples do not reach is refused', (t) => {
  const far = { stiffness: [1, 1], centres: [0, 6], counts: [2000, 0], offsets: [0, 0] };
  t.true(refusals(40, (r) => mbar(oscillators(far, normals(r)).energies, far.counts).difference(0, 1)) >= 0.95);
});

test('states without any common configuration have no error bar', (t) => {
  const inf = Number.POSITIVE_INFINITY;
  const result = mbar([Float64Array.of(0, 0, inf, inf), Float64Array.of(inf, inf, 0, 0)], [2, 2]);
  t.is(result.difference(0, 1).standardError, Number.NaN);
  t.is(result.difference(0, 1).status.level, 'do-not-trust');
});

test('ten states in a row and a poor start: the equations are fulfilled', (t) => {
  const centres = Array.from({ length: 10 }, (_, k) => 1.5 * k);
  const counts = centres.map((_, k) => 40 + 10 * k);
  const ladder = { stiffness: centres.map((_, k) => 1 + k), centres, counts, offsets: centres.map((c) => 1e4 * c) };
  const { energies } = oscillators(ladder, normals(9));
  const result = mbar(energies, counts);
  for (let k = 0; k < 10; k++) {
    t.true(Math.abs(result.weights(k).reduce((a, b) => a + b, 0) - 1) < 1e-9);
    const row = result.overlap.subarray(10 * k, 10 * k + 10).reduce((a, b) => a + b, 0);
    t.true(Math.abs(row - 1) < 1e-9);
  }
});

test('bad input is refused by name', (t) => {
  const u = Float64Array.of(0, 1);
  t.throws(() => mbar([u, u], [1, 0.5]), { instanceOf: UsageError, message: /counts: 0.5 for state 1/ });
  t.throws(() => mbar([u, u], [0, 0]), { instanceOf: UsageError });
  t.throws(() => mbar([u], [1, 1]), { instanceOf: DataError, message: /1 states, expected 2/ });
  t.throws(() => mbar([u, Float64Array.of(1)], [1, 1]), { instanceOf: DataError, message: /state 1 has 1 entries/ });
  t.throws(() => mbar([u, Float64Array.of(1, Number.NaN)], [1, 1]), { message: /NaN in state 1 at sample 1/ });
  t.throws(() => mbar([Float64Array.of(Number.POSITIVE_INFINITY, 1), u], [1, 1]), { message: /state 0 at sample 0/ });
  const result = mbar([u, u], [1, 1]);
  t.throws(() => result.difference(0, 2), { instanceOf: UsageError, message: /state: 2/ });
  t.throws(() => result.average(Float64Array.of(1), 0), { instanceOf: DataError });
  t.throws(() => result.average(Float64Array.of(1, Number.NaN), 0), { message: /index 1/ });
});
