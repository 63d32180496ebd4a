import { type Chains, type ChainsRun, runChains } from '../../src/samplers/index.js';

/** Chains with a fixed step size. */
export type MetropolisChains = Omit<Chains, 'sampler' | 'leapfrogSteps' | 'adapt'>;

export type MetropolisRun = Pick<ChainsRun, 'x' | 'energy' | 'acceptance'>;

/**
 * Metropolis Monte Carlo with all-particle normal moves on the mean-free subspace (Metropolis et al. 1953): the sampler of
 * the paper. Random numbers depend on (seed, chain, step) alone. No adaptation: the step is the caller's.
 */
export function runMetropolis(run: MetropolisChains, onSteps?: (done: number) => void): MetropolisRun {
  const { x, energy, acceptance } = runChains(
    { ...run, sampler: 'metropolis', leapfrogSteps: 1, adapt: false },
    onSteps,
  );
  return { x, energy, acceptance };
}
