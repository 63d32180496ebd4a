import { Command } from 'commander';
import { emitKubernetesCommand } from '../emits/kubernetes.js';
import { emitParallelCommand } from '../emits/parallel.js';
import { emitSlurmCommand } from '../emits/slurm.js';

export function emitCommand(): Command {
  return new Command('emit')
    .description('scripts that run the shards of a run on a scheduler, and merge them')
    .addCommand(emitSlurmCommand())
    .addCommand(emitKubernetesCommand())
    .addCommand(emitParallelCommand());
}
