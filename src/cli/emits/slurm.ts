import { join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { shellWords } from '../../cluster/emit/emit.js';
import { type SlurmOptions, slurmScripts } from '../../cluster/emit/slurm.js';
import { integer } from '../options.js';
import { type EmitOptions, lines, runFacts, withEmitOptions, writeEmitted } from './run.js';

export function emitSlurmCommand(): Command {
  const command = new Command('slurm').description(
    'a job array for Slurm with a dependent merge; submit.sh submits what is missing, again and again',
  );
  return withEmitOptions(command)
    .addOption(
      new Option('--time <time>', 'walltime of a shard and of the merge, as sbatch takes it').default('01:00:00'),
    )
    .addOption(
      new Option(
        '--margin <seconds>',
        'TERM so long before the walltime, to write what is done (default: 120, or a quarter of a short walltime)',
      ).argParser(integer(5, 65535)),
    )
    .addOption(new Option('--cpus <integer>', 'threads of a shard').default(4).argParser(integer(1, 1024)))
    .addOption(
      new Option('--memory <size>', 'memory of a shard, as sbatch takes it (default: 2G, or 256M for each of --cpus)'),
    )
    .addOption(new Option('--partition <name>', 'partition, or several with commas'))
    .addOption(new Option('--account <name>', 'account that is charged'))
    .addOption(new Option('--max-running <integer>', 'shards that run at once at most').argParser(integer(1, 1e6)))
    .addOption(
      new Option('--max-array <index>', 'largest array index of the cluster, one less than its MaxArraySize')
        .default(1000)
        .argParser(integer(0, 4e6)),
    )
    .addOption(
      new Option('--name <name>', 'name of the jobs (default: equiflow, the job, and digits of the plan’s hash)'),
    )
    .addOption(lines('--extra', 'further option of sbatch, as in --extra=--qos=long'))
    .addOption(lines('--setup', 'line of shell before equiflow starts, such as "module load nodejs"'))
    .action(run);
}

async function run(options: EmitOptions & SlurmOptions): Promise<void> {
  const facts = await runFacts(options);
  const submit = join(relative('.', facts.run), 'slurm/submit.sh');
  await writeEmitted(facts.run, slurmScripts(facts, options), `next: ${shellWords([submit])}`);
}
