// What is to be had of a package without its optional ones.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ownFolder } from '../own-folder.js';
import { copyPackage, linkDependencies, run } from './project.js';

const main = join('dist', 'src', 'cli', 'main.js');

test('where no figures can be drawn, report and paper say so before they compute anything', async (t) => {
  const folder = await ownFolder(t);
  await copyPackage(folder);
  await linkDependencies(folder);
  for (const line of [
    ['paper', '--out', 'p'],
    ['report', 'none.npz'],
  ]) {
    const { code, stdout, stderr } = await run(process.execPath, [main, ...line], folder);
    t.is(code, 69, stderr);
    t.is(stdout, '');
    // No line of progress stands before it.
    t.regex(stderr, /^equiflow: report: the optional package vega [^\n]* run npm install vega vega-lite\n$/);
  }
});

test('training with an engine that is not there leaves the record of an earlier training as it was', async (t) => {
  const folder = await ownFolder(t);
  await copyPackage(folder);
  await linkDependencies(folder);
  const equiflow = (line: string) => run(process.execPath, [main, ...line.split(' '), '--quiet'], folder);
  t.is((await equiflow('simulate dw2 -n 64 --warm-up 10 --out x.npz')).code, 0);
  t.is((await equiflow('train dw2 --data x.npz --steps 2 --out m.safetensors')).code, 0);
  const record = await readFile(join(folder, 'm.safetensors.training.jsonl'), 'utf8');
  t.true(record.length > 0);
  t.is((await equiflow('train dw2 --data x.npz --steps 2 --engine cpu --out m.safetensors')).code, 69);
  t.is(await readFile(join(folder, 'm.safetensors.training.jsonl'), 'utf8'), record);
});
