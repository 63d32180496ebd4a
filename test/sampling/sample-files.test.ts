import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DataError, OutputError } from '../../src/errors.js';
import { decodeNpz, encodeNpz, readArray } from '../../src/formats/index.js';
import { rk4 } from '../../src/integrators/index.js';
import {
  readSampleWeights,
  type SampleProvenance,
  type SampleSet,
  sample,
  writeSampleSet,
} from '../../src/sampling/index.js';
import { openPool, ownFolder, untrained } from './generators.js';

const PROVENANCE: SampleProvenance = {
  system: { name: 'dw4' },
  convention: 'U',
  model: 'none',
  seed: 4,
  first: 0,
  precision: 'f32',
  integrator: rk4(4),
};
const NAMES = ['samples.npz', 'samples'] as const;

async function smallSet(pool: ReturnType<typeof openPool>): Promise<SampleSet> {
  return sample(untrained(4, 2), { n: 10, seed: 4 }, pool);
}

test('an archive and a folder hold the set, and equal sets give equal bytes', async (t) => {
  const folder = await ownFolder(t);
  const set = await smallSet(openPool(t, 1));
  for (const name of NAMES) {
    const path = join(folder, name);
    await writeSampleSet(path, set, PROVENANCE);
    const { n, kT, logQ, energy, logWeight } = await readSampleWeights(path);
    t.deepEqual(
      { n, kT, logQ, energy, logWeight },
      {
        n: 10,
        kT: 2,
        logQ: set.logQ,
        energy: set.energy,
        logWeight: set.logWeight,
      },
    );
    const x = await readArray(name === 'samples' ? join(path, 'x.npy') : path);
    t.deepEqual(x.shape, [10, 4, 2]);
    t.deepEqual(x.data, set.x);
  }
  const files = ['samples.npz', 'samples/manifest.json'].map((name) => join(folder, name));
  const first = await Promise.all(files.map((file) => readFile(file)));
  // A sample set of ours may be replaced.
  for (const name of NAMES) await writeSampleSet(join(folder, name), set, PROVENANCE);
  t.deepEqual(await Promise.all(files.map((file) => readFile(file))), first);
  t.deepEqual((await readdir(folder)).sort(), ['samples', 'samples.npz']);
});

test('a folder that is not a sample set is never replaced', async (t) => {
  const folder = await ownFolder(t);
  const set = await smallSet(openPool(t, 1));
  await mkdir(join(folder, 'thesis'));
  await writeFile(join(folder, 'thesis', 'manifest.json'), '{"kind": "thesis"}');
  await t.throwsAsync(writeSampleSet(join(folder, 'thesis'), set, PROVENANCE), {
    instanceOf: OutputError,
    message: /holds other files/,
  });
  t.deepEqual(await readdir(folder), ['thesis']);
  t.deepEqual(await readdir(join(folder, 'thesis')), ['manifest.json']);
});

test('a set whose manifest does not fit its arrays is refused', async (t) => {
  const folder = await ownFolder(t);
  const set = await smallSet(openPool(t, 1));
  const path = join(folder, 'samples.npz');
  await writeSampleSet(path, set, PROVENANCE);
  const { arrays, texts } = decodeNpz(await readFile(path), path);
  const rewritten = async (change: (manifest: string) => string, omit?: string) => {
    const kept = new Map([...arrays].filter(([name]) => name !== omit));
    await writeFile(path, encodeNpz(kept, new Map([['manifest.json', change(texts.get('manifest.json')!)]])));
    return readSampleWeights(path);
  };
  const refused = (work: Promise<unknown>, message: RegExp) => t.throwsAsync(work, { instanceOf: DataError, message });
  t.is((await rewritten((manifest) => manifest)).n, 10);
  await refused(
    rewritten((manifest) => manifest, 'logQ'),
    /no array 'logQ'/,
  );
  await refused(
    rewritten((manifest) => manifest.replaceAll(/"sha256": "./g, '"sha256": "x')),
    /'logQ' is not what was written: its SHA-256 is \w+, the manifest has x/,
  );
  await refused(
    rewritten((manifest) => manifest.replace('"kT": 2', '"kT": -2')),
    /manifest\.json: kT is -2, expected a positive number/,
  );
  await refused(
    rewritten((manifest) => manifest.slice(1)),
    /manifest\.json: not valid JSON/,
  );
  await refused(
    rewritten(() => 'null'),
    /manifest\.json: expected an object/,
  );
});
