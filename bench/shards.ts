/*
 * What a run in shards costs: its starts, its work, its merge. node dist/bench/shards.js [system] [samples]
 *
 * Everything is a process of the command line with one thread, by its processor time, the shortest of three: other work on the
 * machine hardly counts, waiting for a device neither. The folder it works in is TMPDIR.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fitShardCost, type ShardTime } from '../src/cluster/cost.js';
import { boltzmannGenerator, continuousFlow, encodeModel } from '../src/flows/index.js';
import { rk4 } from '../src/integrators/index.js';
import { meanFreeNormal } from '../src/priors/index.js';
import { systemFromSpec } from '../src/systems/index.js';
import { initialFieldFor } from '../src/training/index.js';

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const TAKES = 3;

/** As the command line trains and samples. */
const STEPS = 20;

/** Shards of this many parts of the samples each. */
const PARTS = [1, 2, 4, 8, 16];

class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'equiflow-shards-'));

  /** Processor seconds of one process of the command line. */
  equiflow(line: string): number {
    const words = ['-c', '"$@" >/dev/null && times', 'sh', process.execPath, MAIN, ...line.split(' ')];
    const { status, stdout, stderr } = spawnSync('sh', words, { cwd: this.folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`equiflow ${line}: ${stderr}`);
    // The second line has user and system time of the children: 0m1.230000s 0m0.040000s.
    const [user, system] = stdout
      .split('\n')[1]
      .split(' ')
      .map((time) => {
        const [, minutes, seconds] = /^(\d+)m([\d.]+)s$/.exec(time)!;
        return 60 * Number(minutes) + Number(seconds);
      });
    return user + system;
  }

  /** The shortest of several takes, each after the same preparation. */
  shortest(line: string, prepare = () => {}): number {
    const takes = Array.from({ length: TAKES }, () => {
      prepare();
      return this.equiflow(line);
    });
    return Math.min(...takes);
  }

  remove(...names: string[]): void {
    for (const name of names) rmSync(join(this.folder, name), { recursive: true, force: true });
  }
}

const [spec = 'lj13:pairFactor=2', samples = '400000'] = process.argv.slice(2);
const n = Number(samples);
const target = systemFromSpec(spec);
const flow = continuousFlow(
  meanFreeNormal(target.particles, target.dimensions),
  initialFieldFor(target, 1),
  rk4(STEPS),
);
const bench = new Bench();
try {
  writeFileSync(join(bench.folder, 'm.safetensors'), encodeModel(boltzmannGenerator(target, flow)));

  // One shard of each size; a shard that is removed is computed again.
  const times: Omit<ShardTime, 'index' | 'started'>[] = [];
  for (const parts of PARTS) {
    const count = Math.round((n * parts) / 16);
    bench.remove('run');
    bench.equiflow(`plan sample m.safetensors -n ${count} --shards 1 --out run`);
    const seconds = bench.shortest('shard --plan run --index 0 --workers 1 --quiet', () => {
      bench.remove(
        ...readdirSync(join(bench.folder, 'run/shards')).flatMap((name) =>
          /^\d/.test(name) ? [`run/shards/${name}`] : [],
        ),
      );
    });
    times.push({ n: count, workers: 1, seconds });
  }
  const { start, rate, scatter } = fitShardCost(times)!;
  const figure = (value: number, digits = 3) => `${Number(value.toPrecision(digits))}`;
  console.log(
    `${spec}, one thread: a shard takes ${figure(start.value)} ± ${figure(start.standardError, 1)} s and 1 s for each`,
  );
  console.log(
    `  ${figure(rate.value)} ± ${figure(rate.standardError, 2)} samples; measured shards lie within ${figure(100 * scatter, 2)} % of that`,
  );
  console.log(`a shard that is done before: ${figure(bench.shortest('shard --plan run --index 0 --quiet'))} s`);

  // The same samples by one process, and by shards with their merge.
  const one = bench.shortest(`sample m.safetensors -n ${n} --workers 1 --out one --quiet`, () => bench.remove('one'));
  console.log(`${n} samples by one process: ${figure(one)} s`);
  for (const shards of [4, 16, 64]) {
    bench.remove('run');
    bench.equiflow(`plan sample m.safetensors -n ${n} --shards ${shards} --out run`);
    let work = 0;
    for (let index = 0; index < shards; index++)
      work += bench.equiflow(`shard --plan run --index ${index} --workers 1 --quiet`);
    const merge = bench.shortest('merge --plan run --out set --quiet', () => bench.remove('set'));
    const bytes =
      statSync(join(bench.folder, 'set/x.npy')).size * (1 + 24 / (4 * target.particles * target.dimensions));
    console.log(
      `  by ${shards} shards: ${figure(work)} s, ${figure((100 * (work + merge)) / one - 100, 2)} % more with the merge; ` +
        `merge ${figure(merge)} s for ${figure(bytes / 1e6)} MB`,
    );
  }
} finally {
  rmSync(bench.folder, { recursive: true, force: true });
}
