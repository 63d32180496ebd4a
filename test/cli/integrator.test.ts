import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { boltzmannGenerator, continuousFlow, encodeModel } from '../../src/flows/index.js';
import { decodeNpz } from '../../src/formats/index.js';
import { dopri5, rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import { systemFromSpec } from '../../src/systems/index.js';
import { equiflow, ownFolder, succeeds } from './command-line.js';

/** A model of DW4 whose flow a coarse integrator does not resolve. */
function model(integrator = rk4(20) as Parameters<typeof continuousFlow>[2]): Uint8Array {
  const field = initialKernelField(4, 2, uniformBasis(30, 8, 0.5), { seed: 2, weightScale: 3 });
  return encodeModel(
    boltzmannGenerator(systemFromSpec('dw4'), continuousFlow(meanFreeNormal(4, 2), field, integrator)),
  );
}

test('--verify tells a coarse integrator from a fine one, and --json and run.json have its figures', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'm.safetensors'), model());
  const verify = async (options: string) => {
    const line = `sample m.safetensors -n 2000 --seed 3 --out s.npz --quiet --json --verify 100 ${options}`;
    const { verification } = JSON.parse(await succeeds(t, folder, line.trim()));
    const record = JSON.parse(await readFile(join(folder, 's.npz.run.json'), 'utf8'));
    t.deepEqual(record.verification, verification);
    return verification;
  };
  const [coarse, fine] = [await verify('--steps 2'), await verify('')];
  t.log(coarse.logQ.rms, fine.logQ.rms);
  t.is(coarse.status.verdict, 'too coarse');
  t.is(fine.status.verdict, 'negligible');
  t.true(coarse.logQ.rms > 50 * fine.logQ.rms);
  const text = await succeeds(
    t,
    folder,
    'sample m.safetensors -n 2000 --seed 3 --out s.npz --verify 100 --steps 2 --quiet',
  );
  t.regex(text, /Verified on 100 samples, .*: error of log q mean -?\d.*\nThe integrator is too coarse: .*--steps/);
});

test('the integrator that decides the bytes stands in the manifest; a stored one is used and replaced', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'fixed.safetensors'), model());
  await writeFile(join(folder, 'adaptive.safetensors'), model(dopri5({ rtol: 1e-4, atol: 1e-5, maxSteps: 500 })));
  const manifestOf = async (options: string) => {
    await succeeds(t, folder, `sample ${options} -n 100 --out s.npz --quiet`);
    const { texts } = decodeNpz(await readFile(join(folder, 's.npz')), 's.npz');
    return JSON.parse(texts.get('manifest.json')!).integrator;
  };
  const stored = { kind: 'dopri5', rtol: 1e-4, atol: 1e-5, atolLogDet: 0.01, maxSteps: 500, maxStep: 1 };
  t.deepEqual(await manifestOf('fixed.safetensors'), { kind: 'rk4', steps: 20 });
  t.deepEqual(await manifestOf('fixed.safetensors --steps 7'), { kind: 'rk4', steps: 7 });
  t.deepEqual(await manifestOf('fixed.safetensors --rtol 1e-3'), dopri5({ rtol: 1e-3 }));
  t.deepEqual(await manifestOf('adaptive.safetensors'), stored);
  t.deepEqual(await manifestOf('adaptive.safetensors --atol 0'), { ...stored, atol: 0 });
  t.deepEqual(await manifestOf('adaptive.safetensors --rtol 1e-3'), dopri5({ rtol: 1e-3, maxSteps: 500 }));
  t.deepEqual(await manifestOf('adaptive.safetensors --integrator rk4'), { kind: 'rk4', steps: 20 });
});

test('steps that are used up end the command with the sample, the time and advice', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'm.safetensors'), model());
  const line = 'sample m.safetensors -n 100 --first 500 --out s.npz --quiet --rtol 1e-8 --max-steps 4';
  const { code, stderr } = await equiflow(folder, line.split(' '));
  t.is(code, 65);
  t.regex(
    stderr,
    /sample 5\d\d: integration stopped at t = 0\.\d+ in step 4, .*all 4 steps are used up: raise the tolerances/,
  );
});

test('training a model with adaptive steps is refused, with what to do instead', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'm.safetensors'), model(dopri5()));
  await succeeds(t, folder, 'sample m.safetensors -n 100 --out s.npz --quiet');
  const line = 'train dw4 --data s.npz --init m.safetensors --steps 3 --out trained.safetensors --quiet';
  const { code, stderr } = await equiflow(folder, line.split(' '));
  t.is(code, 2);
  t.regex(stderr, /the model's integrator is dopri5, .*train with rk4 and choose dopri5 when sampling/);
});
