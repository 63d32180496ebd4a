/*
 * Free energies and Pareto smoothing beside pymbar and ArviZ on the same arrays. Needs Python and its package index, so it is a
 * stage of its own: npm run test:peers. Without them it says so and passes.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeNpy, encodeNpy } from '../../dist/src/formats/index.js';
import { standardNormals } from '../../dist/src/kernels/index.js';
import {
  bennettAcceptanceRatio,
  exponentialAveraging,
  mbar,
  smoothedLogWeights,
} from '../../dist/src/reweighting/index.js';
import { ownPython } from '../python.mjs';

const PACKAGES = ['numpy==2.4.6', 'scipy==1.17.1', 'pymbar==4.0.3', 'arviz==0.23.4'];

/** Relative to max(1, |peer|). */
const TOLERANCE = 1e-6;

const STREAM = 99;
const normals = (seed, n) => standardNormals(seed, STREAM, 0, n, 1);

/** Harmonic oscillators: stiffness, centre, offset and number of samples of each state. */
const MBAR_CASES = {
  'mbar-good': { stiffness: [1, 2, 4], centres: [0, 0.3, 0.6], offsets: [0, 2, -1], counts: [1000, 700, 1300] },
  'mbar-unsampled': { stiffness: [1, 3, 2], centres: [0, 0.5, 1], offsets: [0, 500, -200], counts: [800, 0, 900] },
  'mbar-ladder': {
    stiffness: [1, 1.5, 2, 2.5, 3, 3.5],
    centres: [0, 1, 2, 3, 4, 5],
    offsets: [0, 10, 20, 30, 40, 50],
    counts: [300, 200, 400, 300, 500, 100],
  },
  'mbar-poor': { stiffness: [1, 1], centres: [0, 4], offsets: [0, 0], counts: [2000, 2000] },
};

/** Gaussian work that obeys Crooks. */
const WORK_CASES = {
  'work-negative': { difference: -4, sigma: 1, counts: [900, 400] },
  'work-zero': { difference: 0, sigma: 2, counts: [500, 500] },
  'work-positive': { difference: 7, sigma: 3, counts: [300, 2000] },
};

/** Spread of normal log-weights, from nearly equal weights to a few that decide. */
const PSIS_CASES = {
  'psis-light': [0.3, 5000],
  'psis-medium': [1.5, 1000],
  'psis-heavy': [4, 20_000],
  'psis-short': [1, 60],
};

