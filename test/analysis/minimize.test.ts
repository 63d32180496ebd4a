import test from 'ava';
import { type EnergyAndGradient, minimize } from '../../src/analysis/minimize.js';
import { UsageError } from '../../src/errors.js';
import { mackayIcosahedron, type System, startConfiguration, systemFromSpec } from '../../src/systems/index.js';
import { normals } from '../reweighting/random.js';
import { twinEnergyAndGradient } from '../twin/energy.js';

const evaluator =
  (system: System): EnergyAndGradient =>
  (x, n) =>
    twinEnergyAndGradient(system, x, n);

/** n normal clouds of standard deviation `scale` around `centre`. */
function clouds(n: number, centre: ArrayLike<number>, scale: number, seed: number): Float64Array {
  const normal = normals(seed);
  return Float64Array.from({ length: n * centre.length }, (_, c) => centre[c % centre.length] + scale * normal());
}

const sum = (values: Uint8Array) => values.reduce((total, value) => total + value, 0);

for (const scale of [0.01, 1, 3, 10]) {
  test(`dw4: at least 99.9 % of normal clouds of width ${scale} reach a gradient norm of 1e-6`, (t) => {
    const dw4 = systemFromSpec('dw4');
    const n = 2000;
    const result = minimize(evaluator(dw4), clouds(n, new Array(8).fill(0), scale, 7), n, 8);
    t.true(sum(result.converged) >= 0.999 * n);
    const { energy, gradient } = twinEnergyAndGradient(dw4, result.x, n);
    t.deepEqual(result.energy, energy);
    for (let s = 0; s < n; s++) {
      const norm = Math.hypot(...gradient.subarray(8 * s, 8 * s + 8));
      t.true(Math.abs(norm - result.gradientNorm[s]) < 1e-12);
      if (result.converged[s]) t.true(norm <= 1e-6);
    }
  });
}

test('lj13: every jittered icosahedron and cloud with overlapping cores converges', (t) => {
  const lj13 = systemFromSpec('lj13:pairFactor=2');
  for (const jitter of [0.05, 0.15, 0.4]) {
    const n = 40;
    const result = minimize(evaluator(lj13), clouds(n, mackayIcosahedron(1, 1), jitter, 11), n, 39);
    t.is(sum(result.converged), n);
  }
});

test('energy never rises, and no iteration is longer than the longest step', (t) => {
  const lj13 = systemFromSpec('lj13:pairFactor=1');
  const start = clouds(1, mackayIcosahedron(1, 1), 0.3, 3);
  const maxStep = 0.2;
  let last = { x: start, energy: twinEnergyAndGradient(lj13, start, 1).energy };
  for (let maxIterations = 1; maxIterations <= 40; maxIterations++) {
    const now = minimize(evaluator(lj13), start, 1, 39, { maxIterations, maxStep });
    t.is(now.iterations[0], maxIterations);
    t.true(now.energy[0] <= last.energy[0]);
    t.true(Math.hypot(...now.x.map((v, c) => v - last.x[c])) <= maxStep * (1 + 1e-12));
    last = now;
  }
});

test('a sample does not depend on its neighbours, bit for bit', (t) => {
  const evaluate = evaluator(systemFromSpec('dw4'));
  // More than the slots, so that some samples wait for others to finish.
  const n = 2500;
  const x = clouds(n, new Array(8).fill(0), 2, 5);
  const together = minimize(evaluate, x, n, 8);
  for (const s of [0, 1, 1023, 1024, 2499]) {
    const alone = minimize(evaluate, x.subarray(8 * s, 8 * s + 8), 1, 8);
    t.deepEqual(alone.x, together.x.slice(8 * s, 8 * s + 8));
    t.is(alone.iterations[0], together.iterations[s]);
  }
});

test('a quadratic is minimised to its known answer, in about as many steps as it has dimensions', (t) => {
  const stiffness = [1, 3, 10, 100];
  const quadratic: EnergyAndGradient = (x, n) => {
    const energy = new Float64Array(n);
    const gradient = x.map((v, c) => stiffness[c % 4] * (v - c));
    for (let c = 0; c < 4 * n; c++) energy[c >> 2] += 0.5 * stiffness[c % 4] * (x[c] - c) ** 2;
    return { energy, gradient };
  };
  const result = minimize(quadratic, new Float64Array([5, -3, 2, 8]), 1, 4, { maxStep: 10 });
  t.is(result.converged[0], 1);
  result.x.forEach((v, c) => {
    t.true(Math.abs(v - c) < 1e-6);
  });
  t.true(result.iterations[0] <= 25);
});

test('a step without curvature leaves what is remembered of the steps before it', (t) => {
  // Piecewise constant gradients. The second step goes as far as it may and finds a steeper slope: no pair for the memory, which
  // has room for one. The third is then that of the first pair, s = 0.01 and y = 0.5: 0.01/0.5 times the slope of 0.6.
  const trials: number[] = [];
  const steeper: EnergyAndGradient = (x) => {
    trials.push(x[0]);
    const slope = x[0] < 0.005 ? 1 : x[0] < 0.015 ? 0.5 : 0.6;
    return { energy: Float64Array.of(-0.5 * x[0]), gradient: Float64Array.of(-slope) };
  };
  minimize(steeper, new Float64Array([0]), 1, 1, { memory: 1, maxStep: 0.1, maxIterations: 3 });
  const end = trials.findIndex((x) => Math.abs(x - 0.11) < 1e-12);
  t.true(end > 0);
  t.true(Math.abs(trials[end + 1] - 0.122) < 1e-12, String(trials));
});

test('a sample without finite energy stays where it is, not converged, and disturbs no other', (t) => {
  const lj13 = systemFromSpec('lj13:pairFactor=2');
  const good = startConfiguration(lj13);
  const x = new Float64Array(3 * 39);
  x.set(good, 39);
  x.fill(Number.NaN, 78);
  const result = minimize(evaluator(lj13), x, 3, 39);
  t.deepEqual([...result.converged], [0, 1, 0]);
  t.deepEqual(result.x.slice(0, 39), x.slice(0, 39));
});

test('a potential without a minimum ends unconverged at the iteration limit', (t) => {
  const slope: EnergyAndGradient = (x, n) => ({ energy: x.map((v) => -v).slice(0, n), gradient: x.map(() => -1) });
  const result = minimize(slope, new Float64Array([0]), 1, 1, { maxIterations: 30 });
  t.is(result.converged[0], 0);
  t.is(result.iterations[0], 30);
});

test('an energy that contradicts its gradient ends unconverged rather than never', (t) => {
  const wrong: EnergyAndGradient = (x, n) => ({ energy: x.map((v) => v * v).slice(0, n), gradient: x.map((v) => -v) });
  t.is(minimize(wrong, new Float64Array([1]), 1, 1).converged[0], 0);
});

test('wrong lengths and options are refused; no samples are no samples', (t) => {
  const evaluate = evaluator(systemFromSpec('dw4'));
  t.is(minimize(evaluate, new Float64Array(0), 0, 8).energy.length, 0);
  t.throws(() => minimize(evaluate, new Float64Array(9), 1, 8), { instanceOf: UsageError, message: /length 9/ });
  for (const options of [{ memory: 0.5 }, { maxIterations: 0 }, { maxStep: -1 }, { gradientTolerance: Number.NaN }]) {
    t.throws(() => minimize(evaluate, new Float64Array(8), 1, 8, options), { instanceOf: UsageError });
  }
});
