import { mean, standardErrorOfMean } from '../analysis/index.js';
import type { Claim, GeneratorRun, Uncertain } from './record.js';

/** What the claim demands: this share of eqBG's kept samples in absent minima, and this lead over nBG. */
const LEAST_SHARE = 0.01;
const LEAST_SIGMAS = 2;

/** Share of a run's kept samples that lie in the given minima. */
function shareOf(run: GeneratorRun, minima: readonly number[]): Uncertain {
  const { shares, kept } = run.view.minima;
  if (kept === 0) return { value: 0, standardError: Number.NaN };
  const value = minima.reduce((sum, m) => sum + shares[m].raw.value, 0);
  return { value, standardError: Math.sqrt((value * (1 - value)) / kept) };
}

/**
 * Tests the paper's claim over training seeds: that the equivariant generator puts samples into minima absent from its
 * training set and the non-equivariant one does not. Errors are over seeds, pairing the two generators of a seed.
 */
export function testClaim(absentMinima: readonly number[], runs: readonly GeneratorRun[]): Claim {
  const seeds = [...new Set(runs.map((run) => run.seed))].map((seed) => {
    const share = (label: GeneratorRun['label']) => {
      const run = runs.find((candidate) => candidate.seed === seed && candidate.label === label);
      if (run === undefined) throw new Error(`no ${label} run for seed ${seed}`);
      return shareOf(run, absentMinima);
    };
    return { seed, eqBG: share('eqBG'), nBG: share('nBG') };
  });
  const over = (values: number[]): Uncertain => ({
    value: mean(values),
    standardError: values.length > 1 ? standardErrorOfMean(values) : Number.NaN,
  });
  const eqBG = over(seeds.map((row) => row.eqBG.value));
  const nBG = over(seeds.map((row) => row.nBG.value));
  const difference = over(seeds.map((row) => row.eqBG.value - row.nBG.value));
  const sigmas = difference.value / difference.standardError;
  const holds = absentMinima.length > 0 && eqBG.value >= LEAST_SHARE && sigmas >= LEAST_SIGMAS;
  return { absentMinima, seeds, eqBG, nBG, difference, sigmas, holds, statement: statement() };

  function statement(): string {
    if (absentMinima.length === 0) return 'The claim cannot be tested: no minimum is absent from the training set.';
    const percent = ({ value, standardError }: Uncertain) =>
      Number.isFinite(standardError)
        ? `(${(100 * value).toFixed(2)} ± ${(100 * standardError).toFixed(2)}) %`
        : `${(100 * value).toFixed(2)} %`;
    const lead = Number.isFinite(sigmas)
      ? `the difference is ${sigmas.toFixed(1)} standard errors`
      : `${seeds.length === 1 ? 'one seed gives' : 'seeds that agree exactly give'} no error of the difference`;
    const minima = absentMinima.length === 1 ? 'the minimum' : `the ${absentMinima.length} minima`;
    const finding =
      `Over ${seeds.length} training seed${seeds.length === 1 ? '' : 's'} eqBG puts ${percent(eqBG)} of its kept samples into ${minima} ` +
      `that its training set does not contain, nBG ${percent(nBG)}; ${lead}.`;
    const demand = `at least ${100 * LEAST_SHARE} % and ${LEAST_SIGMAS} standard errors above nBG`;
    return holds
      ? `The claim holds (${demand}). ${finding}`
      : `The claim does not hold (${demand} was asked for). ${finding}`;
  }
}
