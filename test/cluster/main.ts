/*
 * The cluster commands on a real Slurm: munge, slurmctld and two slurmd on this machine, in a folder of their own, and GNU
 * parallel; Kubernetes manifests in its schemas, which come by Python's package index; thousands of simulated shards. Needs root
 * and Debian's packages, which it installs; where that does not work it fails: npm run test:cluster.
 * `npm run test:cluster -- requeue drain` plays only scenarios whose names have one of these words.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, mountsBelow } from './commands.js';
import { CLUSTER } from './scenarios/cluster.js';
import { DOCUMENTS } from './scenarios/documents.js';
import { JOBS } from './scenarios/jobs.js';
import { KUBERNETES, SCALE } from './scenarios/large.js';
import { PARALLEL } from './scenarios/parallel.js';
import type { Scenario } from './scenarios/scenario.js';
import { SCRIPTS } from './scenarios/scripts.js';
import { SHARDS, WALLTIME } from './scenarios/shards.js';
import { SlurmCluster } from './slurm-cluster.js';
import { Stage } from './stage.js';

/** Debian's packages, by what succeeds where they are there. */
const PACKAGES = {
  'command -v munged': 'munge',
  'command -v slurmctld': 'slurmctld',
  'command -v slurmd': 'slurmd',
  'command -v sbatch': 'slurm-client',
  'command -v parallel': 'parallel',
  'test -x /usr/sbin/sshd': 'openssh-server',
  'command -v shellcheck': 'shellcheck',
  "python3 -c 'import ensurepip'": 'python3-venv',
};

const words = process.argv.slice(2);
const isChosen = ({ name }: Scenario) => words.length === 0 || words.some((word) => name.includes(word));

const started = performance.now();
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const failures: string[] = [];
let played = 0;

async function play(scenarios: readonly Scenario[], stage: Stage): Promise<void> {
  for (const { name, play } of scenarios.filter(isChosen)) {
    const since = performance.now();
    try {
      console.log(`ok    ${name}: ${await play(stage)} (${seconds(since)})`);
    } catch (error) {
      failures.push(name);
      console.log(`FAILED ${name} (${seconds(since)})\n${(error as Error).stack}\n${stage.cluster.logs()}`);
    }
    played += 1;
  }
}

if (process.getuid?.() !== 0) throw new Error('test:cluster needs root: it starts a Slurm and mounts a small disk');
install(PACKAGES);

// A short path: sockets are in it.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'equiflow-cluster-')));
const cluster = new SlurmCluster(join(folder, 'slurm'));
mkdirSync(cluster.folder);
process.on('exit', () => {
  cluster.stop();
  // Where the scenario of the full disk was interrupted.
  for (const mount of mountsBelow(folder)) execFileSync('umount', ['--lazy', mount]);
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(75));

const stage = new Stage(cluster, folder);
await Promise.all([cluster.start(), stage.prepare()]);
console.log(`${await cluster.version()}, two nodes (${seconds(started)})`);

// Side by side, since most of it is waiting: for the walltime, and for a dead node to be found dead.
await Promise.all([play([WALLTIME, KUBERNETES], stage), play([...SHARDS, ...JOBS, ...DOCUMENTS], stage)]);
// While nodes come and go, nobody else uses them.
await Promise.all([play(CLUSTER, stage), play([...PARALLEL, ...SCRIPTS, SCALE], stage)]);

if (played === 0) throw new Error(`no scenario has one of ${words.join(', ')} in its name`);
const verdict = failures.length === 0 ? 'all as expected' : `FAILED: ${failures.join(', ')}`;
console.log(`${played} scenarios in ${seconds(started)}: ${verdict}`);
// The daemons would keep this process alive.
process.exit(failures.length === 0 ? 0 : 1);
