import { dirname, join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { type KubernetesOptions, kubernetesManifests } from '../../cluster/emit/kubernetes.js';
import { integer } from '../options.js';
import { type EmitOptions, runFacts, withEmitOptions, writeEmitted } from './run.js';

interface Options extends EmitOptions, Omit<KubernetesOptions, 'mount'> {
  mount?: string;
}

export function emitKubernetesCommand(): Command {
  const command = new Command('k8s')
    .alias('kubernetes')
    .description(
      'an Indexed Job for Kubernetes and a Job that merges; run.sh runs one after the other, and again what is missing',
    );
  return withEmitOptions(command, 'equiflow in the image')
    .addOption(new Option('--image <image>', 'container image with equiflow').makeOptionMandatory())
    .addOption(
      new Option(
        '--claim <name>',
        'PersistentVolumeClaim with the run folder, which many pods may write (ReadWriteMany)',
      ).makeOptionMandatory(),
    )
    .addOption(new Option('--mount <path>', 'where pods mount the claim (default: the folder of the run folder)'))
    .addOption(
      new Option('--cpus <integer>', 'processors and threads of a shard').default(4).argParser(integer(1, 1024)),
    )
    .addOption(
      new Option('--memory <size>', 'memory of a shard, as in 2Gi (default: 256 MiB and 128 MiB for each of --cpus)'),
    )
    .addOption(
      new Option('--max-running <integer>', 'shards that run at once at most (default: 1000)').argParser(
        integer(1, 1e4),
      ),
    )
    .addOption(new Option('--namespace <name>', 'namespace of the jobs (default: that of kubectl)'))
    .addOption(
      new Option('--user <id>', 'user and group of the processes, who may write the claim (default: 1000)').argParser(
        integer(1, 2 ** 31 - 1),
      ),
    )
    .addOption(
      new Option('--name <name>', "name of the jobs (default: equiflow, the job, and digits of the plan's hash)"),
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  // The path of this Node.js means nothing in an image.
  const facts = await runFacts({ ...options, command: options.command ?? 'equiflow' });
  const files = kubernetesManifests(facts, { mount: dirname(facts.run), ...options });
  await writeEmitted(facts.run, files, `next: ${join(relative('.', facts.run), 'kubernetes/run.sh')}`);
}
