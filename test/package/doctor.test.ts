import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { problemsOf } from '../../src/doctor/examination.js';
import { gpuFacts, MINIMUM_NODE, nodeFacts, webAssemblyFacts } from '../../src/doctor/machine.js';
import { installedVersion, optionalPackages } from '../../src/doctor/packages.js';
import { Kernels } from '../../src/kernels/index.js';
import { VERSION } from '../../src/version.js';
import { ownFolder } from '../own-folder.js';
import { copyPackage, linkDependencies, MANIFEST, PROJECT, run } from './project.js';

const main = join('dist', 'src', 'cli', 'main.js');

test('code and manifest name the same version and the same Node.js', (t) => {
  t.is(VERSION, MANIFEST.version);
  t.is(MANIFEST.engines.node, `>=${MINIMUM_NODE.join('.')}`);
});

test('every optional dependency is looked for', (t) => {
  const names = optionalPackages().map(({ name }) => name);
  for (const name of Object.keys(MANIFEST.optionalDependencies)) t.true(names.includes(name), name);
});

test('installed packages are found by their manifest, whatever they export', async (t) => {
  const found = JSON.parse(await readFile(join(PROJECT, 'node_modules', 'piscina', 'package.json'), 'utf8'));
  t.is(installedVersion('piscina'), found.version);
  t.is(installedVersion('@equiflow/no-such-package'), null);
});

test('Node.js versions are compared by number', (t) => {
  const supported = (version: string) => nodeFacts(version).supported;
  t.deepEqual(['20.19.0', '20.100.1', '22.0.0', '100.0.0'].map(supported), [true, true, true, true]);
  t.deepEqual(['20.9.0', '18.99.0', '9.20.0'].map(supported), [false, false, false]);
});

test('relaxed SIMD is offered where sampling with it works', (t) => {
  const works = (() => {
    try {
      return new Kernels(undefined, 'relaxed') !== undefined;
    } catch {
      return false;
    }
  })();
  t.is(webAssemblyFacts().relaxedSimd, works);
});

test('GPUs are named, and their absence is explained', async (t) => {
  const list = 'GPU 0: NVIDIA A100 (UUID: GPU-1)\nGPU 1: NVIDIA H100 PCIe (UUID: GPU-2)\n';
  t.deepEqual(await gpuFacts(async () => list), { devices: ['NVIDIA A100', 'NVIDIA H100 PCIe'] });
  const failing = (facts: object) => gpuFacts(() => Promise.reject(Object.assign(new Error('Command failed'), facts)));
  t.regex((await failing({ code: 'ENOENT' })).reason!, /nvidia-smi is not on the PATH/);
  t.regex((await failing({ code: 9, stdout: 'NVIDIA-SMI has failed\nmore\n' })).reason!, /: NVIDIA-SMI has failed$/);
  t.regex((await gpuFacts(async () => '')).reason!, /no device/);
});

test('everything that the CPU path needs is a problem when it is missing, and nothing else', (t) => {
  const passed = { name: 'energies', passed: true, detail: '' };
  t.deepEqual(problemsOf(nodeFacts('20.19.0'), { simd: true, relaxedSimd: false }, [passed]), []);
  t.is(problemsOf(nodeFacts('20.18.9'), { simd: true, relaxedSimd: false }, [passed]).length, 1);
  t.is(problemsOf(nodeFacts('20.19.0'), { simd: false, relaxedSimd: false }, [passed]).length, 1);
  t.is(problemsOf(nodeFacts(), { simd: true, relaxedSimd: true }, [passed, { ...passed, passed: false }]).length, 1);
});

test('doctor passes its self-test here and ends with 0', async (t) => {
  const { code, stdout, stderr } = await run(process.execPath, [main, 'doctor', '--json'], PROJECT);
  t.is(code, 0, stderr);
  t.is(stderr, '');
  const { checks, problems } = JSON.parse(stdout);
  t.deepEqual(
    checks.map(({ name, passed }: { name: string; passed: boolean }) => [name, passed]),
    [
      ['energies', true],
      ['sampling', true],
      ['training', true],
    ],
  );
  t.deepEqual(problems, []);
});

test('doctor ends with 69 and says why where the kernels cannot be loaded', async (t) => {
  const folder = await ownFolder(t);
  await copyPackage(folder);
  await linkDependencies(folder);
  await rm(join(folder, 'dist', 'src', 'kernels', 'equiflow.wasm'));
  const { code, stdout, stderr } = await run(process.execPath, [main, 'doctor'], folder);
  t.is(code, 69);
  t.regex(stdout, /^energies +FAILED: .*equiflow\.wasm/m);
  t.regex(stderr, /^equiflow: doctor: .*equiflow\.wasm.*\n$/);
});
