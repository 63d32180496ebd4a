import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DataError, InputError, UsageError } from '../../src/errors.js';
import { initialKernelField, uniformBasis } from '../../src/fields/index.js';
import { boltzmannGenerator, continuousFlow, decodeModel, encodeModel } from '../../src/flows/index.js';
import { decodeNpy, decodeNpz, encodeNpy, readInput } from '../../src/formats/index.js';
import { parseYaml } from '../../src/formats/yaml.js';
import { rk4 } from '../../src/integrators/index.js';
import { meanFreeNormal } from '../../src/priors/index.js';
import {
  defineSystem,
  describeSystem,
  EnergyEvaluator,
  loadSystem,
  type System,
  startConfiguration,
  systemDefinition,
  systemFromDefinition,
  systemFromDescription,
  systemFromSpec,
  tabulatePair,
  tabulatePoints,
} from '../../src/systems/index.js';
import { equiflow, ownFolder, succeeds } from '../cli/command-line.js';

const YAML = `
# Two particles of species 0 between two of species 1.
name: mixture
particles: 4
dimensions: 2
species: [0, 1, 1, 0]
convention: as in the test
metropolisStep: 0.1
start: [[-1, 0], [1, 0], [0, 1.5], [0, -1.5]]
terms:
  - {kind: double-well, species: [0, 1], a: 0.9, b: -4, d0: 2}
  - kind: lennard-jones
    scale: 2
    species: [1, 1]
    epsilon: 1.5
    rMin: 1.2
  - kind: tabulated
    species: [0, 0]
    distances: [0.5, 1, 1.5, 2, 3]
    energies: [4, 1, 0.2, -0.1, 0]
    intervals: 256
  - {kind: trap, stiffness: 0.5}
`;

/** What YAML says, composed in code. */
const MIXTURE = defineSystem({
  name: 'mixture',
  particles: 4,
  dimensions: 2,
  species: [0, 1, 1, 0],
  convention: 'as in the test',
  sampling: { metropolisStep: 0.1, start: [-1, 0, 1, 0, 0, 1.5, 0, -1.5] },
  terms: [
    { kind: 'double-well', scale: 1, a: 0.9, b: -4, c: 0, d0: 2, species: [0, 1] },
    { kind: 'lennard-jones', scale: 2, epsilon: 1.5, rMin: 1.2, species: [1, 1] },
    tabulatePoints([0.5, 1, 1.5, 2, 3], [4, 1, 0.2, -0.1, 0], { intervals: 256, species: [0, 0] }).term,
    { kind: 'trap', scale: 1, stiffness: 0.5 },
  ],
});

/** One system of each kind of term, none of species, and a table of a function. */
const PLAIN = defineSystem({
  name: 'plain',
  particles: 5,
  dimensions: 3,
  convention: 'for tests',
  sampling: { metropolisStep: 0.3, start: Array.from({ length: 15 }, (_, c) => Math.sin(c + 1)) },
  terms: [tabulatePair((d) => 1 / d, { dMin: 0.3, dMax: 5, intervals: 64, scale: -1.5 }).term],
});

const read = (text: string) => systemFromDefinition(parseYaml(text, 'f'), 'f');

test('a system composed in YAML is the same composed in code', (t) => {
  const system = read(YAML);
  t.deepEqual(system, MIXTURE);
  const x = startConfiguration(system);
  t.deepEqual(new EnergyEvaluator(system).energy(x, 1), new EnergyEvaluator(MIXTURE).energy(x, 1));
});

test('JSON and YAML say the same', (t) => {
  t.deepEqual(read(JSON.stringify(parseYaml(YAML, 'f'))), MIXTURE);
  t.deepEqual(read(JSON.stringify(parseYaml(YAML, 'f'), null, 2)), MIXTURE);
});

