import type { Chains, ChainsRun, Sampler } from '../../src/samplers/index.js';
import { defineSystem, type System, startConfiguration } from '../../src/systems/index.js';
import { normals } from '../reweighting/random.js';

export const TRAP = defineSystem({
  name: 'trap',
  particles: 4,
  dimensions: 3,
  terms: [{ kind: 'trap', scale: 2, stiffness: 0.65 }],
  convention: 'U = 0.65 Σ_i ‖x_i − x̄‖²',
  sampling: { metropolisStep: 0.4, start: new Array(12).fill(0) },
});

/** Chains of a system from its start, displaced by `spread` times normals. */
export function chainsOf(
  system: System,
  sampler: Sampler,
  chains: number,
  more: Partial<Chains> = {},
  spread = 0,
): Chains {
  const start = startConfiguration(system);
  const [C, D, N] = [start.length, system.dimensions, system.particles];
  const normal = normals(99);
  const starts = Float64Array.from({ length: chains * C }, (_, i) => start[i % C] + spread * normal());
  for (let s = 0; s < chains; s++) {
    for (let a = 0; a < D; a++) {
      let sum = 0;
      for (let i = 0; i < N; i++) sum += starts[s * C + i * D + a];
      for (let i = 0; i < N; i++) starts[s * C + i * D + a] -= sum / N;
    }
  }
  return {
    system,
    kT: 1,
    seed: 5,
    firstChain: 0,
    start: starts,
    chains,
    sampler,
    leapfrogSteps: 1,
    stepSize: system.sampling.metropolisStep,
    adapt: false,
    warmUp: 50,
    stride: 5,
    records: 8,
    ...more,
  };
}

/** Mean over chains of a function of [chains, records], with the standard error that the spread of chain means gives. */
export function meanOverChains(run: ChainsRun, values: Float64Array): { value: number; standardError: number } {
  const chains = run.acceptance.length;
  const records = values.length / chains;
  const means = Array.from(
    { length: chains },
    (_, c) => values.subarray(c * records, (c + 1) * records).reduce((sum, value) => sum + value, 0) / records,
  );
  const value = means.reduce((sum, mean) => sum + mean, 0) / chains;
  const variance = means.reduce((sum, mean) => sum + (mean - value) ** 2, 0) / (chains - 1);
  return { value, standardError: Math.sqrt(variance / chains) };
}
