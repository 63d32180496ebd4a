import test from 'ava';
import { UsageError } from '../../src/errors.js';
import {
  defineSystem,
  listSystems,
  type System,
  type SystemSpec,
  systemFromSpec,
  systemSpec,
} from '../../src/systems/index.js';

test('text and object specifications build the same system', (t) => {
  t.deepEqual(systemFromSpec('dw2:dimensions=3'), systemFromSpec({ name: 'dw2', dimensions: 3 }));
  t.deepEqual(systemFromSpec('lj13:pairFactor=2'), systemFromSpec({ name: 'lj13', pairFactor: 2 }));
  t.is(systemFromSpec('dw2').dimensions, 2);
  t.is(systemFromSpec(' lj55 : pairFactor = 0.5 '.trim()).terms[0].scale, 0.5);
});

test('a specification survives the way through JSON', (t) => {
  for (const { variants } of listSystems()) {
    for (const { spec, system } of variants) {
      const read: SystemSpec = JSON.parse(JSON.stringify(systemSpec(system)));
      t.deepEqual(systemFromSpec(read), system);
      t.deepEqual(systemFromSpec(spec), system);
    }
  }
});

test('pairFactor has no default and the refusal says why', (t) => {
  for (const name of ['lj13', 'lj55']) {
    const error = t.throws(() => systemFromSpec(name), { instanceOf: UsageError });
    t.regex(error.message, /pairFactor is missing.*use 2 .*iDEM.*bgflow.*use 1/);
    t.is(error.exitCode, 2);
  }
});

const REFUSED: [string | SystemSpec, RegExp][] = [
  ['dw5', /unknown name 'dw5'.*dw2, dw4, lj13, lj55/],
  ['', /unknown name ''/],
  ['dw4:pairFactor=2', /unknown option 'pairFactor'.*no options/],
  ['lj13:pairfactor=2', /unknown option 'pairfactor'.*pairFactor/],
  ['lj13:pairFactor=0', /pairFactor 0, expected a positive number/],
  ['lj13:pairFactor=-1', /pairFactor -1/],
  ['lj13:pairFactor=Infinity', /pairFactor/],
  ['lj13:pairFactor=two', /pairFactor "two"/],
  ['lj13:pairFactor', /cannot read 'pairFactor'/],
  ['lj13:', /cannot read ''/],
  ['lj13:pairFactor=1,pairFactor=2', /given twice/],
  ['dw2:dimensions=4', /dimensions 4, expected 2 or 3/],
  [{ name: 'lj13', pairFactor: '2' }, /pairFactor "2"/],
  [{} as SystemSpec, /expected an object with a name/],
  [null as unknown as SystemSpec, /expected an object with a name/],
];

for (const [spec, message] of REFUSED) {
  test(`refused, naming what exists: ${JSON.stringify(spec)}`, (t) => {
    t.throws(() => systemFromSpec(spec), { instanceOf: UsageError, message });
  });
}

test('a system that its specification would not rebuild has none', (t) => {
  const dw4 = systemFromSpec('dw4');
  const stiffer: System = { ...dw4, terms: [{ ...dw4.terms[0], scale: 2 }] };
  const own: System = { ...dw4, name: 'mine' };
  const bare: System = { ...systemFromSpec('lj13:pairFactor=2'), options: {} };
  for (const system of [stiffer, own, bare]) {
    t.throws(() => systemSpec(system), { instanceOf: UsageError, message: /not a preset/ });
  }
});

test('the conventions state the pair factor', (t) => {
  t.regex(systemFromSpec('lj13:pairFactor=2').convention, /pairFactor = 2/);
  t.regex(systemFromSpec('lj55:pairFactor=1').convention, /pairFactor = 1/);
});

test('a definition is refused where a field is wrong', (t) => {
  const good = {
    name: 'mine',
    particles: 3,
    dimensions: 2,
    terms: [{ kind: 'trap', scale: 1, stiffness: 1 }],
    convention: '',
    sampling: { metropolisStep: 1, start: [0, 0, 1, 0, 0, 1] },
  } as const;
  t.deepEqual(defineSystem(good).species, [0, 0, 0]);
  const bad: [object, RegExp][] = [
    [{ particles: 1 }, /particles 1/],
    [{ dimensions: 4 }, /dimensions 4/],
    [{ name: 'two words' }, /system name 'two words', expected 1 to 64 letters/],
    [{ species: [0, 1] }, /species of length 2, expected 3/],
    [{ species: [0, 2, 0] }, /species \[0,2,0\], expected numbers counting up from 0 without gaps/],
    [{ terms: [] }, /terms/],
    [{ terms: [{ kind: 'trap', scale: 1, stiffness: Number.NaN }] }, /terms\[0\]\.stiffness NaN/],
    [{ terms: [{ kind: 'lennard-jones', scale: 1, epsilon: 1, rMin: 0 }] }, /terms\[0\]\.rMin 0/],
    [{ sampling: { metropolisStep: 0, start: good.sampling.start } }, /metropolisStep 0/],
    [{ sampling: { metropolisStep: 1, start: [0] } }, /start of length 1, expected 3·2/],
  ];
  for (const [change, message] of bad) {
    t.throws(() => defineSystem({ ...good, ...change }), { instanceOf: UsageError, message });
  }
});
