import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { encodeNpy } from '../../src/formats/index.js';
import { equiflow, ownFolder, succeeds } from './command-line.js';

const FORMATS = ['set', 'set.npz', 'set.h5'];
const N = 8;

/** A folder with models of two and four particles and a set of eight samples in every format. */
async function prepared(t: ExecutionContext): Promise<string> {
  const folder = await ownFolder(t);
  const vector = (data: number[]) => encodeNpy({ shape: [data.length], data: Float64Array.from(data) });
  const zeros = new Array<number>(N).fill(0);
  const write = (name: string, bytes: Uint8Array) => writeFile(join(folder, name), bytes);
  await write(
    'x.npy',
    encodeNpy({ shape: [2, 4, 2], data: Float64Array.from({ length: 16 }, (_, i) => Math.sin(3 * i)) }),
  );
  await write('none.npy', encodeNpy({ shape: [0, 4, 2], data: new Float64Array(0) }));
  await write('empty.npy', vector([]));
  await write('nan.npy', vector(zeros.with(3, Number.NaN).with(6, Number.NaN)));
  await write('inf.npy', vector(zeros.with(0, Number.POSITIVE_INFINITY).with(5, Number.POSITIVE_INFINITY)));
  await write('minus-inf.npy', vector(zeros.with(4, Number.NEGATIVE_INFINITY)));
  await succeeds(t, folder, 'train dw4 --data x.npy --steps 0 --out m.safetensors --quiet');
  await succeeds(t, folder, 'simulate dw2 -n 8 --warm-up 10 --out two.npz --quiet');
  await succeeds(t, folder, 'train dw2 --data two.npz --steps 0 --out m2.safetensors --quiet');
  for (const name of FORMATS) await succeeds(t, folder, `sample m.safetensors -n ${N} --out ${name} --quiet`);
  return folder;
}

test.serial(
  'energies of a user: NaN are counted and located, +Inf are weights of zero, whatever the set is stored in',
  async (t) => {
    const folder = await prepared(t);
    for (const name of FORMATS) {
      const refused = async (options: string, message: RegExp) => {
        const { code, stdout, stderr } = await equiflow(folder, `reweight ${name} ${options}`.split(' '));
        t.is(code, 65, stderr);
        t.regex(stderr, message);
        t.is(stdout, '');
      };
      await refused('--energy nan.npy', /: 2 of 8 log-weights are NaN or \+Inf, the first is NaN at index 3;/);
      await refused('--log-q nan.npy', /: 2 of 8 log-weights are NaN or \+Inf, the first is NaN at index 3;/);
      await refused(
        '--energy minus-inf.npy',
        /: 1 of 8 log-weights are NaN or \+Inf, the first is Infinity at index 4;/,
      );
      await refused('--energy empty.npy', /empty\.npy has 0 energies|0 energies and 8 log-densities/);
      const { zeroWeights, n } = JSON.parse(await succeeds(t, folder, `reweight ${name} --energy inf.npy --json`));
      t.deepEqual([zeroWeights, n], [2, N]);
    }
  },
);

test.serial('one sample is a set, and no set is trusted for it; no sample is an error', async (t) => {
  const folder = await prepared(t);
  for (const name of ['one', 'one.npz', 'one.h5']) {
    await succeeds(t, folder, `sample m.safetensors -n 1 --out ${name} --quiet`);
    const { n, status, logZ } = JSON.parse(await succeeds(t, folder, `reweight ${name} --json`));
    t.is(n, 1);
    t.is(status.level, 'do-not-trust');
    t.is(logZ.standardError, null);
    await succeeds(t, folder, `export ${name} --out ${name}.extxyz`);
  }
  const refused = async (line: string, expected: number, message: RegExp) => {
    const { code, stderr } = await equiflow(folder, line.split(' '));
    t.is(code, expected, stderr);
    t.regex(stderr, message);
  };
  await refused('sample m.safetensors -n 0 --out o.h5', 2, /--count.*'0', expected an integer from 1/);
  await refused('reweight --energy empty.npy --log-q empty.npy', 65, /no entries, expected at least one sample/);
  const noConfigurations = /none\.npy: no configurations, expected at least one/;
  await refused('energy dw4 --in none.npy --out o.npy', 65, noConfigurations);
  await refused('log-prob m.safetensors --in none.npy --out o.npy', 65, noConfigurations);
  await refused('minimize dw4 --in none.npy --out o.npz', 65, noConfigurations);
  t.false((await readdir(folder)).some((name) => name.startsWith('o.') || name.startsWith('.')));
});

test.serial('a temperature of zero is refused wherever it stands', async (t) => {
  const folder = await prepared(t);
  const refused = async (line: string, expected: number, message: RegExp) => {
    const { code, stderr } = await equiflow(folder, line.split(' '));
    t.is(code, expected, stderr);
    t.regex(stderr, message);
  };
  await refused('reweight set --kT 0', 2, /--kT.*'0', expected a positive number/);
  await refused('simulate dw4 -n 4 --kT 0 --out o.npz', 2, /--kT.*'0', expected a positive number/);
  const manifest = join(folder, 'set', 'manifest.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"kT": 1', '"kT": 0'));
  await refused('reweight set', 65, /manifest\.json: kT is 0, expected a positive number/);
  const hdf5 = await readFile(join(folder, 'set.h5'));
  hdf5.write('0', hdf5.indexOf('"kT": 1') + '"kT": '.length);
  await writeFile(join(folder, 'set.h5'), hdf5);
  await refused('reweight set.h5', 65, /set\.h5: .*kT is 0, expected a positive number/);
  const model = await readFile(join(folder, 'm.safetensors'));
  model.write('0', model.indexOf('\\"kT\\":1') + '\\"kT\\":'.length);
  await writeFile(join(folder, 'cold.safetensors'), model);
  await refused('sample cold.safetensors -n 4 --out o', 65, /cold\.safetensors: .*kT/);
});

test.serial('what belongs to another number of particles is refused by both shapes', async (t) => {
  const folder = await prepared(t);
  for (const name of ['set/x.npy', 'set.npz', 'set.h5']) {
    for (const command of ['log-prob m2.safetensors', 'energy dw2', 'minimize dw2']) {
      const line = `${command} --in ${name} --out ${command.startsWith('min') ? 'o.npz' : 'o.npy'}`;
      const { code, stderr } = await equiflow(folder, line.split(' '));
      t.is(code, 65, stderr);
      t.regex(stderr, /: x has shape \[8, 4, [23]\], expected \[n, 2, 2\] or \[n, 4\]/, line);
    }
  }
});
