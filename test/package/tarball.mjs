/*
 * The package as it is published: packed, installed from the tarball into empty folders with and without the optional
 * packages, imported, type-checked and run there. Needs the registry, so it is a stage of its own: npm run test:package.
 */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONSUMER, TSCONFIG } from '../../dist/test/package/consumer.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const LIMIT_MB = 30;

const SAMPLE = `
import { continuousFlow, initialKernelField, meanFreeNormal, prepareFlow, rk4, uniformBasis } from 'equiflow';
const field = initialKernelField(4, 2, uniformBasis(50, 8, 0.5), { seed: 1 });
const flow = continuousFlow(meanFreeNormal(4, 2), field, rk4(8));
const { x, logQ } = prepareFlow(flow).sample(1, 0, 4);
if (x.length !== 32 || !logQ.every(Number.isFinite)) throw new Error(\`\${logQ}\`);
`;

const tool = (name) => join(PROJECT, 'node_modules', '.bin', name);

function run(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout}\n${error.stderr}`);
  }
}

const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));

/** What the folder takes on the disk, as du has it. */
const megabytes = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => lstatSync(join(folder, name)).blocks * 512)
    .reduce((sum, bytes) => sum + bytes, 0) / 1e6;

function checkContent(folder) {
  const names = files(folder);
  const code = names.filter((name) => name.endsWith('.js'));
  assert.ok(existsSync(join(folder, 'dist/src/kernels/equiflow.wasm')), 'equiflow.wasm is packed');
  assert.ok(code.length > 50, `${code.length} files of code`);
  for (const name of code) {
    assert.ok(existsSync(name.replace(/\.js$/, '.d.ts')), `${name} has its types`);
    const source = name.replace('/dist/src/', '/src/').replace(/\.js$/, '.ts');
    assert.ok(existsSync(source), `${name} is not left over from a source that is gone`);
    const map = JSON.parse(readFileSync(`${name}.map`, 'utf8'));
    for (const path of map.sources)
      assert.ok(existsSync(resolve(dirname(name), path)), `${name}.map points to ${path}`);
  }
  const foreign = names.filter((name) =>
    /\.(test|debug)\.|\/(test|bench|assembly)\/|\.tgz$/.test(name.slice(folder.length)),
  );
  assert.deepEqual(foreign, [], 'nothing is packed that only development needs');
}

function tryIn(folder, tarball, options) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  run('npm', ['install', tarball, '--no-audit', '--no-fund', ...options], folder);
  checkContent(join(folder, 'node_modules', 'equiflow'));

  writeFileSync(join(folder, 'sample.js'), SAMPLE);
  run(process.execPath, ['sample.js'], folder);
  assert.match(run('npx', ['--no-install', 'equiflow', '--help'], folder), /Usage: equiflow/);
  const doctor = JSON.parse(run('npx', ['--no-install', 'equiflow', 'doctor', '--json'], folder));

  writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  run(tool('tsc'), ['-p', '.'], folder);

  // Begins as HDF5 does and then ends: corrupt where h5wasm reads it, and not readable at all without.
  writeFileSync(join(folder, 'short.h5'), Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'));
  const hdf5 = spawnSync('npx', ['--no-install', 'equiflow', 'reweight', 'short.h5'], {
    cwd: folder,
    encoding: 'utf8',
  });

  const size = megabytes(join(folder, 'node_modules'));
  const vega = doctor.packages.find(({ name }) => name === 'vega').version;
  return { size, vega, hdf5 };
}

const folder = mkdtempSync(join(tmpdir(), 'equiflow-tarball-'));
try {
  run('npm', ['pack', '--pack-destination', folder], PROJECT);
  const tarball = join(folder, readdirSync(folder)[0]);
  console.log(`packed: ${(lstatSync(tarball).size / 1e6).toFixed(2)} MB`);

  run(tool('publint'), ['run', tarball, '--strict'], PROJECT);
  // The kernels are for bundlers to copy; they have no types.
  run(
    tool('attw'),
    [tarball, '--profile', 'esm-only', '--exclude-entrypoints', './equiflow.wasm', './equiflow.shared.wasm'],
    PROJECT,
  );
  console.log('publint and attw: no complaint');

  const full = tryIn(join(folder, 'full'), tarball, []);
  assert.notEqual(full.vega, null, 'the optional packages are installed unless they are left out');
  assert.equal(full.hdf5.status, 65, full.hdf5.stderr);
  console.log(`installed, imported, type-checked, run: ${full.size.toFixed(1)} MB`);

  const lean = tryIn(join(folder, 'lean'), tarball, ['--omit=optional']);
  assert.equal(lean.vega, null, '--omit=optional leaves the optional packages out');
  assert.equal(lean.hdf5.status, 69, lean.hdf5.stderr);
  assert.match(lean.hdf5.stderr, /h5wasm is not installed; run npm install h5wasm/);
  console.log(`the same with --omit=optional: ${lean.size.toFixed(1)} MB`);
  assert.ok(lean.size <= LIMIT_MB, `node_modules takes ${lean.size.toFixed(1)} MB, expected at most ${LIMIT_MB}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
