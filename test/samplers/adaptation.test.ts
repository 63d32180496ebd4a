import test from 'ava';
import { runChains, type Sampler } from '../../src/samplers/index.js';
import { type System, systemFromSpec } from '../../src/systems/index.js';
import { chainsOf } from './chains.js';

const TARGETS = { metropolis: 0.234, mala: 0.574, hmc: 0.8 } as const;

function adapted(system: System, sampler: Sampler, chains: number, more: { [setting: string]: number } = {}) {
  const leapfrogSteps = sampler === 'hmc' ? 8 : 1;
  return chainsOf(system, sampler, chains, {
    leapfrogSteps,
    adapt: true,
    warmUp: 2000,
    stride: 20,
    records: 25,
    ...more,
  });
}

test('adapted step sizes give the acceptance that each sampler aims at', (t) => {
  for (const spec of ['dw4', 'lj13:pairFactor=2']) {
    for (const sampler of ['metropolis', 'mala', 'hmc'] as const) {
      const { acceptance } = runChains(adapted(systemFromSpec(spec), sampler, 8));
      const mean = acceptance.reduce((sum, fraction) => sum + fraction / 8, 0);
      // The jitter of HMC's step costs acceptance where it is longer and gains less where it is shorter.
      t.true(Math.abs(mean - TARGETS[sampler]) < 0.06, `${spec}, ${sampler}: ${mean}`);
    }
  }
});

test('the first guess hardly matters, over four orders of magnitude', (t) => {
  const system = systemFromSpec('dw4');
  const sizes = [0.002, 0.2, 20].map(
    (stepSize) => runChains(adapted(system, 'mala', 4, { stepSize, warmUp: 4000 })).stepSizes[0],
  );
  t.true(Math.max(...sizes) / Math.min(...sizes) < 1.15, `${sizes}`);
});

test('four chains share a step size, which no other chain has a part in', (t) => {
  const system = systemFromSpec('lj13:pairFactor=1');
  for (const sampler of ['metropolis', 'mala', 'hmc'] as const) {
    const few = { warmUp: 200, stride: 2, records: 2 };
    const all = runChains(adapted(system, sampler, 12, few));
    const C = all.x.length / 12;
    t.is(new Set(all.stepSizes.subarray(0, 4)).size, 1);
    t.is(new Set(all.stepSizes).size, 3);
    for (const [from, to] of [
      [0, 1],
      [4, 7],
      [8, 12],
    ]) {
      const part = runChains({ ...adapted(system, sampler, to - from, few), firstChain: from });
      t.deepEqual(part.stepSizes, all.stepSizes.slice(from, to));
      t.deepEqual(part.x, all.x.slice(from * C, to * C));
    }
  }
});

test('recorded steps do not feed back: the step size and the first records are those of a run ten times as long', (t) => {
  const system = systemFromSpec('dw4');
  for (const sampler of ['metropolis', 'mala', 'hmc'] as const) {
    const short = runChains(adapted(system, sampler, 1, { warmUp: 300, stride: 3, records: 20 }));
    const long = runChains(adapted(system, sampler, 1, { warmUp: 300, stride: 3, records: 200 }));
    t.deepEqual(short.stepSizes, long.stepSizes);
    t.deepEqual(short.x, long.x.slice(0, short.x.length));
  }
});