test('a definition survives the way through JSON, bit for bit', (t) => {
  for (const system of [MIXTURE, PLAIN]) {
    t.deepEqual(systemFromDefinition(JSON.parse(JSON.stringify(systemDefinition(system))), 'f'), system);
    t.deepEqual(read(JSON.stringify(systemDefinition(system))), system);
    t.deepEqual(systemFromDescription(JSON.parse(JSON.stringify(describeSystem(system))), 'f'), system);
  }
});

test('presets are described by name, and by their whole definition once a term differs', (t) => {
  const preset = systemFromSpec('blj13:pairFactor=1');
  t.deepEqual(describeSystem(preset), { name: 'blj13', pairFactor: 1 });
  t.deepEqual(systemFromDescription(describeSystem(preset), 'f'), preset);
  const other: System = { ...preset, terms: preset.terms.slice(1) };
  t.deepEqual(describeSystem(other), systemDefinition(other));
  t.deepEqual(systemFromDescription(describeSystem(other), 'f').terms, other.terms);
});

test("a model file keeps a system of one's own, species and tables included", (t) => {
  for (const system of [MIXTURE, PLAIN]) {
    const { particles: N, dimensions: D, species } = system;
    const field = initialKernelField(N, D, uniformBasis(6, 5, 1), { seed: 1, species });
    const flow = continuousFlow(meanFreeNormal(N, D), field, rk4(4));
    const bytes = encodeModel(boltzmannGenerator(system, flow));
    const { generator } = decodeModel(bytes, 'model');
    t.deepEqual(generator.target, system);
    t.deepEqual(encodeModel(generator), bytes);
  }
});

test('what a definition leaves out has its documented default', (t) => {
  const system = read('{name: bare, particles: 9, dimensions: 2, terms: [{kind: trap, stiffness: 1}]}');
  t.deepEqual(system.species, new Array(9).fill(0));
  t.deepEqual(system.terms, [{ kind: 'trap', scale: 1, stiffness: 1 }]);
  t.is(system.sampling.metropolisStep, 0.05);
  // A square lattice of spacing 1 about the origin.
  const sites = Array.from({ length: 9 }, (_, i) => [(i % 3) - 1, Math.floor(i / 3) - 1]);
  t.deepEqual(system.sampling.start, sites.flat());
  t.deepEqual(
    read('{name: s, particles: 8, dimensions: 3, terms: [{kind: trap, stiffness: 1}]}').sampling.start.slice(0, 6),
    [-0.5, -0.5, -0.5, 0.5, -0.5, -0.5],
  );
});

/** A valid definition with some fields replaced. */
const changed = (fields: Record<string, unknown>) => {
  return {
    name: 's',
    particles: 3,
    dimensions: 2,
    species: [0, 1, 0],
    terms: [{ kind: 'trap', stiffness: 1 }],
    ...fields,
  };
};
const withTerm = (term: unknown) => changed({ terms: [{ kind: 'trap', stiffness: 1 }, term] });
const POINTS = { kind: 'tabulated', distances: [1, 2, 3, 4], energies: [1, 2, 3, 4] };
const TABLE = { kind: 'tabulated', dMin: 1, dMax: 2, values: [1, 2], slopes: [1, 1] };
const LJ = { kind: 'lennard-jones', epsilon: 1, rMin: 1 };

