import test from 'ava';
import { convergence } from '../../src/analysis/convergence.js';
import { equilibration } from '../../src/analysis/equilibration.js';
import { normalQuantile } from '../../src/analysis/ranks.js';
import { DataError } from '../../src/errors.js';
import { normals } from '../reweighting/random.js';

/** AR(1) chains of unit variance, as functions of their values. */
function chains(
  seed: number,
  count: number,
  length: number,
  phi: number,
  map: (value: number, chain: number) => number = (value) => value,
): Float64Array[] {
  const normal = normals(seed);
  return Array.from({ length: count }, (_, c) => {
    let x = normal();
    return Float64Array.from({ length }, () => {
      x = phi * x + Math.sqrt(1 - phi ** 2) * normal();
      return map(x, c);
    });
  });
}

const SETS: Readonly<Record<string, Float64Array[]>> = {
  correlated: chains(1, 4, 100, 0.5),
  'odd length': chains(2, 3, 501, 0.9),
  shifted: chains(3, 4, 200, 0.3, (x, c) => x + 0.4 * c),
  'different scales': chains(4, 4, 200, 0.3, (x, c) => x * (1 + c)),
  'heavy tails': chains(5, 4, 250, 0.2, (x) => Math.sinh(3 * x)),
  antithetic: chains(6, 2, 400, -0.6),
  ties: chains(7, 4, 150, 0.7, (x) => Math.round(2 * x) / 2),
  short: chains(8, 4, 8, 0),
};

/** Of ArviZ 0.23.4 on the same numbers: rhat, ess bulk, ess tail. */
const ARVIZ: Readonly<Record<string, readonly [number, number, number]>> = {
  correlated: [1.01627566812, 217.822438772, 207.423754811],
  'odd length': [1.07168113388, 40.9857987882, 135.769069385],
  shifted: [1.13097052059, 24.3600656796, 129.784228847],
  'different scales': [1.12037000509, 438.921287982, 321.295775763],
  'heavy tails': [1.00313239958, 676.748654593, 914.057354887],
  antithetic: [1.00072582633, 2322.47198959, 670.608762807],
  ties: [1.03074252937, 146.595117177, 239.129034786],
  short: [1.05938842092, 48.1647993062, 48.1647993062],
};

test('R̂ and effective sample sizes are those of ArviZ', (t) => {
  for (const [name, [rHat, bulkEss, tailEss]] of Object.entries(ARVIZ)) {
    const result = convergence(SETS[name]);
    t.true(Math.abs(result.rHat - rHat) < 1e-6, `${name}: R̂ ${result.rHat}, ArviZ ${rHat}`);
    t.true(Math.abs(result.bulkEss / bulkEss - 1) < 1e-6, `${name}: bulk ${result.bulkEss}, ArviZ ${bulkEss}`);
    t.true(Math.abs(result.tailEss / tailEss - 1) < 1e-6, `${name}: tail ${result.tailEss}, ArviZ ${tailEss}`);
  }
});

test('one chain is judged by its halves', (t) => {
  const drifting = chains(9, 1, 1000, 0.5)[0].map((x, i) => x + i / 500);
  t.true(convergence([drifting]).rHat > 1.1);
  t.true(convergence(chains(9, 1, 1000, 0.5)).rHat < 1.02);
});

test('the quantile of the normal distribution inverts known probabilities', (t) => {
  // Abramowitz and Stegun, table 26.1 and 26.2.
  for (const [probability, x] of [
    [0.5, 0],
    [0.9772498680518208, 2],
    [0.0013498980316300946, -3],
    [2.866515718791939e-7, -5],
    [7.619853024160527e-24, -10],
  ]) {
    t.true(Math.abs(normalQuantile(probability) - x) < 1e-12, `${probability}`);
  }
});

test('what cannot be judged is refused, never flattered', (t) => {
  const constant = convergence([new Float64Array(100).fill(2), new Float64Array(100).fill(2)]);
  t.deepEqual([constant.rHat, constant.bulkEss, constant.tailEss], [Number.NaN, Number.NaN, Number.NaN]);
  t.false(constant.converged);
  const stuck = convergence([new Float64Array(100).fill(1), new Float64Array(100).fill(2)]);
  t.false(stuck.converged);
  t.false(convergence(chains(1, 8, 3, 0)).converged);
  const few = convergence(chains(1, 2, 100, 0));
  t.false(few.converged);
  t.regex(few.status, /Too short/);
  t.true(convergence(chains(2, 8, 500, 0.5)).converged);
  t.throws(() => convergence([]), { instanceOf: DataError });
  t.throws(() => convergence([new Float64Array(5), new Float64Array(4)]), {
    instanceOf: DataError,
    message: /chain 1/,
  });
  t.throws(() => convergence([Float64Array.of(1, 2, Number.NaN, 4)]), { instanceOf: DataError, message: /step 2/ });
});

test('a start-up phase is found and its length told, for one chain, many and long ones', (t) => {
  for (const [count, length] of [
    [1, 1000],
    [32, 1000],
    [1, 20_000],
  ]) {
    const series = chains(11, count, length, 0.5).map((chain) => chain.map((x, i) => x + 8 * Math.exp(-i / 30)));
    const { discard, equilibrated, status } = equilibration(series);
    t.false(equilibrated);
    t.true(discard >= 30 && discard <= 400, `discards ${discard}`);
    t.regex(status, /Warm-up too short/);
  }
});

test('stationary chains raise less than one false alarm in a hundred', (t) => {
  // 200 replicates at a rate measured as 0.3 % over 1,000: more than 7 alarms have a probability below 1e-6.
  let alarms = 0;
  for (let r = 0; r < 200; r++) {
    const series = r % 2 === 0 ? chains(100 + r, 16, 200, 0.6) : chains(100 + r, 1, 1000, 0.6);
    if (equilibration(series).discard > 0) alarms++;
  }
  t.true(alarms <= 7, `${alarms} alarms`);
});

test('equilibration is not claimed of records too few to show it', (t) => {
  const few = equilibration(chains(12, 64, 10, 0));
  t.false(few.equilibrated);
  t.true(Number.isNaN(few.discard));
  t.false(equilibration(chains(13, 1, 200, 0.99)).equilibrated);
  t.false(equilibration([new Float64Array(100)]).equilibrated);
});
