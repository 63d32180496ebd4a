import { createHash } from 'node:crypto';
import test from 'ava';
import { UsageError } from '../../src/errors.js';
import type { ProgressUpdate } from '../../src/progress.js';
import {
  type ChainsRun,
  fullGroup,
  groupBoundaries,
  QUAD,
  resolveSettings,
  runGroups,
  SAMPLERS,
  type Simulation,
  SimulationFold,
  type SimulationOptions,
  simulate,
  simulationReport,
} from '../../src/samplers/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { TRAP } from './chains.js';

const pool = new WorkerPool({ workers: 2 });
test.after.always(() => pool.close());

function run(spec: string, options: SimulationOptions): Promise<Simulation> {
  return simulate(systemFromSpec(spec), options, pool);
}

for (const [spec, seed] of [
  ['lj13:pairFactor=1', 1],
  ['lj13:pairFactor=2', 2],
] as const) {
  test(`${spec}: ⟨U⟩ is the known answer and ⟨x·∇U⟩ = (N−1)D`, async (t) => {
    // Two estimates within 4 standard errors: false alarm 1.3e-4 for a random seed.
    const simulation = await run(spec, { n: 52_000, seed, stride: 12 });
    const { meanEnergy, virial, equilibration, convergence } = simulation;
    const known = systemFromSpec(spec).known.meanEnergy!;
    t.log(`⟨U⟩ ${meanEnergy.value} ± ${meanEnergy.standardError}, virial ${virial.value} ± ${virial.standardError}`);
    const combined = Math.hypot(meanEnergy.standardError, known.standardError);
    t.true(Math.abs(meanEnergy.value - known.value) < 4 * combined);
    t.true(meanEnergy.standardError < 0.05);
    t.is(simulation.expectedVirial, 36);
    t.true(Math.abs(virial.value - 36) < 4 * virial.standardError);
    t.true(virial.standardError < 0.4);
    t.true(equilibration.equilibrated, equilibration.status);
    t.true(convergence.converged, convergence.status);
  });
}

test('Metropolis, MALA and HMC agree with one another and with the known answers', async (t) => {
  // Six estimates against known answers within 4 combined standard errors: false alarm 4e-4 for a random seed.
  const samplers = ['metropolis', 'mala', 'hmc'] as const;
  for (const [spec, precision, lengths] of [
    ['dw4', 0.045, [100, 60, 10]],
    ['lj13:pairFactor=1', 0.3, [150, 80, 5]],
  ] as const) {
    const known = systemFromSpec(spec).known.meanEnergy!;
    for (const [s, sampler] of samplers.entries()) {
      const { meanEnergy } = await run(spec, { n: 10_240, seed: 3, sampler, stride: lengths[s] });
      const combined = Math.hypot(meanEnergy.standardError, known.standardError);
      t.log(`${spec}, ${sampler}: ${meanEnergy.value} ± ${meanEnergy.standardError}`);
      t.true(Math.abs(meanEnergy.value - known.value) < 4 * combined, `${spec}, ${sampler}`);
      t.true(combined < precision);
    }
  }
});

test('temperature scales the energy and the virial of a trap', async (t) => {
  // Two estimates within 4 standard errors: false alarm 1.3e-4 for a random seed.
  const { meanEnergy, virial, expectedVirial } = await simulate(TRAP, { n: 8000, seed: 4, kT: 3, stride: 4 }, pool);
  t.is(expectedVirial, 27);
  t.true(Math.abs(meanEnergy.value - 13.5) < 4 * meanEnergy.standardError);
  t.true(Math.abs(virial.value - 27) < 4 * virial.standardError);
});

test('Metropolis with a fixed step is what it was when the paper’s trajectory was first made', async (t) => {
  const fixed = { sampler: 'metropolis', warmUp: 0, chains: 1, stride: 1, stepSize: 0.2 } as const;
  const { x, energy, stepSizes, settings } = await run('dw4', { n: 2000, seed: 2, ...fixed });
  t.is(
    createHash('sha256').update(x).update(energy).digest('hex'),
    '0405237dea9a747e8ce8efefdb68821df141633c526f7bfd64dc9d208147b04a',
  );
  t.deepEqual(stepSizes, Float64Array.of(0.2));
  t.false(settings.adapted);
});

test('groups of chains run apart, in any ranges, are the simulation of all at once', async (t) => {
  const system = systemFromSpec('dw2');
  // 100 chains of 4 records, of which the last chain has one only in the result.
  const options = { n: 397, seed: 6, chains: 100, warmUp: 500, stride: 5 };
  const whole = await simulate(system, options, pool);
  const plan = { system, n: 397, settings: resolveSettings(system, options) };
  const ranges = [
    { first: 92, chains: 8 },
    { first: 4, chains: 88 },
    { first: 0, chains: 4 },
  ];
  const runs: ChainsRun[][] = [];
  for (const range of ranges) {
    const own: ChainsRun[] = [];
    for await (const run of runGroups(plan, range, pool)) own.push(run);
    runs.unshift(own);
  }
  const fold = new SimulationFold(plan);
  for (const run of runs.flat()) fold.add(run);
  t.deepEqual(fold.result(), whole);
});

