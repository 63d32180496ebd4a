import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../docs/documents.js';
import { attempt, type Outcome, type Surroundings, succeed } from './commands.js';
import type { SlurmCluster } from './slurm-cluster.js';
import { TestRun } from './test-run.js';

/** Samples of every run here: 16 blocks, of a second or so in all. */
export const SAMPLES = 16 * 32768;

/** Runge–Kutta steps make a sample as expensive as a scenario needs it. */
export const STEPS = 200;

const MAIN = join(PROJECT, 'dist/src/cli/main.js');

export interface RunOptions {
  readonly shards: number;
  readonly steps?: number;
  /** What to emit for and with which options. */
  readonly emit?: readonly string[];
}

/** Emitted for this cluster: small tasks on virtual nodes. */
export const SLURM = ['slurm', '--time', '5', '--cpus', '1', '--memory', '500M'];

/** Where scenarios play: a cluster, a model, and what one process makes of it. */
export class Stage {
  readonly #references = new Map<number, Promise<string>>();

  constructor(
    readonly cluster: SlurmCluster,
    readonly folder: string,
  ) {}

  async prepare(): Promise<void> {
    await this.equiflow('simulate', 'dw4', '-n', '1000', '--seed', '1', '--out', 'data.npz', '--quiet');
    await this.equiflow('train', 'dw4', '--data', 'data.npz', '--steps', '20', '--out', 'model.safetensors', '--quiet');
  }

  get here(): Surroundings {
    return { cwd: this.folder, env: this.cluster.env };
  }

  equiflow(...args: string[]): Promise<string> {
    return succeed(process.execPath, [MAIN, ...args], this.here);
  }

  attempt(...args: string[]): Promise<Outcome> {
    return attempt(process.execPath, [MAIN, ...args], this.here);
  }

  /** A run, planned and emitted. */
  async run(name: string, { shards, steps = STEPS, emit = SLURM }: RunOptions): Promise<TestRun> {
    await this.equiflow(
      ...['plan', 'sample', 'model.safetensors', '-n', `${SAMPLES}`, '--seed', '1', '--steps', `${steps}`],
      ...['--shards', `${shards}`, '--out', name],
    );
    const merged = join(this.folder, `${name}-samples`);
    await this.equiflow('emit', ...emit, '--plan', name, '--out', merged);
    return new TestRun(this, join(this.folder, name), merged, steps);
  }

  /** Folder of the same samples by one process; drawn once for each number of steps. */
  reference(steps: number): Promise<string> {
    let reference = this.#references.get(steps);
    if (reference === undefined) {
      mkdirSync(join(this.folder, 'serial'), { recursive: true });
      const out = join(this.folder, 'serial', `${steps}`);
      reference = this.equiflow(
        ...['sample', 'model.safetensors', '-n', `${SAMPLES}`, '--seed', '1', '--steps', `${steps}`],
        ...['--out', out, '--quiet'],
      ).then(() => out);
      this.#references.set(steps, reference);
    }
    return reference;
  }
}

/** Every file of one folder has the bytes that it has in the other. */
export function assertSameFolder(found: string, expected: string): void {
  const names = readdirSync(expected).sort();
  assert.ok(names.length > 0);
  assert.deepEqual(readdirSync(found).sort(), names);
  for (const name of names) {
    const same = readFileSync(join(found, name)).equals(readFileSync(join(expected, name)));
    assert.ok(same, `${name} of the merged shards has the bytes of one process`);
  }
}
