import test from 'ava';
import { DataError, UsageError } from '../../src/errors.js';
import { simulate } from '../../src/samplers/index.js';
import { type Ensemble, ensembleFreeEnergies, sample } from '../../src/sampling/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { openPool, untrained } from './generators.js';

const dw4 = systemFromSpec('dw4');
const LOG_Z = dw4.known.logZ!.value;

async function chains(kT: number, n: number, pool: ReturnType<typeof openPool>, seed = 1): Promise<Ensemble> {
  const { x, recordsPerChain } = await simulate(dw4, { n, kT, seed, chains: 20, warmUp: 1000 }, pool);
  return {
    name: `kT ${kT}`,
    density: { kind: 'boltzmann', system: dw4, kT },
    samples: { x, chains: new Array<number>(20).fill(recordsPerChain) },
  };
}

test('a flow beside chains of its target: −log Z by BAR and MBAR', async (t) => {
  const pool = openPool(t, 2);
  const generator = untrained(4);
  const { x, logQ } = await sample(generator, { n: 20_000, seed: 5, precision: 'f64' }, pool);
  const flow: Ensemble = {
    name: 'flow',
    density: { kind: 'flow', generator },
    samples: { x: Float64Array.from(x), logQ },
  };
  const data = await chains(1, 10_000, pool);
  const { pair, differences, counts } = await ensembleFreeEnergies([flow, data], pool);
  t.deepEqual(counts, [20_000, 10_000]);
  t.true(Math.abs(pair!.bar.value - differences[1].value) < 1e-8);
  t.true(Math.abs(pair!.bar.standardError / differences[1].standardError - 1) < 0.05);
  // Five standard errors, false alarm below 1e-6.
  t.true(Math.abs(pair!.bar.value + LOG_Z) < 5 * pair!.bar.standardError, `${pair!.bar.value}`);
  t.true(pair!.bar.standardError < 0.3);
  // The log-densities that sampling found, or those of the inverse flow: equal up to the integrator's error.
  const bare = { ...flow, samples: { x: Float64Array.from(x) } };
  const again = await ensembleFreeEnergies([bare, data], pool);
  t.true(Math.abs(again.differences[1].value - differences[1].value) < 1e-3);
});

test('temperatures: f(kT) has the slope ⟨U⟩, and a temperature between is predicted', async (t) => {
  const pool = openPool(t, 2);
  const [cold, warm] = [await chains(1, 10_000, pool), await chains(1.3, 10_000, pool, 2)];
  const target: Ensemble = { name: 'between', density: { kind: 'boltzmann', system: dw4, kT: 1.15 } };
  const third = await chains(1.15, 10_000, pool, 3);
  const { differences, counts, reducedEnergies, mbar } = await ensembleFreeEnergies([cold, warm, target], pool);
  t.deepEqual(counts, [10_000, 10_000, 0]);
  t.is(reducedEnergies[2].length, 20_000);
  const sampled = await ensembleFreeEnergies([cold, third], pool);
  const error = Math.hypot(differences[2].standardError, sampled.differences[1].standardError);
  t.true(Math.abs(differences[2].value - sampled.differences[1].value) < 5 * error);
  t.is(differences[2].status.level, 'trust');
  // d f/d(1/kT) = ⟨U⟩: the mean of both ends, up to the curvature over a third of the interval.
  const slope = differences[1].value / (1 / 1.3 - 1);
  const ends = [0, 1].map((k) => mbar.average(reducedEnergies[0], k).value);
  t.true(Math.abs(slope - (ends[0] + ends[1]) / 2) < 0.1, `${slope} ${ends}`);
  t.true(mbar.average(reducedEnergies[0], 0).diagnostics.inflation > 1, 'chains are correlated');
});

test('ensembles that do not go together are refused', async (t) => {
  const pool = openPool(t, 1);
  const data: Ensemble = {
    name: 'a',
    density: { kind: 'boltzmann', system: dw4, kT: 1 },
    samples: { x: new Float64Array(80) },
  };
  const other: Ensemble = { name: 'b', density: { kind: 'boltzmann', system: systemFromSpec('dw2'), kT: 1 } };
  await t.throwsAsync(ensembleFreeEnergies([data], pool), { instanceOf: UsageError, message: /1 ensembles/ });
  await t.throwsAsync(ensembleFreeEnergies([data, other], pool), {
    instanceOf: UsageError,
    message: /b: 2 particles in 2 dimensions, expected 4 in 2 as a/,
  });
  await t.throwsAsync(ensembleFreeEnergies([{ ...data, samples: { x: new Float64Array(81) } }, data], pool), {
    instanceOf: DataError,
    message: /a: x has 81 numbers, expected a multiple of 8/,
  });
  const flow: Ensemble = {
    name: 'flow',
    density: { kind: 'flow', generator: untrained(4) },
    samples: { x: new Float64Array(16), logQ: new Float64Array(3) },
  };
  await t.throwsAsync(ensembleFreeEnergies([flow, data], pool), { message: /flow: 3 log-densities, expected 2/ });
});
