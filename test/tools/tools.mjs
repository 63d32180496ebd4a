/*
 * NumPy, h5py, MDAnalysis and ASE open what the command line writes and find the same numbers, and we open what they write.
 * Needs Python and its package index, so it is a stage of its own: npm run test:tools. Without them it says so and passes.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pairDistributions } from '../../dist/src/analysis/index.js';
import { encodeNpy, readConfigurations } from '../../dist/src/formats/index.js';
import { ownPython } from '../python.mjs';

const PACKAGES = ['numpy==2.4.6', 'h5py==3.16.0', 'MDAnalysis==2.11.0', 'ase==3.29.0'];
const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const SCRIPT = fileURLToPath(new URL('tools.py', import.meta.url));

/** A planar system, one in space, and one of two species; what Python is to find is made by these. */
const SYSTEMS = { dw4: 'dw4', lj13: 'lj13:pairFactor=2', blj13: 'blj13:pairFactor=2' };

const folder = mkdtempSync(join(tmpdir(), 'equiflow-tools-'));

function equiflow(line) {
  try {
    return execFileSync(process.execPath, [MAIN, ...line.split(' ')], { cwd: folder, stdio: 'pipe' }).toString();
  } catch (error) {
    throw new Error(`equiflow ${line}: ${error.stderr}`);
  }
}

/** Everything that we write, for each system. */
function write() {
  for (const [name, system] of Object.entries(SYSTEMS)) {
    equiflow(`simulate ${system} -n 400 --chains 20 --warm-up 300 --seed 1 --out ${name}-data.npz --quiet`);
    equiflow(`train ${system} --data ${name}-data.npz --steps 3 --batch 32 --out ${name}.safetensors --quiet`);
    // More than one block of a stream.
    for (const out of ['set', 'set.npz', 'set.h5']) {
      equiflow(`sample ${name}.safetensors -n 40000 --seed 3 --out ${name}-${out} --quiet`);
    }
    for (const out of ['xyz', 'extxyz', 'extxyz.gz', 'h5', 'npz']) {
      equiflow(`export ${name}-set --first 17 --stride 101 --count 300 --out ${name}-part.${out}`);
    }
    equiflow(`export ${name}-set.h5 --resample 200 --seed 2 --out ${name}-drawn.extxyz`);
    equiflow(`export ${name}-data.npz --out ${name}-data.extxyz`);
    equiflow(`export ${name}-data.npz --out ${name}-data.h5md`);
    equiflow(`energy ${system} --in ${name}-data.npz --out ${name}-energy.npy --gradient ${name}-gradient.npy`);
  }
}

/** Our distribution of pair distances on the same data, over species, in bins that Python takes too. */
async function distances(name, particles, dimensions) {
  const { x, n } = await readConfigurations(join(folder, `${name}-data.npz`), particles, dimensions);
  const axis = { bins: 64, min: 0, max: 8 };
  const [{ fraction }] = pairDistributions(
    { particles, dimensions, species: new Array(particles).fill(0) },
    { x, n },
    axis,
  );
  writeFileSync(
    join(folder, `${name}-distances.npy`),
    encodeNpy({ shape: [axis.bins], data: Float64Array.from(fraction) }),
  );
}

/** What they have written goes through our commands. */
function read() {
  const theirs = {
    'theirs.h5:/deep/er/positions': 'h5py',
    'theirs.h5md': 'mdanalysis',
    'theirs.extxyz': 'ase',
    'theirs.xyz.gz': 'ase-plain',
  };
  for (const [path, name] of Object.entries(theirs)) {
    equiflow(`energy ${SYSTEMS.lj13} --in ${path} --out ours-${name}.npy`);
  }
  // Weights that are in HDF5 under names of H5MD, in other types and chunks, weigh as ours do.
  const [mine, same] = ['lj13-set', 'theirs.h5'].map((path) => equiflow(`reweight ${path} --json`));
  assert.equal(same, mine);
}

try {
  const python = ownPython(folder, PACKAGES);
  if (python === undefined) {
    console.log(`skipped: no python3 with venv, or ${PACKAGES.join(', ')} cannot be installed`);
  } else {
    const tools = (...what) =>
      execFileSync(python, [SCRIPT, folder, ...what], { stdio: ['ignore', 'pipe', 'inherit'] });
    write();
    await distances('dw4', 4, 2);
    await distances('lj13', 13, 3);
    tools('write');
    read();
    process.stdout.write(tools('check'));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
