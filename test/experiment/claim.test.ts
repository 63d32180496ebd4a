import test from 'ava';
import { testClaim } from '../../src/experiment/claim.js';
import type { GeneratorRun } from '../../src/experiment/index.js';

const KEPT = 10_000;

/** A run of which nothing is known but the shares of the minima among its kept samples. */
function run(label: GeneratorRun['label'], seed: number, shares: readonly number[], kept = KEPT): GeneratorRun {
  const none = { value: Number.NaN, standardError: Number.NaN };
  return {
    trainingSet: 'biased',
    label,
    seed,
    parameters: 0,
    steps: 0,
    stopped: 'all steps done',
    trainingNll: none,
    testNll: none,
    learningCurve: [],
    weights: { n: KEPT, ess: 1, khat: 0, logZ: none, largestShare: 1, status: '' },
    seconds: { training: 0, sampling: 0, minimization: 0 },
    view: {
      n: KEPT,
      energies: [],
      firstParticle: [],
      configurations: [],
      minima: {
        n: KEPT,
        kept,
        keptFraction: none,
        other: 0,
        labelledArrangements: 1,
        shares: shares.map((value) => ({ raw: { value, standardError: 0 }, reweighted: null })),
      },
    },
  };
}

/** Runs of both generators over seeds, with the given shares of the one absent minimum, number 1. */
function runs(eqBG: readonly number[], nBG: readonly number[]): GeneratorRun[] {
  return eqBG.flatMap((share, seed) => [
    run('nBG', seed, [1 - nBG[seed], nBG[seed]]),
    run('eqBG', seed, [1 - share, share]),
  ]);
}

test('the claim holds where eqBG is above 1 % and two standard errors above nBG, and not otherwise', (t) => {
  const cases: readonly [string, number[], number[], boolean][] = [
    ['clear', [0.5, 0.52, 0.48], [0.01, 0, 0.02], true],
    ['the non-equivariant one finds as much', [0.5, 0.52, 0.48], [0.49, 0.51, 0.52], false],
    ['the non-equivariant one finds more', [0.1, 0.11, 0.12], [0.5, 0.52, 0.48], false],
    ['below one per cent', [0.009, 0.0091, 0.0092], [0, 0, 0], false],
    ['one seed of three carries the mean', [0.3, 0, 0], [0, 0, 0], false],
    ['nothing anywhere', [0, 0, 0], [0, 0, 0], false],
    ['one seed has no error', [0.5], [0], false],
  ];
  for (const [name, eqBG, nBG, holds] of cases) {
    const claim = testClaim([1], runs(eqBG, nBG));
    t.is(claim.holds, holds, name);
    t.is(claim.statement.startsWith('The claim holds'), holds, claim.statement);
    t.is(claim.statement.startsWith('The claim does not hold'), !holds, claim.statement);
    t.notRegex(claim.statement, /NaN|Infinity/, name);
  }
});

test('errors come from the spread of the seeds, each generator beside the other of its seed', (t) => {
  const claim = testClaim([1], runs([0.4, 0.6], [0.1, 0.3]));
  t.deepEqual(
    claim.seeds.map(({ seed }) => seed),
    [0, 1],
  );
  t.true(Math.abs(claim.eqBG.value - 0.5) < 1e-12);
  t.true(Math.abs(claim.eqBG.standardError - 0.1) < 1e-12);
  // Every seed has the same difference: paired, it has no error, although both shares vary.
  t.true(Math.abs(claim.difference.value - 0.3) < 1e-12);
  t.true(claim.difference.standardError < 1e-12);
  t.true(claim.holds);
  const [{ eqBG }] = claim.seeds;
  t.true(Math.abs(eqBG.standardError - Math.sqrt((0.4 * 0.6) / KEPT)) < 1e-12);
});

test('shares of all absent minima add up', (t) => {
  const shares = (a: number, b: number) => [1 - a - b, a, b];
  const two = [0, 1].flatMap((seed) => [
    run('eqBG', seed, shares(0.2, 0.1 + seed / 100)),
    run('nBG', seed, shares(0, 0)),
  ]);
  t.true(Math.abs(testClaim([1, 2], two).eqBG.value - 0.305) < 1e-12);
  t.true(Math.abs(testClaim([2], two).eqBG.value - 0.105) < 1e-12);
});

test('where no minimum is absent the claim cannot be tested, and does not hold', (t) => {
  const claim = testClaim([], runs([0.5, 0.52], [0, 0.01]));
  t.false(claim.holds);
  t.regex(claim.statement, /cannot be tested: no minimum is absent/);
});

test('a generator that keeps no sample has no share, and no run may be missing', (t) => {
  const nothing = [0, 1].flatMap((seed) => [run('eqBG', seed, [Number.NaN, Number.NaN], 0), run('nBG', seed, [1, 0])]);
  const claim = testClaim([1], nothing);
  t.is(claim.eqBG.value, 0);
  t.true(Number.isNaN(claim.seeds[0].eqBG.standardError));
  t.false(claim.holds);
  t.throws(() => testClaim([1], [run('eqBG', 0, [1, 0])]), { message: 'no nBG run for seed 0' });
});
