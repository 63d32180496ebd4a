import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { VERSION } from '../../src/version.js';
import { equiflow, ownFolder, succeeds } from './command-line.js';

const INTEGRATOR = ['--integrator', '--steps', '--rtol', '--atol', '--atol-log-det', '--max-steps'];

/** Every command with its options: a change here is a change of the contract. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  systems: ['--json'],
  simulate: ['--count', '--seed', '--out', '--chains', '--warm-up', '--stride', '--step-size', '--kT', '--workers'],
  train: [
    ...['--data', '--out', '--field', '--hidden', '--seed', '--steps', '--batch', '--learning-rate', '--weight-decay'],
    ...['--patience', '--validation', '--split', '--integrator-steps', '--prior-scale', '--kT', '--precision'],
    ...['--resume', '--workers', '--quiet', '--json'],
  ],
  sample: [
    ...['--count', '--seed', '--first', '--out', '--precision', '--verify', '--workers', '--quiet', '--json'],
    ...INTEGRATOR,
  ],
  'log-prob': ['--in', '--out', '--precision', '--workers', '--quiet', '--json', ...INTEGRATOR],
  energy: ['--in', '--out', '--gradient'],
  reweight: ['--kT', '--energy', '--log-q', '--json'],
  minimize: ['--in', '--out', '--workers', '--quiet', '--json'],
  paper: ['--out', '--seed', '--claim-seeds', '--workers', '--quiet'],
};

for (const [command, options] of Object.entries(COMMANDS)) {
  test(`${command} --help names and explains every option`, async (t) => {
    const { code, stdout, stderr } = await equiflow('.', [command, '--help']);
    t.is(code, 0);
    t.is(stderr, '');
    t.true(stdout.startsWith(`Usage: equiflow ${command}`));
    for (const option of options) t.regex(stdout, new RegExp(`${option}( [<[]\\S+)?\\s+\\S`), option);
  });
}

test('--help names every command and every exit code', async (t) => {
  const { code, stdout, stderr } = await equiflow('.', ['--help']);
  t.is(code, 0);
  t.is(stderr, '');
  for (const command of Object.keys(COMMANDS)) t.regex(stdout, new RegExp(`^ {2}${command} `, 'm'));
  for (const exitCode of [0, 2, 65, 66, 69, 70, 73, 74, 75]) t.regex(stdout, new RegExp(`\\b${exitCode} \\w`));
});

test('--version is the manifest’s', async (t) => {
  const { code, stdout } = await equiflow('.', ['--version']);
  const manifest = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  t.is(code, 0);
  t.is(stdout, `${manifest.version}\n`);
  t.is(VERSION, manifest.version);
});

test('without a command the usage is shown and the exit code is 2', async (t) => {
  const { code, stdout, stderr } = await equiflow('.', []);
  t.is(code, 2);
  t.is(stdout, '');
  t.true(stderr.startsWith('Usage: equiflow'));
});

test.serial('--json prints one JSON document and nothing else', async (t) => {
  const folder = await ownFolder(t);
  const result = async (line: string) => JSON.parse(await succeeds(t, folder, line));
  const systems: { name: string }[] = await result('systems --json');
  for (const name of ['dw2', 'dw4', 'lj13', 'lj55'])
    t.true(
      systems.some((system) => system.name === name),
      name,
    );
  const simulated = await result('simulate dw2 -n 64 --warm-up 100 --out x.npz --json');
  t.deepEqual([simulated.n, simulated.chains, simulated.kT], [64, 64, 1]);
  const trained = await result('train dw2 --data x.npz --out m.safetensors --steps 2 --json');
  t.deepEqual([trained.steps, trained.stepsDone], [2, 2]);
  t.is((await result('sample m.safetensors -n 10 --out s.npz --json')).n, 10);
  t.is((await result('log-prob m.safetensors --in s.npz --out q.npy --json')).n, 10);
  t.is((await result('minimize dw2 --in s.npz --out minima.npz --json')).n, 10);
  // Ten samples give no error bar and no k̂: JSON has null for what does not exist.
  const weights = await result('reweight s.npz --json');
  t.is(weights.n, 10);
  t.is(weights.khat, null);
  t.is(weights.status.level, 'do-not-trust');

  await succeeds(t, folder, 'energy dw2 --in s.npz --out u.npy --gradient g.npy');
  const stored = await result(`reweight --energy u.npy --log-q ${join(folder, 's.npz')} --json`);
  t.deepEqual(stored, weights);
});