const folder = mkdtempSync(join(tmpdir(), 'equiflow-peers-'));
const write = (name, shape, data) => writeFileSync(join(folder, `${name}.npy`), encodeNpy({ shape, data }));
const cli = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const file = (name) => join(folder, `${name}.npy`);
const equiflow = (...args) =>
  JSON.parse(
    execFileSync(process.execPath, [cli, ...args, '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
const read = (name) => decodeNpy(readFileSync(join(folder, `${name}.npy`)), name).data;

let worst = 0;
function agree(what, ours, peers) {
  assert.equal(ours.length, peers.length, what);
  for (let i = 0; i < peers.length; i++) {
    const error = Math.abs(ours[i] - peers[i]) / Math.max(1, Math.abs(peers[i]));
    assert.ok(error <= TOLERANCE, `${what} [${i}]: ${ours[i]}, the peer has ${peers[i]}`);
    worst = Math.max(worst, error);
  }
}

/** One function per case that compares once the peers have spoken. */
function prepare() {
  const comparisons = [];
  for (const [name, { stiffness, centres, offsets, counts }] of Object.entries(MBAR_CASES)) {
    const n = counts.reduce((a, b) => a + b, 0);
    const state = counts.flatMap((count, k) => Array(count).fill(k));
    const x = normals(1, n).map((z, i) => centres[state[i]] + z / Math.sqrt(stiffness[state[i]]));
    const energies = stiffness.map((s, k) => x.map((v) => (s * (v - centres[k]) ** 2) / 2 + offsets[k]));
    const values = x.map((v) => v * v);
    write(`${name}-energies`, [counts.length, n], Float64Array.from(energies.flatMap((u) => Array.from(u))));
    write(`${name}-counts`, [counts.length], Float64Array.from(counts));
    write(`${name}-values`, [n], values);
    comparisons.push(() => {
      const result = mbar(energies, counts);
      const pairs = counts.flatMap((_, i) => counts.map((_, j) => result.difference(i, j)));
      const averages = counts.map((_, k) => result.average(values, k));
      const of = (key, estimates) => estimates.map((estimate) => estimate[key]);
      agree(`${name}: differences`, of('value', pairs), read(`${name}-peer-difference`));
      agree(`${name}: errors`, of('standardError', pairs), read(`${name}-peer-differenceError`));
      agree(`${name}: overlap`, result.overlap, read(`${name}-peer-overlap`));
      agree(`${name}: averages`, of('value', averages), read(`${name}-peer-average`));
      agree(`${name}: errors of averages`, of('standardError', averages), read(`${name}-peer-averageError`));
      const arrays = ['--energies', file(`${name}-energies`), '--counts', counts.join(',')];
      const found = equiflow('free-energy', ...arrays, '--observable', `square=${file(`${name}-values`)}`);
      const first = (key) => read(`${name}-peer-${key}`).slice(0, counts.length);
      agree(
        `${name}: command`,
        of(
          'value',
          found.states.map((s) => s.freeEnergy),
        ),
        first('difference'),
      );
      agree(
        `${name}: command, errors`,
        of(
          'standardError',
          found.states.map((s) => s.freeEnergy),
        ),
        first('differenceError'),
      );
      agree(`${name}: command, averages`, of('value', found.observables[0].averages), read(`${name}-peer-average`));
    });
  }
  for (const [name, { difference, sigma, counts }] of Object.entries(WORK_CASES)) {
    const forward = normals(2, counts[0]).map((z) => difference + sigma ** 2 / 2 + sigma * z);
    const reverse = normals(3, counts[1]).map((z) => -difference + sigma ** 2 / 2 + sigma * z);
    write(`${name}-forward`, [counts[0]], forward);
    write(`${name}-reverse`, [counts[1]], reverse);
    comparisons.push(() => {
      const both = bennettAcceptanceRatio(forward, reverse);
      const backward = exponentialAveraging(reverse, { direction: 'reverse' });
      agree(`${name}: BAR`, [both.value, both.standardError], read(`${name}-peer-bar`));
      agree(`${name}: EXP`, [exponentialAveraging(forward).value, backward.value], read(`${name}-peer-exp`));
      const found = equiflow('free-energy', '--work', file(`${name}-forward`), '--reverse', file(`${name}-reverse`));
      agree(`${name}: command, BAR`, [found.bar.value, found.bar.standardError], read(`${name}-peer-bar`));
      agree(`${name}: command, EXP`, [found.forward.value, found.reverse.value], read(`${name}-peer-exp`));
    });
  }
  for (const [name, [spread, n]] of Object.entries(PSIS_CASES)) {
    const logWeight = normals(4, n).map((z) => spread * z - 300);
    write(`${name}-logWeight`, [n], logWeight);
    write(`${name}-logQ`, [n], new Float64Array(n));
    write(
      `${name}-energy`,
      [n],
      logWeight.map((l) => -l),
    );
    comparisons.push(() => {
      const { logWeight: smoothed, khat } = smoothedLogWeights(logWeight);
      agree(`${name}: smoothed log-weights`, smoothed, read(`${name}-peer-smoothed`));
      agree(`${name}: Pareto k`, [khat], read(`${name}-peer-khat`));
      const found = equiflow(
        'reweight',
        '--log-q',
        file(`${name}-logQ`),
        '--energy',
        file(`${name}-energy`),
        '--quiet',
      );
      agree(`${name}: command, Pareto k`, [found.khat], read(`${name}-peer-khat`));
    });
  }
  return comparisons;
}

try {
  const python = ownPython(folder, PACKAGES);
  if (python === undefined) {
    console.log(`skipped: no python3 with venv, or ${PACKAGES.join(', ')} cannot be installed`);
  } else {
    const comparisons = prepare();
    execFileSync(python, [fileURLToPath(new URL('peers.py', import.meta.url)), folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    for (const compare of comparisons) compare();
    console.log(`pymbar and ArviZ agree in ${comparisons.length} cases, largest error ${worst.toExponential(1)}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
