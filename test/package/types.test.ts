import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ownFolder } from '../own-folder.js';
import { CONSUMER, TSCONFIG } from './consumer.js';
import { copyPackage, linkDependencies, PROJECT, run } from './project.js';

test("the public types ask for no others: a strict program checks without Node's", async (t) => {
  const folder = await ownFolder(t);
  const installed = join(folder, 'node_modules', 'equiflow');
  await mkdir(installed, { recursive: true });
  await copyPackage(installed);
  await linkDependencies(folder);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'consumer.ts'), CONSUMER);
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  const compiler = join(PROJECT, 'node_modules', 'typescript', 'bin', 'tsc');
  t.deepEqual(await run(process.execPath, [compiler, '-p', '.'], folder), { code: 0, stdout: '', stderr: '' });
});
