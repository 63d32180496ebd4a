/*
 * What writing costs over sampling alone, in time and memory: node dist/bench/writing.js [system] [n] [repeats]
 *
 * Every run is a process of its own; the ways take turns, and the ratio is that of the shortest times, since other work on the
 * machine only adds. The folder it writes to is TMPDIR.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boltzmannGenerator, continuousFlow } from '../src/flows/index.js';
import { rk4 } from '../src/integrators/index.js';
import { meanFreeNormal } from '../src/priors/index.js';
import { sampleToFolder, sampleToHdf5 } from '../src/sampling/index.js';
import { drawnBlocks } from '../src/sampling/sample.js';
import { streamBlockSize } from '../src/sampling/sample-stream.js';
import { systemFromSpec } from '../src/systems/index.js';
import { initialFieldFor } from '../src/training/index.js';
import { WorkerPool } from '../src/workers/index.js';

/** RK4 steps, as the command line samples. */
const STEPS = 20;

const WAYS = ['alone', 'folder', 'hdf5'] as const;
type Way = (typeof WAYS)[number];

interface Measurement {
  readonly seconds: number;
  /** Largest resident set of the process, all threads, in MB. */
  readonly megabytes: number;
}

function generatorOf(spec: string) {
  const target = systemFromSpec(spec);
  const { particles, dimensions } = target;
  return boltzmannGenerator(
    target,
    continuousFlow(meanFreeNormal(particles, dimensions), initialFieldFor(target, 1), rk4(STEPS)),
  );
}

async function measure(way: Way, spec: string, n: number, folder: string): Promise<Measurement> {
  const generator = generatorOf(spec);
  const pool = new WorkerPool();
  const options = { n, seed: 1, model: 'bench' };
  // Threads, modules and compiled code are there before the clock starts.
  const warm = (count: number) => draw(generator, { n: count, seed: 2 }, pool);
  await warm(8 * pool.workers * streamBlockSize(generator));
  const start = performance.now();
  if (way === 'alone') await draw(generator, options, pool);
  else if (way === 'folder') await sampleToFolder(join(folder, 'set'), generator, options, pool);
  else await sampleToHdf5(join(folder, 'set.h5'), generator, options, pool);
  const seconds = (performance.now() - start) / 1000;
  await pool.close();
  return { seconds, megabytes: peakMemory() };
}

async function draw(
  generator: ReturnType<typeof generatorOf>,
  options: { n: number; seed: number },
  pool: WorkerPool,
): Promise<void> {
  const size = streamBlockSize(generator);
  for await (const _ of drawnBlocks('sampleBlock', generator, { ...options, size }, pool));
}

/** `maxRSS` of a child starts at its parent's; the kernel's own mark, where there is one, does not. */
function peakMemory(): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1000;
  } catch {
    return process.resourceUsage().maxRSS / 1000;
  }
}

function inProcess(way: Way, spec: string, n: number): Measurement {
  const folder = mkdtempSync(join(tmpdir(), 'equiflow-writing-'));
  try {
    const args = [fileURLToPath(import.meta.url), '--one', way, spec, String(n), folder];
    const { stdout, status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (status !== 0) throw new Error(`${way}: exit code ${status}`);
    return JSON.parse(stdout.toString());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main([spec = 'dw4', n = '2000000', repeats = '5']: readonly string[]): void {
  const found = new Map<Way, Measurement[]>(WAYS.map((way) => [way, []]));
  for (let i = 0; i < Number(repeats); i++) {
    for (const way of WAYS) found.get(way)!.push(inProcess(way, spec, Number(n)));
  }
  const shortest = (way: Way) => Math.min(...found.get(way)!.map(({ seconds }) => seconds));
  process.stdout.write(`${spec}, ${n} samples, shortest of ${repeats}\n`);
  for (const way of WAYS) {
    const ratio = shortest(way) / shortest('alone');
    const peak = Math.max(...found.get(way)!.map(({ megabytes }) => megabytes));
    process.stdout.write(
      `${way.padEnd(8)}${shortest(way).toFixed(2).padStart(8)} s   ${ratio.toFixed(2)} of sampling alone   peak ${peak.toFixed(0)} MB\n`,
    );
  }
}

if (process.argv[2] === '--one') {
  const [, , , way, spec, n, folder] = process.argv;
  process.stdout.write(JSON.stringify(await measure(way as Way, spec, Number(n), folder)));
} else {
  main(process.argv.slice(2));
}
