import { join } from 'node:path';
import { succeed } from '../commands.js';
import type { Stage } from '../stage.js';
import type { Scenario } from './scenario.js';

/** A linter of shell scripts has nothing to say about what is emitted. */
async function lint(stage: Stage): Promise<string> {
  const run = await stage.run("lint it's", { shards: 4, emit: ['slurm', '--max-running', '3'] });
  await stage.equiflow('emit', 'parallel', '--plan', run.folder, '--sshloginfile', 'machines');
  const files = ['slurm/shard.sbatch', 'slurm/merge.sbatch', 'slurm/submit.sh', 'parallel/shard.sh', 'parallel/run.sh'];
  await succeed(
    'shellcheck',
    files.map((name) => join(run.folder, name)),
  );
  return `shellcheck has no complaint about ${files.length} scripts`;
}

export const SCRIPTS: readonly Scenario[] = [{ name: 'emitted scripts', play: lint }];