test('adapted chains are the same bytes for any number of workers, which decides how they are grouped', async (t) => {
  const dw4 = systemFromSpec('dw4');
  // One group; 16 and 14 chains; 4 to 8 chains.
  const pools = [1, 2, 5].map((workers) => new WorkerPool({ workers }));
  try {
    for (const sampler of SAMPLERS) {
      const options = { n: 60, chains: 30, seed: 7, warmUp: 100, stride: 3, sampler };
      const [one, ...others] = await Promise.all(pools.map((pool) => simulate(dw4, options, pool)));
      for (const other of others) t.deepEqual(other, one, sampler);
    }
  } finally {
    await Promise.all(pools.map((pool) => pool.close()));
  }
});

test('groups are whole quads and about equal, none is too large, and every worker has as many', (t) => {
  for (const [spec, full] of [
    ['dw4', 32],
    ['lj13:pairFactor=1', 16],
    ['lj55:pairFactor=2', 8],
  ] as const) {
    const system = systemFromSpec(spec);
    t.is(fullGroup(system), full);
    for (const chains of [1, 4, 5, 64, 67, 1000, 1e6]) {
      for (const workers of [1, 2, 3, 16, 1024]) {
        const boundaries = groupBoundaries(system, chains, workers);
        const what = `${spec}: ${chains} chains, ${workers} workers`;
        t.deepEqual([boundaries[0], boundaries.at(-1)], [0, chains], what);
        const groups = boundaries.length - 1;
        t.true(groups % workers === 0 || groups === Math.ceil(chains / QUAD), what);
        const quads = boundaries.slice(1).map((end, k) => Math.ceil((end - boundaries[k]) / QUAD));
        const [least, most] = quads.reduce(([a, b], n) => [Math.min(a, n), Math.max(b, n)], [Infinity, 0]);
        t.true(least > 0 && most - least <= 1 && most * QUAD <= full, what);
        t.true(
          boundaries.slice(0, -1).every((begin) => begin % QUAD === 0),
          what,
        );
      }
    }
  }
});

test('progress counts the steps of all chains and ends with all of them', async (t) => {
  const seen: number[] = [];
  const onProgress = ({ stage, done, total }: ProgressUpdate) => {
    t.deepEqual([stage, total], ['simulating', 70 * (300 + 2 * 5)]);
    seen.push(done);
  };
  await run('lj55:pairFactor=2', { n: 140, chains: 70, seed: 1, warmUp: 300, stride: 5, sampler: 'mala', onProgress });
  t.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  );
  t.is(seen.at(-1), 70 * 310);
});

test('a warm-up that was too short is told, with the steps that it lacked', async (t) => {
  const options = { n: 3200, chains: 32, seed: 5, warmUp: 0, stride: 4, sampler: 'hmc', stepSize: 0.012 } as const;
  const { equilibration } = simulationReport(await run('lj55:pairFactor=2', { ...options, leapfrogSteps: 8 }));
  t.false(equilibration.equilibrated);
  t.true(equilibration.missingSteps > 8 && equilibration.missingSteps <= 200, `${equilibration.missingSteps} steps`);
  t.regex(equilibration.status, /Set the warm-up to at least/);
});

test('the report says what can and what cannot be trusted', async (t) => {
  const good = simulationReport(await run('dw2', { n: 6400, seed: 1 }));
  t.true(good.reliable && good.convergence.converged && good.equilibration.equilibrated);
  t.regex(good.virial.status, /holds/);
  t.true(good.stepSizeRange[0] <= good.stepSize && good.stepSize <= good.stepSizeRange[1]);
  const poor = simulationReport(await run('dw2', { n: 40, seed: 1, chains: 4 }));
  t.false(poor.convergence.converged || poor.equilibration.equilibrated);
  t.true(Number.isNaN(poor.equilibration.missingSteps));
});

test('settings of samplers are checked', async (t) => {
  const refuse = (options: Partial<SimulationOptions>, message: RegExp) =>
    t.throwsAsync(run('dw4', { n: 10, seed: 1, ...options }), { instanceOf: UsageError, message });
  await refuse({ sampler: 'gibbs' as 'hmc' }, /sampler is 'gibbs', expected one of metropolis, mala, hmc/);
  await refuse({ sampler: 'mala', leapfrogSteps: 3 }, /leapfrog steps are for hmc/);
  await refuse({ leapfrogSteps: 0 }, /leapfrog steps is 0/);
});
