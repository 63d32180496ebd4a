// What the parsers refuse, the command line refuses with 65 and one line, leaving nothing behind.

import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type fc from 'fast-check';
import { decodeModel } from '../../src/flows/index.js';
import { decodeNpy, decodeNpz, encodeNpy } from '../../src/formats/index.js';
import { parseYaml } from '../../src/formats/yaml.js';
import { systemFromDefinition } from '../../src/systems/index.js';
import { equiflow, ownFolder } from '../cli/command-line.js';
import { mutated } from './mutations.js';
import { MODEL_SEEDS, NPY_SEEDS, NPZ_SEEDS, YAML_SEEDS } from './seeds.js';
import { refusedInputs } from './survival.js';

/** Files of each format, each a process of its own. */
const FILES = 8;

interface Case {
  readonly inputs: fc.Arbitrary<Uint8Array>;
  readonly parse: (bytes: Uint8Array) => unknown;
  /** A command line that reads the file. */
  readonly line: (file: string) => string;
}

const CASES: Record<string, Case> = {
  npy: {
    inputs: mutated(NPY_SEEDS),
    parse: (bytes) => decodeNpy(bytes, 'f'),
    line: (file) => `energy dw4 --in ${file} --out o.npy`,
  },
  npz: {
    inputs: mutated(NPZ_SEEDS),
    parse: (bytes) => decodeNpz(bytes, 'f'),
    line: (file) => `reweight ${file}`,
  },
  safetensors: {
    inputs: mutated(MODEL_SEEDS),
    parse: (bytes) => decodeModel(bytes, 'f'),
    line: (file) => `sample ${file} -n 4 --out o.npz`,
  },
  yaml: {
    inputs: mutated(YAML_SEEDS),
    parse: (bytes) => systemFromDefinition(parseYaml(new TextDecoder().decode(bytes), 'f'), 'f'),
    line: (file) => `energy ${file} --in x.npy --out o.npy`,
  },
};

for (const [format, { inputs, parse, line }] of Object.entries(CASES)) {
  test(`damaged ${format} files end with 65, one line of error and no output`, async (t) => {
    const folder = await ownFolder(t);
    await writeFile(join(folder, 'x.npy'), encodeNpy({ shape: [1, 4, 2], data: new Float64Array(8) }));
    const files = refusedInputs(inputs, FILES, parse).map((bytes, i) => ({ name: `f${i}.${format}`, bytes }));
    t.is(files.length, FILES);
    for (const { name, bytes } of files) await writeFile(join(folder, name), bytes);
    const before = await readdir(folder);
    for (const { name } of files) {
      const { code, stdout, stderr } = await equiflow(folder, line(name).split(' '));
      t.is(code, 65, `${name}: ${stderr}`);
      t.regex(stderr, new RegExp(`^equiflow: ${name}: [^\\n\\r]+\\n$`));
      t.is(stdout, '');
    }
    t.deepEqual(await readdir(folder), before);
  });
}
