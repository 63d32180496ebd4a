import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { decodeModel } from '../../src/flows/index.js';
import { ownFolder, succeeds } from './command-line.js';

test('train takes from the system’s recipe what is not asked for, and nothing of it for another field', async (t) => {
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw4 -n 64 --warm-up 100 --out x.npz --quiet');
  const trained = async (options: string) => {
    await succeeds(t, folder, `train dw4 --data x.npz --steps 2 --out m.safetensors --quiet${options}`);
    const { generator, training } = decodeModel(await readFile(join(folder, 'm.safetensors')), 'm');
    const { field, integrator, prior } = generator.flow;
    const { kineticWeight = 0, batchSize } = training as { kineticWeight?: number; batchSize: number };
    return { times: field.parameters.muTime.length, integrator, scale: prior.scale, kineticWeight, batchSize };
  };
  const own = await trained('');
  t.deepEqual([own.times, own.kineticWeight], [20, 0.002]);
  t.deepEqual(own.integrator, { kind: 'rk4', steps: 40 });
  const asked = await trained(' --time-kernels 4 --integrator-steps 7 --prior-scale 1.5 --kinetic-weight 0 --batch 9');
  t.deepEqual(asked, {
    times: 4,
    integrator: { kind: 'rk4', steps: 7 },
    scale: 1.5,
    kineticWeight: 0,
    batchSize: 9,
  });
  t.deepEqual((await trained(' --field dense --hidden 4')).integrator, { kind: 'rk4', steps: 20 });
});