const REFUSED: readonly (readonly [definition: unknown, message: RegExp])[] = [
  [null, /expected a system definition/],
  [[1, 2], /expected a system definition/],
  ['text', /expected a system definition/],
  [changed({ colour: 'red' }), /unknown field "colour", expected some of name, particles/],
  [changed({ 'two\nlines': 1 }), /unknown field "two\\nlines"/],
  [changed({ name: undefined }), /name is none, expected/],
  [changed({ name: 7 }), /name is 7, expected/],
  [changed({ name: 'a b' }), /name is "a b", expected/],
  [changed({ name: 'x'.repeat(65) }), /name is "x{59}…, expected/],
  [changed({ particles: 1 }), /particles is 1, expected an integer from 2 to 10000/],
  [changed({ particles: 2.5 }), /particles is 2\.5/],
  [changed({ particles: 1e15 }), /particles is 1000000000000000/],
  [changed({ particles: '3' }), /particles is "3"/],
  [changed({ particles: Number.NaN }), /particles is NaN/],
  [changed({ dimensions: 4 }), /dimensions is 4, expected 2 or 3/],
  [changed({ dimensions: [2] }), /dimensions is \[2\]/],
  [changed({ terms: undefined }), /terms is none, expected a list/],
  [changed({ terms: { kind: 'trap' } }), /terms is .*, expected a list/],
  [changed({ terms: [] }), /number of terms 0, expected at least 1/],
  [changed({ terms: new Array(1001).fill({ kind: 'trap', stiffness: 1 }) }), /1001 terms, expected at most 1000/],
  [changed({ species: [0, 1] }), /species: \[0,1\], expected 3 numbers, one per particle, counting up from 0/],
  [changed({ species: [0, 2, 0] }), /species: .*without gaps/],
  [changed({ species: [0, 1e9, 0] }), /species: .*without gaps/],
  [changed({ species: [0, -1, 0] }), /species: .*without gaps/],
  [changed({ species: [0, 0.5, 1] }), /species: .*without gaps/],
  [changed({ species: [0, 'one', 0] }), /species: "one" at position 1, expected a finite number/],
  [changed({ species: 0 }), /species is 0, expected a list of numbers/],
  [changed({ start: [1, 2, 3] }), /start of length 3, expected 3·2 finite coordinates/],
  [changed({ start: [1, 2, 3, 4, 5, Number.POSITIVE_INFINITY] }), /start: Infinity at position 5/],
  [changed({ start: [[[1], 2, 3, 4, 5, 6]] }), /start: \[1\] at position 0/],
  [changed({ metropolisStep: 0 }), /metropolisStep 0, expected a positive number/],
  [changed({ metropolisStep: Number.POSITIVE_INFINITY }), /metropolisStep is Infinity/],
  [changed({ metropolisStep: '1' }), /metropolisStep is "1"/],
  [changed({ convention: 5 }), /convention is 5, expected a text/],
  [withTerm(5), /terms\[1\] is 5, expected a term with a kind/],
  [withTerm({}), /terms\[1\]: kind is none, expected double-well, lennard-jones, trap, tabulated/],
  [withTerm({ kind: 'gravity' }), /kind is "gravity"/],
  [withTerm({ kind: 'constructor' }), /kind is "constructor"/],
  [withTerm({ kind: '__proto__' }), /kind is "__proto__"/],
  [withTerm({ kind: 'trap' }), /terms\[1\]: stiffness is missing/],
  [withTerm({ kind: 'trap', stiffness: 1, species: [0, 1] }), /terms\[1\]: a trap has no species/],
  [
    withTerm({ ...LJ, sigma: 1 }),
    /terms\[1\]: unknown field "sigma", expected some of kind, scale, species, epsilon, rMin/,
  ],
  [withTerm({ ...LJ, epsilon: 'deep' }), /terms\[1\]: epsilon is "deep", expected a finite number/],
  [withTerm({ ...LJ, epsilon: Number.NaN }), /terms\[1\]: epsilon is NaN/],
  [withTerm({ ...LJ, epsilon: [1, 2] }), /terms\[1\]: epsilon is \[1,2\]/],
  [withTerm({ ...LJ, scale: [] }), /terms\[1\]: scale is \[\]/],
  [withTerm({ ...LJ, scale: Number.NEGATIVE_INFINITY }), /terms\[1\]: scale is -Infinity/],
  [withTerm({ ...LJ, rMin: 0 }), /terms\[1\]\.rMin 0, expected a positive number/],
  [
    withTerm({ ...LJ, species: [0, 2] }),
    /terms\[1\]\.species \[0,2\], expected two species from 0 to 1, the smaller first/,
  ],
  [withTerm({ ...LJ, species: [1, 0] }), /terms\[1\]\.species \[1,0\]/],
  [withTerm({ ...LJ, species: [0] }), /terms\[1\]\.species \[0\]/],
  [withTerm({ ...LJ, species: [0, 0, 1] }), /terms\[1\]\.species \[0,0,1\]/],
  [withTerm({ ...LJ, species: 0 }), /terms\[1\]: species is 0/],
  [withTerm({ ...LJ, species: 'all' }), /terms\[1\]: species is "all"/],
  [withTerm({ ...POINTS, distances: [1, 3, 2, 4] }), /distances positive and ascending/],
  [withTerm({ ...POINTS, distances: [0, 1, 2, 3] }), /distances positive and ascending/],
  [withTerm({ ...POINTS, energies: [1, 2, 3] }), /4 distances and 3 energies/],
  [withTerm({ ...POINTS, energies: [1, 2, Number.NaN, 4] }), /terms\[1\]: energies: NaN at position 2/],
  [withTerm({ ...POINTS, energies: undefined }), /terms\[1\]: energies is missing/],
  [withTerm({ ...POINTS, intervals: 4 }), /intervals 4, expected an integer from 8/],
  [withTerm({ ...POINTS, intervals: 1e9 }), /tables of 1000000000 intervals in all, expected at most 524288/],
  [withTerm({ ...POINTS, energies: [1e308, -1e308, 1e308, -1e308] }), /u\(1.*\) is NaN, expected a finite number/],
  [withTerm({ ...POINTS, u: 'd^2' }), /terms\[1\]: unknown field "u"/],
  [changed({ terms: new Array(300).fill(POINTS) }), /tables of 614400 intervals in all/],
  [withTerm({ ...TABLE, dMax: 1 }), /dMin, dMax 1, 1, expected positive distances/],
  [withTerm({ ...TABLE, dMin: undefined }), /terms\[1\]: dMin is none/],
  [withTerm({ ...TABLE, slopes: [1] }), /values, slopes of lengths 2, 1/],
  [withTerm({ ...TABLE, distances: [1, 2, 3, 4] }), /unknown field "distances"/],
];

test('a definition that cannot be is refused as bad data in one line that names file, field, value and what was expected', (t) => {
  t.notThrows(() => systemFromDefinition(changed({}), 'f'));
  for (const [definition, message] of REFUSED) {
    const defined = JSON.stringify(definition).slice(0, 100);
    const error = t.throws(
      () => systemFromDefinition(definition, 'my.yaml'),
      { instanceOf: DataError, message },
      defined,
    );
    t.regex(error.message, /^my\.yaml: [^\n\r]{1,300}$/);
  }
});

/** Texts that are no definitions. What makes a text no YAML, or too demanding a one, is in test/formats/yaml.test.ts. */
const TEXTS: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ['nothing', '', /expected a system definition/],
  ['open list', 'terms: [1, 2', /line 1, column \d+: not valid JSON or YAML/],
  ['bad indentation', 'a:\n  b: 1\n c: 2', /line 3, column \d+: not valid JSON or YAML/],
  ['tab', 'a:\n\tb: 1', /line 2, column \d+: not valid JSON or YAML/],
  ['key twice', 'name: a\nparticles: 2\nname: b', /line 3, column 1: the key "name" twice/],
  ['key that is a list', '? [1, 2]\n: 3', /a key that is a collection/],
  ['two documents', 'name: a\n---\nname: b', /several documents/],
  ['unknown tag', 'name: !!python/object a', /Unresolved tag/],
  ['many keys', `{${Array.from({ length: 10_000 }, (_, i) => `k${i}: 1`).join(', ')}}`, /unknown field "k0"/],
  ['zero bytes', '\0'.repeat(1000), /expected a system definition|not valid/],
];

