import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import test, { type ExecutionContext } from 'ava';
import { openHdf5 } from '../../src/formats/hdf5/index.js';
import { equiflow, ownFolder, succeeds } from './command-line.js';

const N = 1_000_000;
const MEGABYTES = 500;

/** Runs a command line and holds its memory below the bound. @returns its standard output */
async function within(t: ExecutionContext, folder: string, line: string): Promise<string> {
  const mark = join(folder, 'peak');
  const options = `--import=${new URL('./peak-memory.js', import.meta.url).href}`;
  const { code, stdout, stderr } = await equiflow(folder, line.split(' '), undefined, {
    NODE_OPTIONS: options,
    EQUIFLOW_TEST_PEAK: mark,
  });
  t.is(code, 0, `${line}: ${stderr}`);
  const peak = Number(await readFile(mark, 'utf8')) / 1e6;
  await rm(mark);
  t.log(`${line}: ${peak.toFixed(0)} MB`);
  t.true(peak > 10 && peak < MEGABYTES, `${line}: ${peak} MB`);
  return stdout;
}

async function digests(folder: string): Promise<Record<string, string>> {
  const entries = (await readdir(folder)).sort().map(async (name) => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(folder, name)), hash);
    return [name, hash.digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

test.serial(
  'a million samples, to files and weighed: the same bytes for any number of workers, in bounded memory',
  async (t) => {
    const folder = await ownFolder(t);
    await succeeds(t, folder, 'simulate dw4 -n 200 --chains 20 --warm-up 100 --out data.npz --quiet');
    await succeeds(t, folder, 'train dw4 --data data.npz --steps 20 --out m.safetensors --quiet');
    const sample = (out: string, workers: number) =>
      within(t, folder, `sample m.safetensors -n ${N} --workers ${workers} --out ${out} --quiet`);
    for (const workers of [1, 2]) await sample(`set-${workers}`, workers);
    const [one, two] = await Promise.all([1, 2].map((workers) => digests(join(folder, `set-${workers}`))));
    t.deepEqual(Object.keys(one), ['energy.npy', 'logQ.npy', 'logWeight.npy', 'manifest.json', 'x.npy']);
    t.deepEqual(two, one);

    await sample('set.h5', 2);
    const file = await openHdf5(join(folder, 'set.h5'));
    t.is(file.text('/parameters/manifest'), await readFile(join(folder, 'set-1', 'manifest.json'), 'utf8'));
    file.close();

    const figures: string[] = [];
    for (const name of ['set-1', 'set.h5']) {
      for (const workers of [1, 2])
        figures.push(await within(t, folder, `reweight ${name} --workers ${workers} --json`));
    }
    t.is(JSON.parse(figures[0]).n, N);
    t.deepEqual(new Set(figures).size, 1);
  },
);
