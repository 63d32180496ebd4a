import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, type Outcome, until } from './commands.js';
import { isNode, processesWith, signalAll } from './processes.js';
import { assertSameFolder, type Stage } from './stage.js';

/** Variable by which everything that the scripts of a run start is known. */
const RUN_MARK = 'EQUIFLOW_TEST_RUN';

/** Positions of two blocks in f32, so that one of them is surely accounted for. */
const BLOCKS_BYTES = 2 * 32768 * 8 * 4;

/** What submit.sh has put into the queue. */
export interface Submission {
  readonly array: string;
  readonly merge: string;
  /** Indices of the array, as sbatch takes them. */
  readonly shards: string;
}

/** A run folder in the hands of a scenario. */
export class TestRun {
  constructor(
    private readonly stage: Stage,
    readonly folder: string,
    readonly merged: string,
    readonly steps: number,
  ) {}

  submission(...args: string[]): Promise<Outcome> {
    return this.#script('slurm/submit.sh', args);
  }

  parallel(): Promise<Outcome> {
    return this.#script('parallel/run.sh', []);
  }

  #script(name: string, args: readonly string[]): Promise<Outcome> {
    const { cwd, env } = this.stage.here;
    return attempt(join(this.folder, name), args, { cwd, env: { ...env, [RUN_MARK]: this.folder } });
  }

  async submit(...args: string[]): Promise<Submission> {
    const { code, stdout, stderr } = await this.submission(...args);
    assert.equal(code, 0, stderr);
    const found = /^job (\d+): shards (\S+)\njob (\d+): merge\n$/.exec(stdout);
    assert.ok(found, `submit.sh prints ${stdout}`);
    return { array: found[1], shards: found[2], merge: found[3] };
  }

  /** Waits until none of its jobs waits or runs any more. */
  async settled(): Promise<void> {
    await until(
      `jobs of ${this.folder} end`,
      async () => (await this.stage.cluster.queue(this.folder)).length === 0,
      90,
    );
  }

  /** What its scripts have started, by variables that it has further. */
  processes(variables: Readonly<Record<string, string>> = {}): number[] {
    return processesWith({ ...variables, [RUN_MARK]: this.folder });
  }

  /** The indices that `status` has for each state. */
  async status(): Promise<Readonly<Record<'done' | 'running' | 'missing', number[]>>> {
    return JSON.parse(await this.stage.equiflow('status', '--plan', this.folder, '--json'));
  }

  /**
   * Stops a shard that is at work on its data, so that what a scenario does to it comes underway however fast the machine is.
   * @param variables by which the scheduler's task is known
   * @returns its process
   */
  async freeze(index: number, variables: Readonly<Record<string, string>>): Promise<number> {
    const pid = await until(`shard ${index} is at work`, () =>
      this.#temporary(index) === undefined ? undefined : this.processes(variables).find(isNode),
    );
    signalAll([pid], 'SIGSTOP');
    return pid;
  }

  freezeTask(array: string, index: number): Promise<number> {
    return this.freeze(index, { SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: `${index}` });
  }

  /** Whether the writer at work on a shard has finished some of its blocks, several of which are still to come. */
  hasBlocks(index: number): boolean {
    const path = this.#temporary(index);
    return path !== undefined && 512 * statSync(path).blocks > BLOCKS_BYTES;
  }

  #temporary(index: number): string | undefined {
    const writers = join(this.folder, 'shards/writers');
    const start = `.${String(index).padStart(5, '0')}.`;
    const names = existsSync(writers) ? readdirSync(writers) : [];
    const name = names.find((name) => name.startsWith(start) && name.endsWith('.tmp'));
    return name === undefined ? undefined : join(writers, name);
  }

  /** When each finished shard was written. */
  times(): ReadonlyMap<string, number> {
    const shards = join(this.folder, 'shards');
    const names = readdirSync(shards).filter((name) => /^\d+\.(json|safetensors)$/.test(name));
    return new Map(names.map((name) => [name, statSync(join(shards, name)).mtimeMs]));
  }

  /** Names of all files that are no finished shard. */
  leftovers(): string[] {
    const names = (folder: string) => readdirSync(join(this.folder, folder));
    const others = names('shards').filter((name) => !/^(\d+\.(json|safetensors)|writers)$/.test(name));
    return [...others, ...names('shards/writers')];
  }

  log(name: string): string {
    return readFileSync(join(this.folder, 'slurm/log', name), 'utf8');
  }

  isMerged(): boolean {
    return existsSync(this.merged);
  }

  /** The merged set has the bytes of one process, and its shards verify. */
  async assertSerial(): Promise<void> {
    assert.ok(this.isMerged(), 'the run is merged');
    assertSameFolder(this.merged, await this.stage.reference(this.steps));
    await this.stage.equiflow('verify', '--plan', this.folder);
  }
}
