/*
 * The known answers, reached through the command line alone. Checks are two-sided at 4 combined standard errors, so that
 * each fails by chance once in 16,000 draws of the seed, the dozen of them together once in 1,300.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { mean, standardErrorOfMean } from '../../src/analysis/index.js';
import { decodeNpz } from '../../src/formats/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { ownFolder, succeeds } from './command-line.js';

interface Uncertain {
  readonly value: number;
  readonly standardError: number;
}

function agrees(t: ExecutionContext, name: string, found: Uncertain, known: Uncertain, largestError: number): void {
  const { value, standardError } = found;
  t.true(standardError > 0 && standardError <= largestError, `${name}: error ${standardError}`);
  const sigmas = (value - known.value) / Math.hypot(standardError, known.standardError);
  t.true(
    Math.abs(sigmas) < 4,
    `${name}: ${value} ± ${standardError} is ${sigmas.toFixed(2)} errors from ${known.value}`,
  );
}

for (const spec of ['dw2', 'dw2:dimensions=3']) {
  test.serial(`simulate ${spec}: ⟨U⟩ is the quadrature's`, async (t) => {
    const folder = await ownFolder(t);
    const line = `simulate ${spec} -n 76800 --chains 256 --stride 50 --warm-up 2000 --seed 11 --out x.npz --json --quiet`;
    const { meanEnergy, reliable } = JSON.parse(await succeeds(t, folder, line));
    t.true(reliable);
    agrees(t, '⟨U⟩', meanEnergy, systemFromSpec(spec).known.meanEnergy!, 0.01);
  });
}

const CHAINS = 256;
const RECORDS = 200;

test.serial(
  'simulate and minimize dw4: ⟨U⟩ and the populations of the five minima; then reweight a model',
  async (t) => {
    const folder = await ownFolder(t);
    const { known } = systemFromSpec('dw4');
    // Populations have an integrated autocorrelation time of 3,000 steps: 15,000 forget the start, 46 million give the error.
    const simulation = `simulate dw4 -n ${CHAINS * RECORDS} --chains ${CHAINS} --stride 900 --warm-up 15000 --seed 12 --out x.npz`;
    const { meanEnergy, reliable } = JSON.parse(await succeeds(t, folder, `${simulation} --json --quiet`));
    t.true(reliable);
    agrees(t, '⟨U⟩', meanEnergy, known.meanEnergy!, 0.01);

    await succeeds(t, folder, 'minimize dw4 --in x.npz --out minima.npz --quiet');
    const { arrays } = decodeNpz(await readFile(join(folder, 'minima.npz')), 'minima.npz');
    const [energies, minimum] = ['minimaEnergy', 'minimum'].map((name) => arrays.get(name)!.data);
    t.is(energies.length, known.minima!.length);
    known.minima!.forEach(({ energy, population }, m) => {
      t.true(Math.abs(energies[m] - energy) < 1e-5, `minimum ${m} at ${energies[m]}`);
      // Records of a chain are correlated, chains are not: the error comes from the spread of the chains' own shares.
      const shares = Array.from({ length: CHAINS }, (_, c) =>
        mean(Array.from(minimum.subarray(c * RECORDS, (c + 1) * RECORDS), (index) => (index === m ? 1 : 0))),
      );
      const found = { value: mean(shares), standardError: standardErrorOfMean(shares) };
      agrees(t, `population of minimum ${m}`, found, population, 0.005);
    });

    await reweighted(t, folder, 'dw4');
  },
);

test.serial('reweight a model of dw2: log Z is the quadrature’s', async (t) => {
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw2 -n 20000 --chains 256 --stride 100 --seed 13 --out x.npz --quiet');
  await reweighted(t, folder, 'dw2');
});

/** Trains on `x.npz`, samples and reweights: log Z must be the known one, with an error bar that is worth something. */
async function reweighted(t: ExecutionContext, folder: string, system: string): Promise<void> {
  await succeeds(t, folder, `train ${system} --data x.npz --out m.safetensors --steps 1000 --seed 1 --quiet`);
  await succeeds(t, folder, 'sample m.safetensors -n 60000 --seed 2 --out s.npz --quiet');
  const { n, logZ, status } = JSON.parse(await succeeds(t, folder, 'reweight s.npz --json'));
  t.is(n, 60_000);
  t.not(status.level, 'do-not-trust');
  agrees(t, 'log Z', logZ, systemFromSpec(system).known.logZ!, 0.02);
}
