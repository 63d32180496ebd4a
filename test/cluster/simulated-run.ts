import assert from 'node:assert/strict';
import { readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MODEL, openSampleJob, type SampleJob } from '../../src/cluster/jobs/sample-job.js';
import { evenBoundaries, makePlan, type Run, readRun, shardIndices, writeRun } from '../../src/cluster/plan.js';
import { runShard } from '../../src/cluster/shard.js';
import { shardPaths } from '../../src/cluster/shard-files.js';
import { requireComplete, runStatus } from '../../src/cluster/status.js';
import { EquiflowError, InterruptedError, IoError } from '../../src/errors.js';
import { integratedBy } from '../../src/flows/index.js';
import { ABANDONED_SECONDS } from '../../src/formats/heartbeat.js';
import { rk4 } from '../../src/integrators/index.js';
import type { WorkerPool } from '../../src/workers/index.js';
import { GENERATOR, MODEL_BYTES, TASK } from './runs.js';

/** Of a shard; two blocks, so that an attempt can be interrupted between them. */
export const SAMPLES = 16;
const BLOCK = 8;

/** As cheap as a flow can be: what is looked at here are files. */
export const CHEAP = integratedBy(GENERATOR, rk4(1));

/** What may become of one attempt at a shard. */
export const FATES = [
  'done',
  'never started',
  'killed, its file untouched for long',
  'killed a moment ago',
  'interrupted',
  'disk full',
  'two writers',
  'data truncated',
  'data gone',
  'manifest torn',
  'shard of another run',
] as const;
export type Fate = (typeof FATES)[number];

/** After these the shard is damaged, after those it was written and is not. */
const DAMAGES: ReadonlySet<Fate> = new Set(['data truncated', 'data gone', 'manifest torn']);
const WRITTEN: ReadonlySet<Fate> = new Set(['done', 'two writers', 'shard of another run']);

/** Share of the attempts that meet one of the misfortunes, each equally often. */
const MISFORTUNE = 0.2;

/** Which fate an attempt meets: the same in every run of the simulation. */
function fateOf(index: number, attempt: number, seed: number): Fate {
  // A mixing function of 32 bits, after which neighbouring shards have nothing to do with each other.
  let state = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(attempt + 1, 0x85ebca77) ^ Math.imul(seed, 0xc2b2ae3d);
  state = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
  state = Math.imul(state ^ (state >>> 15), 0x735a2d97);
  const u = ((state ^ (state >>> 15)) >>> 0) / 2 ** 32;
  if (u >= MISFORTUNE) return 'done';
  return FATES[1 + Math.floor((u / MISFORTUNE) * (FATES.length - 1))];
}

/** How a simulated run went. */
export interface Course {
  readonly rounds: number;
  /** How many attempts met each fate. */
  readonly fates: Readonly<Record<Fate, number>>;
}

/** A run of tiny shards, each an attempt at a time through the program's own functions; only time and misfortunes are made up. */
export class SimulatedRun {
  readonly #attempts = new Map<number, number>();
  /** What an attempt that was killed a moment ago has left. */
  readonly #fresh: string[] = [];

  private constructor(
    readonly run: Run,
    readonly job: SampleJob,
    private readonly pool: WorkerPool,
    private readonly seed: number,
  ) {}

  static async plan(folder: string, shards: number, pool: WorkerPool, seed = 1): Promise<SimulatedRun> {
    const task = { ...taskOf(shards), integrator: CHEAP.flow.integrator };
    const cut = { block: BLOCK, firstIndex: 0, boundaries: evenBoundaries(task.n, shards, 1, 'samples') };
    const plan = makePlan({ job: 'sample', task, ...cut });
    await writeRun(join(folder, 'run'), plan, new Map([[MODEL, MODEL_BYTES]]));
    const run = await readRun(join(folder, 'run'));
    return new SimulatedRun(run, await openSampleJob(run), pool, seed);
  }

