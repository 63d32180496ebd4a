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
import { type Contender, measured, QUICK_ROUNDS, type RoundsEffort, takeTurns } from '../rounds.js';
import type { Bench } from './suite.js';

const ROUNDS: RoundsEffort = { least: 5, most: 9, seconds: 6 };
const POOL = 'sampling on the worker pool with energies and weights, f32, by the clock';
const DISK = 'DW4 to disk and from process start, f32, two workers, by the clock';
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const DRAW = { module: new URL('../kernel-throughput.js', import.meta.url), name: 'draw' };
const FIRST = fileURLToPath(new URL('../first-samples.js', import.meta.url));
/** Samples of one call on the pool: about a fifth of a second of one core. */
const POOL_SAMPLES: Readonly<Record<string, number>> = { DW4: 1 << 18, LJ13: 1 << 15, LJ55: 1 << 11 };

async function clocked(body: () => Promise<unknown>): Promise<{ wall: number; cpu: number }> {
  const start = performance.now();
  await body();
  return { wall: (performance.now() - start) / 1e3, cpu: Number.NaN };
}

function childProcess(args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${stderr}`);
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
      const n = POOL_SAMPLES[c.label];
      const contenders = pools.map((pool) => ({
        name: pool.workers === 1 ? '1 worker' : `${pool.workers} workers`,
        units: n,
        call: () => clocked(() => sample(generator, { n, seed: SEED }, pool)),
      }));
      const [one, two] = await record(POOL, c.label, 'sample', contenders);
      notes.push(`${c.label}: two workers are ${(one / two).toFixed(2)} times as fast as one.`);
    }
    notes.push(...(await toDisk(cases[0], folder, pools[1], quick, record)));
  } finally {
    await Promise.all(pools.map((pool) => pool.close()));
    rmSync(folder, { recursive: true, force: true });
  }
  return { measurements, notes };
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
  const generator = boltzmannGenerator(c.system, c.flow);
  const model = join(folder, 'model.safetensors');
  const bytes = encodeModel(generator);
  writeFileSync(model, bytes);
  const out = (round: number) => join(folder, `samples-${round}`);
  let round = 0;
  const written = (body: (path: string) => Promise<unknown> | unknown) =>
    clocked(async () => body(out(++round))).finally(() => rmSync(out(round), { recursive: true, force: true }));
  const [kernels, memory, disk, command] = await record(DISK, `${n} samples`, 'sample', [
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
            '2',
            '--quiet',
          ]),
        ),
    },
  ]);
  await record(DISK, 'first 1,000 samples of a fresh process', 'start', [
    {
      name: 'import equiflow, prepare, sample',
      units: 1,
      call: () => clocked(async () => childProcess([FIRST, model])),
    },
    { name: 'node alone', units: 1, call: () => clocked(async () => childProcess(['-e', ''])) },
  ]);
  const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
  return [
    `Writing to a folder costs ${percent(disk / memory - 1)} over sampling into memory.`,
    `The command, process start included, reaches ${percent(kernels / command)} of the kernels' own throughput on two workers.`,
  ];
}
