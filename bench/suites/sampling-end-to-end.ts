/* What a user waits for: the pool with one and two workers, the first samples of a fresh process, a million samples on disk. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boltzmannGenerator, encodeModel } from '../../src/flows/index.js';
import { sample, sampleToFolder } from '../../src/sampling/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { type Case, SEED } from '../cases.js';
import type { DrawInput } from '../kernel-throughput.js';
import type { Measurement } from '../measurement.js';
import { type Contender, measured, QUICK_ROUNDS, type RoundsEffort, type Seconds, takeTurns } from '../rounds.js';
import { timingOf } from '../timing.js';
import { spent } from '../trained.js';
import type { Bench } from './suite.js';

const ROUNDS: RoundsEffort = { least: 3, most: 9, seconds: 1.5 };
const POOL = 'sampling on the worker pool with energies and weights, f32, by the clock';
const DISK = 'DW4 to disk, f32, by the clock';
const MODEL = 'model.safetensors';
const PRINT_CPU = 'const { user, system } = process.cpuUsage(); console.log(user + system)';
const START = { group: 'a fresh process, processor time', subject: 'first 1,000 samples of DW4', unit: 'start' };
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const DRAW = { module: new URL('../kernel-throughput.js', import.meta.url), name: 'draw' };
const FIRST = fileURLToPath(new URL('../first-samples.js', import.meta.url));
/** Samples of one call on the pool: a third of a second of one core, so that its first and last tasks do not decide. */
const POOL_SAMPLES: Readonly<Record<string, number>> = { DW4: 1 << 19, LJ13: 1 << 15, LJ55: 1 << 11 };

/** Clock and processor time of this process, all threads, but not of its children. */
async function clocked(body: () => Promise<unknown>): Promise<Seconds> {
  return (await spent(body)).seconds;
}

function childProcess(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${stderr}`);
  return stdout.toString();
}

/** A program that prints the processor time of its process, in microseconds, last. */
function selfTimed(...args: string[]): Seconds {
  const start = performance.now();
  const cpu = Number(childProcess(args)) / 1e6;
  return { wall: (performance.now() - start) / 1e3, cpu };
}

/** Measurements by the clock; their two workers need two idle cores to be seen. */
export async function endToEnd({ cases, quick, onMeasurement }: Bench) {
  const effort = quick ? QUICK_ROUNDS : ROUNDS;
  const measurements: Measurement[] = [];
  const record = async (group: string, subject: string, unit: string, contenders: Contender[]) => {
    const times = await takeTurns(contenders, effort, true);
    for (const m of measured(contenders, times, { group, subject, unit, clock: true })) {
      measurements.push(m);
      onMeasurement(m);
    }
    return times.map(({ median }) => median);
  };
  const notes: string[] = [];
  const pools = [new WorkerPool({ workers: 1 }), new WorkerPool({ workers: 2 })];
  const folder = mkdtempSync(join(tmpdir(), 'equiflow-bench-'));
  try {
    for (const c of cases) {
      const generator = boltzmannGenerator(c.system, c.flow);
      const n = POOL_SAMPLES[c.label] / (quick ? 4 : 1);
      const cpu: number[][] = pools.map(() => []);
      const contenders = pools.map((pool, p) => ({
        name: nameOf(pool),
        units: n,
        call: async () => {
          const seconds = await clocked(() => sample(generator, { n, seed: SEED }, pool));
          cpu[p].push(seconds.cpu);
          return seconds;
        },
      }));
      const [one, two] = await record(POOL, c.label, 'sample', contenders);
      const [cpuOne, cpuTwo] = cpu.map((times) => timingOf(times).median);
      notes.push(
        `${c.label}: two workers are ${(one / two).toFixed(2)} times as fast as one by the clock, for ${(cpuTwo / cpuOne).toFixed(2)} times the processor time.`,
      );
    }
    for (const pool of pools) notes.push(...(await toDisk(cases[0], folder, pool, quick, record)));
    const starts = [
      { name: 'import, prepare and sample', units: 1, call: () => selfTimed(FIRST, join(folder, MODEL)) },
      { name: 'node alone', units: 1, call: () => selfTimed('-e', PRINT_CPU) },
    ];
    for (const m of measured(starts, await takeTurns(starts, effort), START)) {
      measurements.push(m);
      onMeasurement(m);
    }
  } finally {
    await Promise.all(pools.map((pool) => pool.close()));
    rmSync(folder, { recursive: true, force: true });
  }
  return { measurements, notes };
}

function nameOf({ workers }: WorkerPool): string {
  return workers === 1 ? '1 worker' : `${workers} workers`;
}

/** Draws on all workers of the pool and drops what is drawn. */
async function kernelsOnly(model: Uint8Array, n: number, pool: WorkerPool): Promise<void> {
  const share = Math.ceil(n / pool.workers);
  const parts = Array.from({ length: pool.workers }, (_, w) => ({ model, first: w * share, n: share }));
  await Promise.all(parts.map((input) => pool.run<DrawInput, number>(DRAW, input)));
}

async function toDisk(
  c: Case,
  folder: string,
  pool: WorkerPool,
  quick: boolean,
  record: (group: string, subject: string, unit: string, contenders: Contender[]) => Promise<number[]>,
): Promise<string[]> {
  const n = quick ? 100_000 : 1_000_000;
  const workers = nameOf(pool);
  const generator = boltzmannGenerator(c.system, c.flow);
  const model = join(folder, MODEL);
  const bytes = encodeModel(generator);
  writeFileSync(model, bytes);
  const out = (round: number) => join(folder, `samples-${round}`);
  let round = 0;
  const written = (body: (path: string) => Promise<unknown> | unknown) =>
    clocked(async () => body(out(++round))).finally(() => rmSync(out(round), { recursive: true, force: true }));
  const [kernels, memory, disk, command] = await record(DISK, `${n} samples, ${workers}`, 'sample', [
    { name: "kernels' own throughput", units: n, call: () => clocked(() => kernelsOnly(bytes, n, pool)) },
    { name: 'sample(), into memory', units: n, call: () => clocked(() => sample(generator, { n, seed: SEED }, pool)) },
    {
      name: 'sampleToFolder()',
      units: n,
      call: () => written((path) => sampleToFolder(path, generator, { n, seed: SEED, model: '' }, pool)),
    },
    {
      name: 'equiflow sample, process start included',
      units: n,
      call: () =>
        written((path) =>
          childProcess([
            MAIN,
            'sample',
            model,
            '-n',
            String(n),
            '--seed',
            '1',
            '--out',
            path,
            '--workers',
            String(pool.workers),
            '--quiet',
          ]),
        ),
    },
  ]);
  const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
  return [
    `${workers}: writing to a folder costs ${percent(disk / memory - 1)} over sampling into memory.`,
    `${workers}: the command, process start included, reaches ${percent(kernels / command)} of the kernels' own throughput.`,
  ];
}
