import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { encodeNpy, encodeNpz } from '../../src/formats/index.js';
import { contents, equiflow, ownFolder, succeeds } from './command-line.js';

/** A command line that must be refused, its exit code, and what its one line of error has to say. */
type Case = readonly [line: string, code: number, message: RegExp];

const USAGE: readonly Case[] = [
  ['simulate nothing -n 4 --out o.npz', 2, /unknown name 'nothing', expected one of dw2, dw4, lj13, lj55/],
  ['simulate lj13 -n 4 --out o.npz', 2, /pairFactor is missing, expected a positive number, as in lj13:pairFactor=2/],
  ['simulate dw2:dimensions=4 -n 4 --out o.npz', 2, /dw2: dimensions 4, expected 2 or 3/],
  ['simulate dw4:pairs=2 -n 4 --out o.npz', 2, /dw4: unknown option 'pairs', expected none/],
  ['simulat dw4 -n 4 --out o.npz', 2, /unknown command 'simulat'.*simulate/],
  ['simulate dw4 -n 4 --out o.npz --colour red', 2, /unknown option '--colour'/],
  ['simulate dw4 -n 4', 2, /required option '--out <path>' not specified/],
  ['simulate dw4 --out o.npz', 2, /required option '-n, --count <integer>' not specified/],
  ['simulate -n 4 --out o.npz', 2, /missing required argument 'system'/],
  ['simulate dw4 more -n 4 --out o.npz', 2, /too many arguments.*Expected 1 argument but got 2/],
  ['simulate dw4 -n four --out o.npz', 2, /--count.*'four', expected an integer from 1/],
  ['simulate dw4 -n 0 --out o.npz', 2, /--count.*'0', expected an integer from 1/],
  ['simulate dw4 -n 4 --seed 1.5 --out o.npz', 2, /--seed.*'1.5', expected an integer from 0 to 4294967295/],
  ['simulate dw4 -n 4 --kT -1 --out o.npz', 2, /--kT.*'-1', expected a positive number/],
  ['simulate dw4 -n 4 --chains 5 --out o.npz', 2, /chains is 5, expected an integer from 1 to 4/],
  ['train dw4 --data x.npy --out o.safetensors --weight-decay light', 2, /--weight-decay.*'light', expected/],
  [
    'train dw4 --data x.npy --out o.safetensors --validation 1',
    2,
    /--validation.*'1', expected a number between 0 and/,
  ],
  ['train dw4 --data x.npy --out o.safetensors --ema 1', 2, /--ema.*'1', expected a number from 0 to below 1/],
  ['train dw4 --data x.npy --out o.safetensors --energy-cap high', 2, /--energy-cap.*'high', expected a number/],
  [
    'train dw4 --data x.npy --out o.safetensors --kl-share 0,2',
    2,
    /--kl-share.*'0,2', expected two numbers from 0 to 1/,
  ],
  ['train dw4 --data x.npy --out o.safetensors --field wavelet', 2, /--field.*'wavelet'.*kernel, dense/],
  ['simulate dw4 -n 4 --out o.h5', 2, /--out.*'o\.h5', expected a name that ends in \.npz/],
  ['minimize dw4 --in x.npy --out o.npy', 2, /--out.*'o\.npy', expected a name that ends in \.npz/],
  ['energy dw4 --in x.npy --out -', 2, /--out.*'-', expected a name that ends in \.npy/],
  ['energy dw4 --in x.npy --out o.npy --gradient g', 2, /--gradient.*'g', expected a name that ends in \.npy/],
  ['train dw4 --data x.npy --out o.safetensors --hidden 4', 2, /--hidden does nothing here, expected --field dense/],
  [
    'train dw4 --data x.npy --out o.safetensors --field dense --time-width 1',
    2,
    /--time-width does nothing here, expected --field kernel/,
  ],
  [
    'train dw4 --data x.npy --out o.safetensors --coupling-group 4',
    2,
    /--coupling-group does nothing here, expected --coupling minibatch-ot or equivariant-ot/,
  ],
  [
    'train dw4 --data x.npy --out o.safetensors --energy-cap 9',
    2,
    /--energy-cap does .*, expected a --kl-share above 0/,
  ],
  [
    'train dw4 --data x.npy --out o.safetensors --kl-estimator total --kl-share 0,0',
    2,
    /--kl-estimator does .*, expected a --kl-share above 0/,
  ],
  ['sample m.safetensors -n 4 --out o.npz --precision f16', 2, /--precision.*'f16'.*f32, f64/],
  ['sample m.safetensors -n 4 --out o.npz --integrator euler', 2, /--integrator.*'euler'.*rk4, dopri5/],
  ['sample m.safetensors -n 4 --out o.npz --rtol 0', 2, /--rtol.*'0', expected a positive number/],
  ['sample m.safetensors -n 4 --out o.npz --verify some', 2, /--verify.*'some', expected an integer/],
  ['sample m.safetensors -n 4 --out o.npz --steps 3 --rtol 1e-3', 2, /--rtol belongs to --integrator dopri5/],
  [
    'log-prob m.safetensors --in x.npy --out o.npy --integrator dopri5 --steps 3',
    2,
    /--steps belongs to --integrator rk4/,
  ],
  [
    'log-prob m.safetensors --in x.npy --out o.npy --integrator rk4 --max-steps 3',
    2,
    /--max-steps belongs to .* dopri5/,
  ],
  [
    'log-prob m.safetensors --in x.npy --out o.npy --rtol 2',
    2,
    /integrator: rtol is 2, expected a number between 0 and 1/,
  ],
  ['reweight s.npz --kT 0', 2, /--kT.*'0', expected a positive number/],
  ['reweight s.npz --observable mass', 2, /coordinate 'mass', expected one of energy/],
  ['reweight s.npz --profile rg:few', 2, /'rg:few', expected coordinate\[:bins/],
  ['reweight s.npz --states rg<2', 2, /only 'rg<2', expected two or more/],
  ['reweight s.npz --system dw4 --energy three.npy', 2, /cannot be used with/],
  ['reweight s.npz --out o.csv', 2, /nothing to write, expected a --profile/],
  ['reweight s.npz --observable a-b=three.npy', 2, /a-b=three\.npy: name 'a-b', expected letters, digits and/],
  ['reweight s.npz --profile energy:4:0,1:0.5', 2, /profile energy: reference 0\.5 lies in an empty bin/],
  ['export s.npz --out o.txt', 2, /--out o\.txt, expected a name that ends in \.extxyz/],
  ['export s.npz --resample 4 --first 2 --out o.npz', 2, /--resample draws from all samples, so --first/],
  ['export s.npz --symbols Ar,7 --out o.xyz', 2, /--symbols.*'Ar,7', expected symbols/],
  ['export s.npz --seed 4 --out o.xyz', 2, /--seed does nothing here, expected --resample/],
  ['export s.npz --symbols Ar --out o.npz', 2, /--symbols with --out o\.npz, expected a name that ends in \.extxyz/],
  ['report m.safetensors --profile rg --out o.html', 2, /--profile is about samples, and m\.safetensors is a training/],
  ['free-energy s.npz --target none.yaml@2', 66, /cannot read none\.yaml/],
  ['free-energy --energies matrix.npy --counts 4,4 --observable rg', 2, /--observable rg: expected name=path\.npy/],
  ['free-energy', 2, /give files of samples, or --work, or --energies/],
  ['free-energy s.npz', 2, /one ensemble, expected two or more/],
  ['free-energy s.npz s.npz', 2, /s\.npz: samples of a flow.*give it with --model/],
  ['free-energy --energies x.npy', 2, /--energies and --counts: expected both/],
  ['free-energy --energies x.npy --counts 1,two', 2, /--counts.*'1,two', expected integers/],
  ['free-energy s.npz --target dw4@0', 2, /--target dw4@0: kT '0', expected a positive number/],
  ['free-energy --reverse three.npy s.npz --target dw4', 2, /--reverse: expected --work/],
  ['reweight', 2, /give a sample set, or --log-q with --energy or --system/],
];

const FILES: readonly Case[] = [
  ['train dw4 --data none.npz --out o.safetensors', 66, /cannot read none\.npz: no such file/],
  ['train dw4 --data x.npy --out o.safetensors --resume', 66, /o\.safetensors\.checkpoint: no checkpoint to resume/],
  ['sample none.safetensors -n 4 --out o.npz', 66, /cannot read none\.safetensors: no such file/],
  ['log-prob m.safetensors --in none.npy --out o.npy', 66, /cannot read none\.npy: no such file/],
  ['energy dw4 --in folder --out o.npy', 66, /cannot read folder: it is a folder/],
  ['minimize dw4 --in none.npy --out o.npz', 66, /cannot read none\.npy: no such file/],
  ['free-energy --work none.npy', 66, /cannot read none\.npy: no such file/],
  ['report none', 66, /cannot read none: no such file/],
  ['reweight none', 66, /cannot read none: no such file/],
];

const DATA: readonly Case[] = [
  ['energy dw2 --in x.npy --out o.npy', 65, /x\.npy: x has shape .*3, 4, 2.*, expected \[n, 2, 2\] or \[n, 4\]/],
  ['train dw2 --data x.npy --out o.safetensors', 65, /x\.npy: x has shape .*, expected \[n, 2, 2\] or \[n, 4\]/],
  ['log-prob m2.safetensors --in x.npy --out o.npy', 65, /x\.npy: x has shape .*, expected \[n, 2, 2\] or \[n, 4\]/],
  ['energy dw4 --in nan.npy --out o.npy', 65, /nan\.npy: x is NaN at sample 1, particle 2, axis y, expected a finite/],
  ['train dw4 --data nan.npy --out o.safetensors', 65, /nan\.npy: x is NaN at sample 1, particle 2, axis y/],
  ['log-prob m.safetensors --in nan.npy --out o.npy', 65, /nan\.npy: x is NaN at sample 1, particle 2, axis y/],
  ['minimize dw4 --in nan.npy --out o.npz', 65, /nan\.npy: x is NaN at sample 1, particle 2, axis y/],
  ['energy dw4 --in none-in-it.npy --out o.npy', 65, /none-in-it\.npy: no configurations, expected at least one/],
  ['energy dw4 --in short.npy --out o.npy', 65, /short\.npy: truncated: expected 320 bytes .* found 319/],
  ['energy dw4 --in empty --out o.npy', 65, /empty: neither a \.npy, \.npz, HDF5 nor \.xyz file: it is empty/],
  ['energy dw4 --in flipped.npz --out o.npy', 65, /flipped\.npz: .*(CRC|checksum)/i],
  ['reweight flipped.npz', 65, /flipped\.npz: .*(CRC|checksum)/i],
  ['reweight flipped', 65, /flipped: 'energy' is not what was written: its SHA-256 is \w+, the manifest has \w+/],
  ['reweight folder', 65, /folder: no manifest\.json/],
  ['reweight run', 65, /run: a run in shards, expected its result: equiflow merge --plan run --out <path>/],
  ['export m.safetensors --out o.xyz', 65, /m\.safetensors: no sample set, expected a \.npz, HDF5 or a folder of/],
  ['report record.jsonl', 65, /record\.jsonl: line 2 is not JSON/],
  ['report flipped', 65, /flipped: 'energy' is not what was written/],
  ['reweight s.npz --energy short.npy', 65, /short\.npy: truncated/],
  ['reweight s.npz --energy x.npy', 65, /x\.npy: shape .*, expected \[n\]/],
  ['reweight s.npz --system dw2', 65, /s\.npz: x has shape .*, expected \[n, 2, 2\] for dw2/],
  ['reweight s.npz --observable mine=three.npy', 65, /mine: 3 values, expected 8/],
  ['free-energy x.npz x.npz', 65, /x\.npz: no manifest of a simulation or a sample set: give arrays/],
  ['free-energy --energies x.npy --counts 1,2', 65, /x\.npy: shape \[3,4,2\], expected \[2, n\]/],
  ['free-energy --energies matrix.npy --counts 1,2', 65, /matrix\.npy: 8 samples, expected 3/],
  ['reweight s.npz --energy three.npy', 65, /three\.npy has 3 energies, s\.npz 8 log-densities/],
  ['sample short.safetensors -n 4 --out o.npz', 65, /short\.safetensors: .*(truncated|expected)/],
  ['sample x.npy -n 4 --out o.npz', 65, /x\.npy: no safetensors file: its first 8 bytes/],
  ['sample strange.safetensors -n 4 --out o.npz', 65, /strange\.safetensors: .*'dw9'/],
  ['log-prob m.safetensors --in huge.npy --out o.npy --quiet', 65, /sample 1: log q is (NaN|-Infinity)/],
];

const OUTPUTS: readonly Case[] = [
  ['simulate dw4 -n 4 --out none/o.npz', 73, /cannot write none\/o\.npz: no folder .*none/],
  ['train dw4 --data x.npy --out none/o.safetensors', 73, /cannot write none\/o\.safetensors: no folder/],
  ['report s.npz --out none/r.html', 73, /cannot write none\/r\.html: no folder/],
  ['sample m.safetensors -n 4 --out folder.npz', 73, /cannot write folder\.npz: it is a folder, expected a file/],
  [
    'sample m.safetensors -n 4 --out folder',
    73,
    /cannot write folder: the folder holds other files, expected an empty/,
  ],
  ['sample m.safetensors -n 4 --out none/o', 73, /cannot write none\/o: no folder/],
  ['sample m.safetensors -n 4 --out x.npy', 73, /cannot write x\.npy: it is not a folder/],
  ['log-prob m.safetensors --in x.npy --out none/o.npy', 73, /cannot write none\/o\.npy: no folder/],
  ['train dw4 --data x.npy --out /dev/null', 73, /cannot write \/dev\/null: it is a device or pipe/],
  ['train dw4 --data x.npy --out -', 73, /cannot write -: results are files/],
  ['sample m.safetensors -n 4 --out -', 73, /cannot write -: results are files/],
  ['energy dw4 --in x.npy --out o.npy --gradient none/g.npy', 73, /cannot write none\/g\.npy: no folder/],
  ['minimize dw4 --in x.npy --out none/o.npz', 73, /cannot write none\/o\.npz: no folder/],
  ['paper --out folder', 73, /cannot write folder: the folder holds other files/],
  ['paper --out x.npy/paper', 73, /cannot write x\.npy\/paper: /],
];

for (const [name, cases] of Object.entries({ usage: USAGE, files: FILES, data: DATA, outputs: OUTPUTS })) {
  test.serial(`${name}: bad input ends with its exit code, one line that names it, and no trace`, async (t) => {
    const folder = await ownFolder(t);
    await prepare(folder, (line) => succeeds(t, folder, line));
    const before = await contents(folder);
    for (const [line, expected, message] of cases) {
      const { code, stdout, stderr } = await equiflow(folder, line.split(' '));
      t.is(code, expected, `${line}: ${stderr}`);
      t.regex(stderr, /^equiflow: [^\n]+\n$/, line);
      t.regex(stderr, message, line);
      t.is(stdout, '', line);
    }
    t.deepEqual([...(await contents(folder)).keys()], [...before.keys()]);
    t.false((await readdir(folder)).some((entry) => entry.endsWith('.tmp')));
  });
}

/** Good files, and what becomes of them. */
async function prepare(folder: string, run: (line: string) => Promise<string>): Promise<void> {
  const write = (name: string, bytes: Uint8Array) => writeFile(join(folder, name), bytes);
  const x = Float64Array.from({ length: 24 }, (_, i) => Math.sin(3 * i));
  const configurations = (data: Float64Array) => encodeNpy({ shape: [data.length / 8, 4, 2], data });
  await write('x.npy', configurations(x));
  await write('x.npz', encodeNpz(new Map([['x', { shape: [3, 4, 2], data: x }]])));
  await write('nan.npy', configurations(x.with(8 + 2 * 2 + 1, Number.NaN)));
  await write('huge.npy', configurations(x.with(8, 1e200)));
  await write('none-in-it.npy', configurations(new Float64Array(0)));
  await write('short.npy', configurations(x).slice(0, -1));
  await write('record.jsonl', Buffer.from('{"step": 1, "loss": 2}\n{"step"\n{"step": 3}\n'));
  await write('matrix.npy', encodeNpy({ shape: [2, 8], data: x.slice(0, 16) }));
  await write('three.npy', encodeNpy({ shape: [3], data: x.slice(0, 3) }));
  await write('empty', new Uint8Array(0));
  await mkdir(join(folder, 'folder'));
  await mkdir(join(folder, 'folder.npz'));
  await write('folder/foreign', new Uint8Array(8));

  await run('simulate dw2 -n 8 --warm-up 10 --out two.npz --quiet');
  await run('train dw2 --data two.npz --steps 0 --out m2.safetensors --quiet');
  await run('train dw4 --data x.npy --steps 0 --out m.safetensors --quiet');
  await run('sample m.safetensors -n 8 --out s.npz --quiet');
  await run('sample m.safetensors -n 8 --out flipped --quiet');
  await run('plan sample m.safetensors -n 8 --shards 2 --out run');
  const flip = async (from: string, to: string, at: (bytes: Buffer) => number) => {
    const bytes = await readFile(join(folder, from));
    bytes[at(bytes)] ^= 0x10;
    await write(to, bytes);
  };
  // In the middle of the largest member, which is the positions.
  await flip('s.npz', 'flipped.npz', (bytes) => bytes.lastIndexOf('NUMPY') + 200);
  await flip('flipped/energy.npy', 'flipped/energy.npy', (bytes) => bytes.length - 3);
  const model = await readFile(join(folder, 'm.safetensors'));
  await write('short.safetensors', model.subarray(0, -1));
  // Of equal length, so that only the name is wrong.
  const named = model.indexOf('\\"name\\":\\"dw4\\"');
  await write('strange.safetensors', renamed(model, named));
}

function renamed(model: Buffer, at: number): Buffer {
  const wrong = Buffer.from(model);
  wrong.write('dw9', at + '\\"name\\":\\"'.length);
  return wrong;
}
