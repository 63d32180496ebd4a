import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { decodeNpz } from '../../src/formats/index.js';
import { contents, ownFolder, succeeds } from './command-line.js';

/* Each step has more blocks of work than workers: 4 groups of chains, 3 blocks of minimisations, 3 of samples. */
const STEPS = [
  'simulate dw4 -n 2500 --chains 100 --warm-up 2000 --stride 20 --seed 7 --out data.npz',
  'minimize dw4 --in data.npz --out minima.npz',
  'train dw4 --data data.npz --steps 30 --batch 64 --seed 3 --out model.safetensors',
  'train dw4 --data data.npz --steps 30 --batch 64 --seed 3 --field dense --hidden 8 --out dense.safetensors',
  'sample model.safetensors -n 9001 --seed 5 --out samples.npz',
  'sample model.safetensors -n 9001 --seed 5 --precision f64 --out samples',
  'log-prob model.safetensors --in samples.npz --out logq.npy',
  'sample model.safetensors -n 9001 --seed 5 --rtol 1e-4 --verify 50 --out adaptive.npz',
  'log-prob dense.safetensors --in samples.npz --integrator dopri5 --out adaptive.npy',
  'reweight samples --profile energy d rg:20 --observable rg short@4 --states rg<2 rg>=2 --out profiles.npz',
  'report samples.npz --profile d0-1 --out report.html',
];
const FILES = [
  'adaptive.npy',
  'adaptive.npy.json',
  'adaptive.npz',
  'data.npz',
  'dense.safetensors',
  'logq.npy',
  'logq.npy.json',
  'minima.npz',
  'model.safetensors',
  'profiles.npz',
  'report.html',
  'samples.npz',
  'samples/energy.npy',
  'samples/logQ.npy',
  'samples/logWeight.npy',
  'samples/manifest.json',
  'samples/x.npy',
];

test.serial('the same seeds give the same bytes, whatever the number of workers', async (t) => {
  const folder = await ownFolder(t);
  const runs: Map<string, Buffer>[] = [];
  for (const workers of [1, 2, 3]) {
    const own = join(folder, String(workers));
    await mkdir(own);
    for (const step of STEPS) await succeeds(t, own, `${step} --workers ${workers} --quiet`);
    runs.push(await contents(own));
  }
  const [one, ...others] = runs;
  t.deepEqual([...one.keys()], FILES);
  for (const other of others) {
    t.deepEqual([...other.keys()], FILES);
    for (const name of FILES) t.true(other.get(name)!.equals(one.get(name)!), name);
  }

  // Ranges of one stream, cut where neither lanes nor blocks end, are parts of the whole.
  const own = join(folder, '2');
  await succeeds(t, own, 'sample model.safetensors -n 4999 --seed 5 --out head.npz --quiet');
  await succeeds(t, own, 'sample model.safetensors -n 4002 --first 4999 --seed 5 --out tail.npz --quiet');
  const parts = await contents(own);
  const arrays = ['samples.npz', 'head.npz', 'tail.npz'].map((name) => decodeNpz(parts.get(name)!, name).arrays);
  for (const name of ['x', 'logQ', 'energy', 'logWeight']) {
    const [whole, head, tail] = arrays.map((set) => Array.from(set.get(name)!.data));
    t.deepEqual([...head, ...tail], whole, name);
  }
});

test.serial('another seed gives other numbers', async (t) => {
  const folder = await ownFolder(t);
  for (const seed of [1, 2]) {
    await succeeds(t, folder, `simulate dw2 -n 64 --warm-up 100 --seed ${seed} --out ${seed}.npz --quiet`);
    await succeeds(t, folder, `train dw2 --data 1.npz --steps 3 --seed ${seed} --out ${seed}.safetensors --quiet`);
    await succeeds(t, folder, `sample 1.safetensors -n 64 --seed ${seed} --out samples-${seed}.npz --quiet`);
  }
  const files = await contents(folder);
  for (const name of ['#.npz', '#.safetensors', 'samples-#.npz']) {
    t.false(files.get(name.replace('#', '1'))!.equals(files.get(name.replace('#', '2'))!), name);
  }
});
