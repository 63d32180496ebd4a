import test from 'ava';
import { runChains } from '../../src/samplers/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { relativeError } from '../twin/reference.js';
import { chainsOf, meanOverChains, TRAP } from './chains.js';
import { hmcProposal } from './langevin-twin.js';

test('a step is the textbook leapfrog trajectory, accepted by its change of H', (t) => {
  for (const [spec, stepSize, spread] of [
    ['dw4', 0.18, 0.2],
    ['lj13:pairFactor=1', 0.03, 0.03],
  ] as const) {
    for (const leapfrogSteps of [1, 2, 7]) {
      const chains = 21;
      const more = { leapfrogSteps, stepSize, kT: 0.8, warmUp: 0, stride: 1, records: 1 };
      const run = chainsOf(systemFromSpec(spec), 'hmc', chains, more, spread);
      const result = runChains(run);
      const C = run.start.length / chains;
      for (let c = 0; c < chains; c++) {
        const start = run.start.slice(c * C, (c + 1) * C);
        const proposal = hmcProposal(run, c, start);
        const accepted = Math.log(proposal.uniform) < proposal.logAcceptance;
        t.is(result.acceptance[c], accepted ? 1 : 0, `${spec}, ${leapfrogSteps} steps, chain ${c}`);
        t.true(relativeError(result.x.slice(c * C, (c + 1) * C), accepted ? proposal.x : start) < 1e-11);
      }
      t.true(result.acceptance.some((fraction) => fraction === 1));
    }
  }
});

test('harmonic trap: exact, also where a trajectory of the nominal length is one period', (t) => {
  // The period is 2π/√1.3; without jitter the chain would hardly move at all. Three estimates within 4 standard errors
  // from 200 chains: false alarm 2e-4 for a random seed.
  const leapfrogSteps = 6;
  const stepSize = (2 * Math.PI) / Math.sqrt(1.3) / leapfrogSteps;
  const run = runChains(chainsOf(TRAP, 'hmc', 200, { leapfrogSteps, stepSize, warmUp: 200, stride: 5, records: 100 }));
  for (const [values, expected] of [
    [run.energy, 4.5],
    [run.energy.map((u) => (u - 4.5) ** 2), 4.5],
    [run.virial, 9],
  ] as const) {
    const { value, standardError } = meanOverChains(run, values);
    t.true(Math.abs(value - expected) < 4 * standardError, `${value} ± ${standardError}, expected ${expected}`);
    t.true(standardError < 0.03 * expected);
  }
});

test('double well in three dimensions: ⟨U⟩ is that of quadrature', (t) => {
  // Within 4 standard errors from 200 chains: false alarm 9e-5 for a random seed.
  const run = runChains(
    chainsOf(systemFromSpec('dw2:dimensions=3'), 'hmc', 200, {
      leapfrogSteps: 5,
      stepSize: 0.25,
      warmUp: 300,
      stride: 10,
      records: 100,
    }),
  );
  const { value, standardError } = meanOverChains(run, run.energy);
  t.true(Math.abs(value - -3.881377) < 4 * standardError, `${value} ± ${standardError}`);
  t.true(standardError < 0.03);
});

test('the error of H falls as the square of the step size: acceptance tends to 1', (t) => {
  const rejected = [0.04, 0.02, 0.01].map((stepSize) => {
    const system = systemFromSpec('lj13:pairFactor=1');
    const leapfrogSteps = Math.round(0.4 / stepSize);
    const more = { stepSize, leapfrogSteps, warmUp: 20, stride: 40, records: 1 };
    const { acceptance } = runChains(chainsOf(system, 'hmc', 64, more));
    return 1 - acceptance.reduce((sum, fraction) => sum + fraction / 64, 0);
  });
  // ΔH ~ ε² fluctuates about ΔH²/2, so that the rejected share is of order ε²; 2560 steps tell shares to 4 % or better.
  t.true(rejected[0] / rejected[1] > 2.5, `${rejected}`);
  t.true(rejected[1] / rejected[2] > 2.5, `${rejected}`);
});

test('recorded positions stay mean-free and energies are theirs', (t) => {
  const run = runChains(
    chainsOf(systemFromSpec('lj13:pairFactor=2'), 'hmc', 3, { stepSize: 0.02, leapfrogSteps: 10, warmUp: 500 }),
  );
  for (let s = 0; s < run.energy.length; s++) {
    for (let a = 0; a < 3; a++) {
      let sum = 0;
      for (let i = 0; i < 13; i++) sum += run.x[(s * 13 + i) * 3 + a];
      t.true(Math.abs(sum) < 1e-12);
    }
  }
});

test('a chain is the same bytes however many go side by side, and wherever the groups of four are split', (t) => {
  for (const [spec, stepSize] of [
    ['dw4', 0.15],
    ['lj13:pairFactor=2', 0.02],
  ] as const) {
    const system = systemFromSpec(spec);
    // more groups than go side by side, for DW4 as well
    const chains = 54;
    const more = { stepSize, leapfrogSteps: 4, warmUp: 5, stride: 3, records: 2 };
    const all = runChains(chainsOf(system, 'hmc', chains, more));
    const rows = (values: Float64Array, from: number, to: number) =>
      values.slice((from * values.length) / chains, (to * values.length) / chains);
    for (const [from, to] of [
      [0, 1],
      [4, 29],
      [36, 54],
      [52, 54],
    ]) {
      const part = runChains(chainsOf(system, 'hmc', to - from, { ...more, firstChain: from }));
      t.deepEqual(part.x, rows(all.x, from, to));
      t.deepEqual(part.energy, rows(all.energy, from, to));
      t.deepEqual(part.acceptance, rows(all.acceptance, from, to));
    }
  }
});
