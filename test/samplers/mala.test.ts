import test from 'ava';
import { UsageError } from '../../src/errors.js';
import { runChains } from '../../src/samplers/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { relativeError } from '../twin/reference.js';
import { chainsOf, meanOverChains, TRAP } from './chains.js';
import { malaProposal } from './langevin-twin.js';

test('a step is the Euler proposal of the Langevin equation with its Metropolis–Hastings correction', (t) => {
  for (const [spec, stepSize, spread] of [
    ['dw4', 0.2, 0.2],
    ['lj13:pairFactor=1', 0.04, 0.03],
  ] as const) {
    const chains = 21;
    const more = { stepSize, kT: 0.8, warmUp: 0, stride: 1, records: 1 };
    const run = chainsOf(systemFromSpec(spec), 'mala', chains, more, spread);
    const result = runChains(run);
    const C = run.start.length / chains;
    for (let c = 0; c < chains; c++) {
      const start = run.start.slice(c * C, (c + 1) * C);
      const proposal = malaProposal(run, c, start);
      const accepted = Math.log(proposal.uniform) < proposal.logAcceptance;
      t.is(result.acceptance[c], accepted ? 1 : 0, `${spec}, chain ${c}`);
      t.true(relativeError(result.x.slice(c * C, (c + 1) * C), accepted ? proposal.x : start) < 1e-12);
      if (accepted) t.true(Math.abs(result.energy[c] - proposal.energy) < 1e-10 * Math.abs(proposal.energy));
    }
    const total = result.acceptance.reduce((a, b) => a + b);
    t.true(total > 2 && total < chains - 2, `both branches are taken: ${total} of ${chains} accepted`);
  }
});

test('harmonic trap: ⟨U⟩, Var U and the virial are exact at steps so long that the correction does the work', (t) => {
  // Six estimates within 4 standard errors from 200 chains: false alarm 4e-4 for a random seed.
  for (const kT of [0.5, 2]) {
    const stepSize = 0.75 * Math.sqrt(kT);
    const run = runChains(chainsOf(TRAP, 'mala', 200, { kT, stepSize, warmUp: 300, stride: 10, records: 100 }));
    const acceptance = run.acceptance.reduce((sum, fraction) => sum + fraction / 200, 0);
    t.true(acceptance > 0.3 && acceptance < 0.95, `acceptance ${acceptance}`);
    for (const [values, expected] of [
      [run.energy, 4.5 * kT],
      [run.energy.map((u) => (u - 4.5 * kT) ** 2), 4.5 * kT ** 2],
      [run.virial, 9 * kT],
    ] as const) {
      const { value, standardError } = meanOverChains(run, values);
      t.true(Math.abs(value - expected) < 4 * standardError, `${value} ± ${standardError}, expected ${expected}`);
      t.true(standardError < 0.03 * expected);
    }
  }
});

test('double well: ⟨U⟩ is that of quadrature', (t) => {
  // Within 4 standard errors from 200 chains: false alarm 9e-5 for a random seed.
  const run = runChains(
    chainsOf(systemFromSpec('dw2'), 'mala', 200, { stepSize: 0.4, warmUp: 2000, stride: 20, records: 150 }),
  );
  const { value, standardError } = meanOverChains(run, run.energy);
  t.true(Math.abs(value - -3.870727) < 4 * standardError, `${value} ± ${standardError}`);
  t.true(standardError < 0.03);
});

test('a chain is the same bytes in runs of any size and any split, and unlike any other', (t) => {
  const system = systemFromSpec('lj13:pairFactor=2');
  // strides so long that no chain rejects every step of one
  const more = { stepSize: 0.03, warmUp: 20, stride: 30, records: 3 };
  const all = runChains(chainsOf(system, 'mala', 11, more));
  const rows = (values: Float64Array, from: number, to: number) =>
    values.slice((from * values.length) / 11, (to * values.length) / 11);
  for (const [from, to] of [
    [0, 1],
    [4, 7],
    [8, 11],
  ]) {
    const part = runChains(chainsOf(system, 'mala', to - from, { ...more, firstChain: from }));
    t.deepEqual(part.x, rows(all.x, from, to));
    t.deepEqual(part.energy, rows(all.energy, from, to));
    t.deepEqual(part.virial, rows(all.virial, from, to));
  }
  t.is(new Set(all.energy).size, 33);
});

test('proposals without a finite energy are rejected, and starts without one refused', (t) => {
  const system = systemFromSpec('lj13:pairFactor=1');
  const run = runChains(chainsOf(system, 'mala', 4, { stepSize: 1e200, warmUp: 0, records: 1 }));
  t.true(run.acceptance.every((fraction) => fraction === 0));
  t.true(run.energy.every(Number.isFinite) && run.x.every(Number.isFinite));
  const start = new Float64Array(39);
  t.throws(() => runChains({ ...chainsOf(system, 'mala', 1), start }), {
    instanceOf: UsageError,
    message: /no finite U and gradient/,
  });
});