for (const [name, text, message] of TEXTS) {
  test(`refused: ${name}`, (t) => {
    const error = t.throws(() => systemFromDefinition(parseYaml(text, 'f'), 'f'), { instanceOf: DataError, message });
    t.regex(error.message, /^f: [^\n\r]{1,300}$/);
  });
}

test('the largest systems and tables that a file may ask for are made, and no larger ones', (t) => {
  const large = (particles: number) => systemFromDefinition({ name: 's', particles, dimensions: 3, terms: [LJ] }, 'f');
  t.is(large(10_000).sampling.start.length, 30_000);
  t.throws(() => large(10_001), { instanceOf: DataError, message: /particles is 10001/ });
  const tables = (intervals: number) => {
    const seven = new Array(7).fill({ ...POINTS, intervals: 65_536 });
    return systemFromDefinition(changed({ terms: [...seven, { ...POINTS, intervals }] }), 'f');
  };
  t.is(tables(65_536).terms.length, 8);
  t.throws(() => tables(65_537), { instanceOf: DataError, message: /tables of 524289 intervals in all/ });
});

test('systems load by name or by file, and the suffix decides', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'm.yaml'), YAML);
  await writeFile(join(folder, 'm.json'), JSON.stringify(systemDefinition(MIXTURE)));
  t.deepEqual(await loadSystem(join(folder, 'm.yaml')), MIXTURE);
  t.deepEqual(await loadSystem(join(folder, 'm.json')), MIXTURE);
  t.deepEqual(await loadSystem('dw4'), systemFromSpec('dw4'));
  await t.throwsAsync(loadSystem(join(folder, 'none.yml')), { instanceOf: InputError, message: /none\.yml: .*/ });
  await t.throwsAsync(loadSystem(join(folder, 'm')), { instanceOf: UsageError });
});

