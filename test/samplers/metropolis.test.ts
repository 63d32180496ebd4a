import test from 'ava';
import { InterruptedError, UsageError } from '../../src/errors.js';
import { simulate } from '../../src/samplers/index.js';
import {
  defineSystem,
  EnergyEvaluator,
  type System,
  startConfiguration,
  systemFromSpec,
} from '../../src/systems/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { relativeError } from '../twin/reference.js';
import { type MetropolisChains, type MetropolisRun, runMetropolis } from './run-metropolis.js';

const TRAP = defineSystem({
  name: 'trap',
  particles: 4,
  dimensions: 3,
  terms: [{ kind: 'trap', scale: 2, stiffness: 0.65 }],
  convention: 'U = 0.65 Σ_i ‖x_i − x̄‖²',
  sampling: { metropolisStep: 0.4, start: new Array(12).fill(0) },
});

/** Chains that all start where the system says. */
function chainsOf(system: System, chains: number, more: Partial<MetropolisChains> = {}): MetropolisChains {
  const start = startConfiguration(system);
  return {
    system,
    kT: 1,
    seed: 5,
    firstChain: 0,
    start: Float64Array.from({ length: chains * start.length }, (_, c) => start[c % start.length]),
    chains,
    stepSize: system.sampling.metropolisStep,
    warmUp: 50,
    stride: 5,
    records: 8,
    ...more,
  };
}

/** Rows `from` … `to` − 1 of the chains of a run. */
function chainRange(run: MetropolisRun, from: number, to: number): MetropolisRun {
  const chains = run.acceptance.length;
  const part = (values: Float64Array) => values.slice((from * values.length) / chains, (to * values.length) / chains);
  return { x: part(run.x), energy: part(run.energy), acceptance: part(run.acceptance) };
}

test('a chain is the same bytes in runs of any size and any split', (t) => {
  for (const system of [systemFromSpec('dw4'), systemFromSpec('lj13:pairFactor=1')]) {
    const all = runMetropolis(chainsOf(system, 18));
    for (const [from, to] of [
      [0, 1],
      [0, 3],
      [0, 5],
      [4, 9],
      [8, 18],
      [16, 18],
    ]) {
      const part = runMetropolis(chainsOf(system, to - from, { firstChain: from }));
      t.deepEqual(part, chainRange(all, from, to), `chains ${from} … ${to - 1}`);
    }
  }
});

test('chains differ from one another and from seed to seed', (t) => {
  const { energy } = runMetropolis(chainsOf(systemFromSpec('dw4'), 6, { records: 1 }));
  t.is(new Set(energy).size, 6);
  t.notDeepEqual(runMetropolis(chainsOf(systemFromSpec('dw4'), 6, { records: 1, seed: 6 })).energy, energy);
});

test('how often a chain is recorded does not change where it goes', (t) => {
  const often = runMetropolis(chainsOf(TRAP, 3, { warmUp: 10, stride: 5, records: 8 }));
  const seldom = runMetropolis(chainsOf(TRAP, 3, { warmUp: 20, stride: 10, records: 3 }));
  for (let chain = 0; chain < 3; chain++) {
    for (let r = 0; r < 3; r++) {
      const [a, b] = [chain * 8 + 2 * r + 3, chain * 3 + r];
      t.deepEqual(seldom.x.slice(b * 12, (b + 1) * 12), often.x.slice(a * 12, (a + 1) * 12));
      t.is(seldom.energy[b], often.energy[a]);
    }
  }
});

test('recorded energies are those of the recorded configurations, which are mean-free', (t) => {
  const system = systemFromSpec('lj13:pairFactor=2');
  const { x, energy } = runMetropolis(chainsOf(system, 4, { warmUp: 2000 }));
  t.true(relativeError(energy, new EnergyEvaluator(system).energy(x, energy.length)) < 1e-12);
  for (let s = 0; s < energy.length; s++) {
    for (let a = 0; a < 3; a++) {
      let sum = 0;
      for (let i = 0; i < 13; i++) sum += x[(s * 13 + i) * 3 + a];
      t.true(Math.abs(sum) < 1e-12);
    }
  }
});

/** Mean over chains of the chain means of `values` [chains, records], with the standard error that their spread gives. */
function meanOverChains(values: Float64Array, chains: number): { value: number; standardError: number } {
  const records = values.length / chains;
  const means = Array.from({ length: chains }, (_, c) => {
    let sum = 0;
    for (let r = 0; r < records; r++) sum += values[c * records + r];
    return sum / records;
  });
  const value = means.reduce((a, b) => a + b, 0) / chains;
  const variance = means.reduce((sum, mean) => sum + (mean - value) ** 2, 0) / (chains - 1);
  return { value, standardError: Math.sqrt(variance / chains) };
}