  /**
   * Runs what is missing, looks what is missing then, and so on until nothing is. Every status is compared with what was done, and
   * a merge is refused until the end.
   * @throws AssertionError if a status is not what it should be
   */
  async finish(atOnce: number): Promise<Course> {
    const counts = Object.fromEntries(FATES.map((fate) => [fate, 0])) as Record<Fate, number>;
    const all = shardIndices(this.run.plan);
    const last = new Map<number, Fate>(all.map((index) => [index, 'never started']));
    const damaged = new Set<number>();
    for (let rounds = 0; ; rounds++) {
      // A round of so many shards may take longer than the time after which writers are taken for dead.
      for (const path of this.#fresh) await utimes(path, new Date(), new Date());
      const status = await runStatus(this.run, this.job);
      const having = (...fates: Fate[]) => all.filter((index) => fates.includes(last.get(index)!));
      const indices = (problems: readonly { index: number }[]) => problems.map(({ index }) => index);
      assert.deepEqual([...status.done.keys()], having('done', 'two writers'));
      assert.deepEqual(status.running, having('killed a moment ago'));
      assert.deepEqual(indices(status.foreign), having('shard of another run'));
      assert.deepEqual(
        indices(status.damaged),
        all.filter((index) => damaged.has(index)),
      );
      assert.equal(
        status.done.size + status.running.length + status.missing.length + status.foreign.length,
        all.length,
      );
      if (status.done.size === all.length) return { rounds, fates: counts };

      await assert.rejects(requireComplete(this.run, this.job), EquiflowError);
      for (const index of indices(status.foreign)) await this.#remove(index);
      await this.#passTime();
      for (const [index, fate] of await this.#attemptAll([...status.missing, ...indices(status.foreign)], atOnce)) {
        last.set(index, fate);
        counts[fate]++;
        // Whoever writes the shard replaces what was damaged; whoever fails leaves it.
        if (DAMAGES.has(fate)) damaged.add(index);
        else if (WRITTEN.has(fate)) damaged.delete(index);
      }
      // Those that were killed a moment ago have been dead for long by the next look.
      for (const index of status.running) last.set(index, 'killed, its file untouched for long');
    }
  }

  async #attemptAll(indices: readonly number[], atOnce: number): Promise<Map<number, Fate>> {
    const fates = new Map<number, Fate>();
    const queue = [...indices].reverse();
    const scheduler = async () => {
      for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
        fates.set(index, await this.#attempt(index));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, scheduler));
    return fates;
  }

  /** After it, whoever was killed is known to be dead. */
  async #passTime(): Promise<void> {
    for (const path of this.#fresh.splice(0)) await age(path);
  }

  /** Changes a bit of the data of a shard, which only those see who read the data. */
  async flipBit(index: number): Promise<void> {
    const { data } = shardPaths(this.run, index);
    const bytes = await readFile(data);
    bytes[bytes.length - 10] ^= 4;
    await writeFile(data, bytes);
  }

  /** One attempt without misfortune, after what stands there was taken away. */
  async redo(index: number): Promise<void> {
    await rm(shardPaths(this.run, index).manifest);
    await runShard(this.run, this.job, index, { pool: this.pool });
  }

  async #attempt(index: number): Promise<Fate> {
    const { run, job, pool } = this;
    const attempt = this.#attempts.get(index) ?? 0;
    this.#attempts.set(index, attempt + 1);
    const fate = fateOf(index, attempt, this.seed);
    const { data, manifest } = shardPaths(run, index);
    switch (fate) {
      case 'never started':
        return fate;
      case 'killed, its file untouched for long':
        await age(await leaveTemporary(data));
        return fate;
      case 'killed a moment ago':
        this.#fresh.push(await leaveTemporary(data));
        return fate;
      case 'interrupted':
        return this.#fail(index, fate, new InterruptedError('told to end'));
      case 'disk full':
        return this.#fail(index, fate, new IoError('no space left on the device'));
      case 'two writers':
        await Promise.all([runShard(run, job, index, { pool }), runShard(run, job, index, { pool })]);
        return fate;
    }
    await runShard(run, job, index, { pool });
    if (fate === 'data truncated') await truncate(data, 300);
    if (fate === 'data gone') await rm(data);
    if (fate === 'manifest torn') await truncate(manifest, 40);
    if (fate === 'shard of another run') {
      const text = await readFile(manifest, 'utf8');
      await writeFile(manifest, text.replace(run.plan.hash, run.plan.hash.replace(/^.{8}/, 'deadbeef')));
    }
    return fate;
  }

  /** An attempt that fails after the next block, unless an earlier one has left them all. */
  async #fail(index: number, fate: Fate, failure: InterruptedError | IoError): Promise<Fate> {
    const { job } = this;
    const failing: SampleJob = {
      ...job,
      async *blocks(range, context) {
        yield* job.blocks({ ...range, n: Math.min(range.n, BLOCK) }, context);
        throw failure;
      },
    };
    try {
      await runShard(this.run, failing, index, { pool: this.pool });
      return 'done';
    } catch (error) {
      if (error instanceof InterruptedError || error === failure) return fate;
      throw error;
    }
  }

  async #remove(index: number): Promise<void> {
    const { data, manifest } = shardPaths(this.run, index);
    await rm(manifest);
    await rm(data, { force: true });
  }
}

/** The samples that such a run is about, for a single process too. */
export function taskOf(shards: number) {
  // One sample short of full: the last shard has a short block.
  return { ...TASK, n: shards * SAMPLES - 1 };
}

/** Half of a file under the name of a writer on another machine. */
async function leaveTemporary(data: string): Promise<string> {
  const temporary = data.replace(/([^/]+)$/, 'writers/.$1.4711.0123456789ab.tmp');
  await writeFile(temporary, new Uint8Array(500));
  return temporary;
}

async function age(path: string): Promise<void> {
  const then = new Date(Date.now() - 2000 * ABANDONED_SECONDS);
  await utimes(path, then, then);
}
