/*
 * The parity tests on TensorFlow's own C library. Its download by @tensorflow/tfjs-node-gpu is often blocked; a wheel of
 * TensorFlow for Python has the same library, and the package's binding compiles against it. So, in a throw-away folder: the
 * wheel, the package without its install script, the binding, and a copy of this project that finds them.
 *
 * Needs Linux on x64, python3 with venv, make, a C++ compiler, the headers of Node.js and both registries: npm run
 * test:tensorflow. Where something is missing it says what, and passes. `-- --wheel 2.18.1` takes another wheel,
 * `-- --bench` times all engines beside each other instead.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ownPython } from '../python.mjs';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const MANIFEST = createRequire(import.meta.url)('../../package.json');
const PACKAGE = '@tensorflow/tfjs-node-gpu';

const { wheel: WHEEL, bench } = parseArgs({
  options: { wheel: { type: 'string', default: '2.15.1' }, bench: { type: 'boolean', default: false } },
}).values;

/** What a wheel may be built for; the library in it does not depend on the version of Python. */
const WHEEL_TAGS = [
  ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'],
  ...['manylinux2014_x86_64', 'manylinux_2_17_x86_64', 'manylinux_2_27_x86_64'].flatMap((tag) => ['--platform', tag]),
];

class Missing extends Error {}

function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

/** Runs what the machine may not offer. */
function attempt(what, command, args, options) {
  try {
    return run(command, args, options);
  } catch (error) {
    const said = `${error.stderr ?? ''}`.trim().split('\n').at(-1) || error.message;
    throw new Missing(`${what}: ${said}`);
  }
}

/** Where the headers of this Node.js are, as node-gyp wants it. */
function headers() {
  const prefixes = [process.env.npm_config_nodedir, dirname(dirname(process.execPath)), '/usr', '/usr/local'];
  const prefix = prefixes.find((candidate) => candidate && existsSync(join(candidate, 'include/node/node_api.h')));
  if (prefix === undefined) throw new Missing('no headers of Node.js (include/node/node_api.h)');
  return prefix;
}

function fetchLibrary(folder) {
  const python = ownPython(folder);
  if (python === undefined) throw new Missing('no python3 with venv');
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-cache-dir', '--no-deps', '--only-binary=:all:'];
  const target = join(folder, 'wheel');
  attempt(`no wheel tensorflow-cpu ${WHEEL}`, python, [
    ...['-m', 'pip', 'download', ...quiet, ...WHEEL_TAGS, '--dest', target, `tensorflow-cpu==${WHEEL}`],
  ]);
  const [file] = readdirSync(target);
  run(python, ['-m', 'zipfile', '-e', join(target, file), target]);
  rmSync(join(target, file));
  return join(target, 'tensorflow');
}

/** Installs the package without its download and compiles its binding against the wheel's library. */
function buildBinding(folder, library) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const version = MANIFEST.optionalDependencies[PACKAGE];
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund'];
  attempt('no package', 'npm', ['install', ...quiet, `${PACKAGE}@${version}`], { cwd: folder });
  const installed = join(folder, 'node_modules', PACKAGE);
  mkdirSync(join(installed, 'deps/lib'), { recursive: true });
  symlinkSync(join(library, 'include'), join(installed, 'deps/include'));
  for (const [ours, theirs] of [
    ['libtensorflow.so', 'libtensorflow_cc.so.2'],
    ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  ]) {
    assert.ok(existsSync(join(library, theirs)), `the wheel has ${theirs}`);
    symlinkSync(join(library, theirs), join(installed, 'deps/lib', ours));
  }
  for (const tool of ['make', 'c++']) attempt(`no ${tool}`, tool, ['--version']);
  const nodedir = headers();
  const env = { ...process.env, LDFLAGS: `-Wl,-rpath,${library}` };
  // Without a shell's PATH to the project's tools, so that node-gyp is npm's.
  run('npx', ['--no-install', 'node-pre-gyp', 'install', '--build-from-source', `--nodedir=${nodedir}`], {
    cwd: installed,
    env,
  });
}

/** A copy of the built project whose optional packages of TensorFlow are those of the folder. */
function copyProject(folder) {
  const copy = join(folder, 'project');
  mkdirSync(copy);
  for (const part of ['package.json', 'dist', 'test'])
    cpSync(join(PROJECT, part), join(copy, part), { recursive: true });
  const link = (from, name) => symlinkSync(join(from, name), join(copy, 'node_modules', name));
  mkdirSync(join(copy, 'node_modules/@tensorflow'), { recursive: true });
  const ours = readdirSync(join(PROJECT, 'node_modules')).filter((name) => name !== '@tensorflow');
  for (const name of ours) link(join(PROJECT, 'node_modules'), name);
  for (const name of readdirSync(join(folder, 'node_modules/@tensorflow'))) {
    link(join(folder, 'node_modules'), `@tensorflow/${name}`);
  }
  link(join(PROJECT, 'node_modules'), '@tensorflow/tfjs-backend-wasm');
  return copy;
}

function runTests(inherit) {
  run(process.execPath, ['test/tensorflow/operations.mjs'], inherit);
  const cli = (line) => run(process.execPath, ['dist/src/cli/main.js', ...line.split(' ')], inherit);
  cli('simulate dw4 -n 200 --seed 1 --out data.npz --quiet');
  cli('train dw4 --data data.npz --steps 5 --batch 32 --engine tensorflow --out model.safetensors --quiet');
  const tests = ['parity', 'choice'].map((name) => `dist/test/training/tensorflow/${name}.test.js`);
  run(process.execPath, ['node_modules/ava/entrypoints/cli.mjs', ...tests], inherit);
}

const folder = mkdtempSync(join(tmpdir(), 'equiflow-tensorflow-'));
try {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Missing('the wheels are for Linux on x64');
  buildBinding(folder, fetchLibrary(folder));
  const copy = copyProject(folder);
  const { engines } = JSON.parse(run(process.execPath, ['dist/src/cli/main.js', 'doctor', '--json'], { cwd: copy }));
  const { available, reason } = engines.find(({ name }) => name === 'tensorflow');
  assert.ok(available, reason);
  console.log(`built: ${reason}`);
  const inherit = { cwd: copy, stdio: 'inherit' };
  if (bench) run(process.execPath, ['dist/bench/main.js', 'engines', '--no-peers'], inherit);
  else runTests(inherit);
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.log(`skipped: ${error.message}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