test('harmonic trap: ⟨U⟩ = (N−1)D/2·kT and Var U = (N−1)D/2·kT² at two temperatures', (t) => {
  // Four estimates within 4 standard errors from 200 chains: false alarm 3e-4 for a random seed.
  const chains = 200;
  for (const kT of [0.5, 2]) {
    const stepSize = 0.4 * Math.sqrt(kT);
    const run = runMetropolis(chainsOf(TRAP, chains, { kT, stepSize, warmUp: 500, stride: 20, records: 100 }));
    const [U, half] = [meanOverChains(run.energy, chains), 4.5];
    t.log(
      `kT = ${kT}: ⟨U⟩ = ${U.value.toFixed(4)} ± ${U.standardError.toFixed(4)}, acceptance ${run.acceptance[0].toFixed(2)}`,
    );
    t.true(Math.abs(U.value - half * kT) < 4 * U.standardError);
    t.true(U.standardError < 0.01 * half * kT, 'the estimate is sharp enough to mean something');
    const squares = meanOverChains(
      run.energy.map((u) => (u - half * kT) ** 2),
      chains,
    );
    t.true(Math.abs(squares.value - half * kT ** 2) < 4 * squares.standardError, `${squares.value}`);
    t.true(run.acceptance.every((fraction) => fraction > 0.2 && fraction < 0.9));
  }
});

test('double well: ⟨U⟩ is that of quadrature', (t) => {
  // Within 4 standard errors from 200 chains: false alarm 9e-5 for a random seed.
  const system = systemFromSpec('dw2');
  const chains = 200;
  const run = runMetropolis(chainsOf(system, chains, { warmUp: 3000, stride: 20, records: 200 }));
  const U = meanOverChains(run.energy, chains);
  t.log(`${U.value.toFixed(4)} ± ${U.standardError.toFixed(4)}`);
  t.true(Math.abs(U.value - -3.87073) < 4 * U.standardError);
  t.true(U.standardError < 0.03);
});

test('a chain that starts without a finite energy moves as soon as it finds one', (t) => {
  const system = systemFromSpec('lj13:pairFactor=1');
  const start = new Float64Array(39);
  const run = runMetropolis(chainsOf(system, 1, { start, warmUp: 0, stride: 200, records: 1, stepSize: 0.3 }));
  t.true(run.acceptance[0] > 0);
  t.true(Number.isFinite(run.energy[0]));
  t.true(relativeError(run.energy, new EnergyEvaluator(system).energy(run.x, 1)) < 1e-12);
});

test('the pool gives the bytes of a direct run, with one worker or two', async (t) => {
  const system = systemFromSpec('dw4');
  const stepSize = system.sampling.metropolisStep;
  const settings = { n: 280, seed: 7, chains: 40, warmUp: 100, stride: 10, sampler: 'metropolis', stepSize } as const;
  const direct = runMetropolis(chainsOf(system, 40, { seed: 7, warmUp: 100, stride: 10, records: 7 }));
  for (const workers of [1, 2]) {
    const pool = new WorkerPool({ workers });
    try {
      const pooled = await simulate(system, settings, pool);
      t.true(Buffer.from(pooled.x.buffer).equals(Buffer.from(direct.x.buffer)), `${workers} workers`);
      t.deepEqual(pooled.energy, direct.energy);
      t.is(pooled.recordsPerChain, 7);
      t.true(Math.abs(pooled.acceptance - direct.acceptance.reduce((a, b) => a + b, 0) / 40) < 1e-14);
    } finally {
      await pool.close();
    }
  }
});

test('settings out of range are refused before work starts, and an abort ends a simulation', async (t) => {
  const system = systemFromSpec('dw4');
  const pool = new WorkerPool({ workers: 1 });
  try {
    const refuse = (options: Parameters<typeof simulate>[1], message: RegExp) =>
      t.throwsAsync(simulate(system, options, pool), { instanceOf: UsageError, message });
    await refuse({ n: 0, seed: 1 }, /n is 0/);
    await refuse({ n: 10, seed: -1 }, /seed is -1/);
    await refuse({ n: 10, seed: 1, chains: 11 }, /chains is 11/);
    await refuse({ n: 10, seed: 1, stride: 0 }, /stride is 0/);
    await refuse({ n: 10, seed: 1, stepSize: 0 }, /step size is 0/);
    await refuse({ n: 10, seed: 1, kT: -1 }, /kT is -1/);
    await refuse({ n: 10, seed: 1, start: new Float64Array(7) }, /start has 7 coordinates, expected 8/);
    await refuse({ n: 10, seed: 1, chains: 1, stride: 2 ** 31 }, /number of steps/);

    const abort = new AbortController();
    const long = simulate(system, { n: 100, seed: 1, warmUp: 10 ** 9, signal: abort.signal }, pool);
    setTimeout(() => abort.abort(), 50);
    await t.throwsAsync(long, { instanceOf: InterruptedError });
  } finally {
    await pool.close();
  }
});
