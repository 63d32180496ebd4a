/* What chains gain by going side by side on one thread: steps of HMC in groups of all sizes that `simulate` uses. */
import { type ChainsRun, resolveSettings, runChains } from '../src/samplers/index.js';
import { startConfiguration } from '../src/systems/index.js';
import { type Case, SEED } from './cases.js';
import { type Contender, inProcess } from './rounds.js';

/** The largest first, with which the others are compared. */
const SIZES = [32, 16, 8, 4];
const CHAINS = SIZES[0];

/** Steps, half of them of the warm-up, so that a call takes a tenth of a second and its start hardly counts. */
const STEPS: Readonly<Record<string, number>> = { DW4: 40_000, LJ13: 4_000, LJ55: 400 };

/** The same chains in groups of a size, one group after the other. */
function runInGroups({ label, system }: Case, size: number): ChainsRun[] {
  const { sampler, leapfrogSteps, stride, stepSize, kT } = resolveSettings(system, { n: CHAINS, seed: SEED });
  const warmUp = STEPS[label] / 2;
  const own = startConfiguration(system);
  const start = Float64Array.from({ length: size * own.length }, (_, i) => own[i % own.length]);
  const settings = { seed: SEED, sampler, leapfrogSteps, stride, stepSize, kT, adapt: true, warmUp };
  const group = { ...settings, system, chains: size, start, records: warmUp / stride };
  return Array.from({ length: CHAINS / size }, (_, k) => runChains({ ...group, firstChain: k * size }));
}

/**
 * A contender for each size of groups.
 * @throws Error where sizes change energies
 */
export function chainGroups(c: Case): Contender[] {
  const energies = (size: number) => runInGroups(c, size).flatMap(({ energy }) => [...energy]);
  const expected = energies(CHAINS);
  return SIZES.map((size) => {
    if (energies(size).some((energy, i) => energy !== expected[i])) {
      throw new Error(`mcmc: ${c.label}: energies of chains depend on the size of their groups, ${size} and ${CHAINS}`);
    }
    return inProcess(`${size} chains`, CHAINS * STEPS[c.label], () => runInGroups(c, size));
  });
}
