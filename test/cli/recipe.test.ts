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
    const { field, prior } = generator.flow;
    const { kineticWeight = 0, batchSize, integratorSteps } = training as Record<string, number>;
    return { times: field.parameters.muTime.length, integratorSteps, scale: prior.scale, kineticWeight, batchSize };
  };
  const own = await trained('');
  t.deepEqual([own.times, own.kineticWeight, own.integratorSteps], [20, 0.002, 40]);
  const asked = await trained(' --time-kernels 4 --integrator-steps 7 --prior-scale 1.5 --kinetic-weight 0 --batch 9');
  t.deepEqual(asked, { times: 4, integratorSteps: 7, scale: 1.5, kineticWeight: 0, batchSize: 9 });
  t.is((await trained(' --field dense --hidden 4')).integratorSteps, 20);
});

test('a model keeps the fewest integrator steps within the tolerance, and goes on training with those of its training', async (t) => {
  const folder = await ownFolder(t);
  await succeeds(t, folder, 'simulate dw4 -n 64 --warm-up 100 --out x.npz --quiet');
  const trained = async (options: string) => {
    await succeeds(t, folder, `train dw4 --data x.npz --steps 2 --out m.safetensors --quiet ${options}`);
    const { generator, training } = decodeModel(await readFile(join(folder, 'm.safetensors')), 'm');
    return { integrator: generator.flow.integrator, ...(training as object) } as Record<string, unknown>;
  };
  const loose = await trained('--log-q-tolerance 0.1 --integrator-steps 30');
  t.deepEqual([loose.integrator, loose.integratorSteps], [{ kind: 'rk4', steps: 4 }, 30]);
  const tight = await trained('--log-q-tolerance 1e-7 --init m.safetensors');
  const { steps, tolerance, error } = tight.stepChoice as Record<string, number>;
  t.deepEqual([tight.integrator, tight.integratorSteps], [{ kind: 'rk4', steps }, 30]);
  t.true(steps > 4 && error <= tolerance && tolerance === 1e-7);
  const none = await trained('--log-q-tolerance 0 --init m.safetensors');
  t.deepEqual([none.integrator, none.integratorSteps, none.stepChoice], [{ kind: 'rk4', steps: 30 }, 30, undefined]);
});
