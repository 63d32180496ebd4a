/*
 * The manifests of `emit k8s` against the JSON schemas that Kubernetes publishes, of several versions, and manifests with an error
 * each, which the schemas have to find. Needs Python and its package index: a part of npm run test:cluster.
 */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { kubernetesManifests } from '../../dist/src/cluster/emit/kubernetes.js';
import { ownPython } from '../python.mjs';

/** It carries the schemas of all versions, converted from the API servers' own OpenAPI documents; strict: no unknown fields. */
const PACKAGE = 'kubernetes-validate==1.37.0';

/** From the first that counts retries by index without being asked. */
const VERSIONS = ['1.29', '1.31', '1.33', '1.35', '1.37'];

const FACTS = {
  run: '/data/project/run',
  job: 'sample',
  hash: '0123456789abcdef'.repeat(4),
  firstIndex: 0,
  shards: 1000,
  command: ['equiflow'],
  merge: ['--out', '/data/project/samples'],
};
const OPTIONS = { image: 'registry.example.org/equiflow:0.1', claim: 'shared', mount: '/data', cpus: 4 };
const RUNS = {
  plain: kubernetesManifests(FACTS, OPTIONS),
  full: kubernetesManifests(
    { ...FACTS, shards: 1, command: ['/opt/my node/bin/node', "it's: {a}"] },
    { ...OPTIONS, name: 'run', namespace: 'physics', memory: '3Gi', maxRunning: 1, user: 4711 },
  ),
};

/** Errors that the schemas must find, else they check nothing. */
const ERRORS = {
  'a field that there is not': [/completionMode: /, 'completionsMode: '],
  'a number that is none': [/completions: 1000/, 'completions: many'],
  'a list that is none': [/values: \[2, [\d, ]+\]/, 'values: 2'],
  'a required field left out': [/containerName: equiflow, operator: In, /, 'containerName: equiflow, '],
};

/** Validates the manifests of the run against all schemas. */
export function validateManifests() {
  const folder = mkdtempSync(join(tmpdir(), 'equiflow-kubernetes-'));
  try {
    const python = ownPython(folder, [PACKAGE]);
    assert.ok(python, `${PACKAGE} cannot be installed: needs python3 with venv, and its package index`);
    const tool = join(dirname(python), 'kubernetes-validate');
    const validate = (version, files) =>
      spawnSync(tool, ['--strict', '--kubernetes-version', version, ...files], { encoding: 'utf8' });
    for (const [name, files] of Object.entries(RUNS)) {
      mkdirSync(join(folder, name, 'kubernetes'), { recursive: true });
      for (const { name: file, text } of files) writeFileSync(join(folder, name, file), text);
    }
    const manifests = Object.keys(RUNS).flatMap((name) =>
      ['shards', 'merge'].map((file) => join(folder, name, 'kubernetes', `${file}.yaml`)),
    );
    for (const version of VERSIONS) {
      const { status, stdout, stderr } = validate(version, manifests);
      assert.equal(status, 0, `Kubernetes ${version}: ${stdout}${stderr}`);
      assert.equal(stdout.match(/^INFO .* passed for resource job\//gm)?.length, manifests.length, stdout);
      assert.equal(stdout.match(new RegExp(`against version ${version}$`, 'gm'))?.length, manifests.length, stdout);
    }
    const sound = RUNS.plain[0].text;
    for (const [error, [pattern, replacement]] of Object.entries(ERRORS)) {
      const broken = join(folder, 'broken.yaml');
      assert.match(sound, pattern);
      writeFileSync(broken, sound.replace(pattern, replacement));
      assert.notEqual(validate(VERSIONS.at(-1), [broken]).status, 0, `${error} is not found`);
    }
    execFileSync('sh', ['-n', join(folder, 'plain', 'kubernetes', 'run.sh')]);
    console.log(
      `${manifests.length} of them valid in the schemas of ${VERSIONS.join(', ')}; those with an error refused`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) validateManifests();
