import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type BoltzmannGenerator, boltzmannGenerator, continuousFlow } from '../../src/flows/index.js';
import { openHdf5 } from '../../src/formats/hdf5/index.js';
import { readArray, sha256 } from '../../src/formats/index.js';
import { rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { initialFieldFor } from '../../src/training/index.js';
import { WorkerPool } from '../../src/workers/index.js';

export { ownFolder } from '../own-folder.js';

/** An untrained generator of DW4: a map that is far from the identity, known without training. */
export function untrained(steps = 8, kT = 1): BoltzmannGenerator {
  const target = systemFromSpec('dw4');
  const flow = continuousFlow(meanFreeNormal(4, 2, { kT }), initialFieldFor(target, 1), rk4(steps));
  return boltzmannGenerator(target, flow);
}

/** A pool that ends with the test. */
export function openPool(t: ExecutionContext, workers: number): WorkerPool {
  const pool = new WorkerPool({ workers });
  t.teardown(() => pool.close());
  return pool;
}

/** Length and SHA-256 of every file below a folder, by its path. */
export async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.sort().map(async (path) => {
    const bytes = await readFile(path);
    return [path.slice(folder.length + 1), `${bytes.length} bytes, ${sha256(bytes)}`] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

/** Holds if an HDF5 file has the arrays and the manifest of a folder. */
export async function sameSet(t: ExecutionContext, path: string, folder: string): Promise<void> {
  for (const name of ['logQ', 'energy', 'logWeight']) {
    const [found, expected] = [await readArray(path, name), await readArray(join(folder, `${name}.npy`))];
    t.deepEqual(found.shape, expected.shape, name);
    t.true(Buffer.from(found.data.buffer).equals(bytesOf(expected.data)), name);
  }
  const [found, expected] = [await readArray(path), await readArray(join(folder, 'x.npy'))];
  const D = expected.shape[2];
  t.deepEqual(found.shape, [expected.shape[0], expected.shape[1], 3]);
  t.is(found.data.constructor, expected.data.constructor);
  t.true(found.data.every((value, i) => value === (i % 3 < D ? expected.data[D * Math.floor(i / 3) + (i % 3)] : 0)));
  const file = await openHdf5(path);
  t.is(file.text('/parameters/manifest'), await readFile(join(folder, 'manifest.json'), 'utf8'));
  file.close();
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