test("the command line takes a system of one's own by its file", async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'm.yaml'), YAML);
  const x = startConfiguration(MIXTURE);
  await writeFile(join(folder, 'x.npy'), encodeNpy({ shape: [1, 4, 2], data: x }));
  await succeeds(t, folder, 'energy m.yaml --in x.npy --out u.npy');
  const { data } = decodeNpy(await readInput(join(folder, 'u.npy')), 'u.npy');
  t.deepEqual(data, new EnergyEvaluator(MIXTURE).energy(x, 1));
  await succeeds(t, folder, 'simulate m.yaml -n 6 --chains 2 --warm-up 200 --seed 1 --out data.npz --quiet');
  const { arrays, texts } = decodeNpz(await readInput(join(folder, 'data.npz')), 'data.npz');
  const samples = arrays.get('x');
  t.deepEqual(samples?.shape, [6, 4, 2]);
  t.deepEqual(arrays.get('energy')?.data, new EnergyEvaluator(MIXTURE).energy(samples?.data ?? new Float64Array(0), 6));
  // What the manifest says is the system itself.
  t.deepEqual(systemFromDescription(JSON.parse(texts.get('manifest.json') ?? '').system, 'manifest'), MIXTURE);
});

test('the command line refuses a malformed file with 65 and one line, and writes nothing', async (t) => {
  const folder = await ownFolder(t);
  await writeFile(join(folder, 'bad.yaml'), YAML.replace('rMin: 1.2', 'rMin: [1.2'));
  await writeFile(join(folder, 'bomb.yaml'), `${'['.repeat(20_000)}${']'.repeat(20_000)}`);
  await writeFile(join(folder, 'tag.yaml'), '? [a]\n: !x 1');
  await writeFile(join(folder, 'x.npy'), encodeNpy({ shape: [1, 4, 2], data: new Float64Array(8) }));
  for (const file of ['bad.yaml', 'bomb.yaml', 'tag.yaml']) {
    for (const line of [`energy ${file} --in x.npy --out u.npy`, `simulate ${file} -n 2 --out d.npz`]) {
      const { code, stdout, stderr } = await equiflow(folder, line.split(' '));
      t.is(code, 65, `${line}: ${stderr}`);
      t.regex(stderr, new RegExp(`^equiflow: ${file}: line \\d+, column \\d+: [^\\n]+\\n$`));
      t.is(stdout, '');
    }
  }
  t.deepEqual((await readdir(folder)).sort(), ['bad.yaml', 'bomb.yaml', 'tag.yaml', 'x.npy']);
});
