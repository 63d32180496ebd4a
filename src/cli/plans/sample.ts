import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { createSampleRun } from '../../cluster/jobs/sample-job.js';
import { samplingRate } from '../../cluster/rate.js';
import { chooseShards, DEFAULT_MINUTES, DEFAULT_THREADS, type ShardChoice } from '../../cluster/shard-choice.js';
import { type BoltzmannGenerator, decodeModel } from '../../flows/index.js';
import { checkFolderWritable, readInput } from '../../formats/files.js';
import type { Arithmetic } from '../../kernels/index.js';
import { sampleBytes } from '../../sampling/sample-files.js';
import { withIntegrator } from '../integrator.js';
import { type IntegratorOptions, integratorOptions } from '../integrator-options.js';
import { integer, jsonOption, positive, precisionOption, seedOption } from '../options.js';
import { json } from '../outputs.js';
import { inSession } from '../session.js';
import { type CutOptions, firstIndexOption, runOption, shardsOption } from './options.js';

interface Options extends Omit<CutOptions, 'shards'>, IntegratorOptions {
  shards?: number;
  minutes?: number;
  threads?: number;
  count: number;
  seed: number;
  first: number;
  precision: 'f32' | 'f64';
  relaxed?: boolean;
  json?: boolean;
}

export function planSampleCommand(): Command {
  const command = new Command('sample')
    .description('independent samples of a model, as `equiflow sample` draws them')
    .argument('<model>', 'model file (safetensors), which is copied into the run')
    .addOption(new Option('-n, --count <integer>', 'samples').argParser(integer(1, 1e12)).makeOptionMandatory())
    .addOption(seedOption())
    .addOption(
      new Option('--first <index>', 'global index of the first sample').default(0).argParser(integer(0, 2 ** 52)),
    )
    .addOption(precisionOption('f32'))
    .option(
      '--relaxed',
      'fused multiply-adds where the processor has them; shards of unlike machines may then differ in last bits',
    )
    .addOption(shardsOption().makeOptionMandatory(false).conflicts(['minutes', 'threads']))
    .addOption(
      new Option(
        '--minutes <minutes>',
        `without --shards: what a shard should take, by the speed measured here (default: ${DEFAULT_MINUTES})`,
      ).argParser(positive),
    )
    .addOption(
      new Option(
        '--threads <integer>',
        `without --shards: the threads that a shard will have (default: ${DEFAULT_THREADS})`,
      ).argParser(integer(1, 1024)),
    )
    .addOption(firstIndexOption())
    .addOption(runOption())
    .addOption(jsonOption());
  for (const option of integratorOptions()) command.addOption(option);
  return command.action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { count: n, seed, first, precision, firstIndex, out } = options;
  const model = await readInput(path);
  const generator = withIntegrator(decodeModel(model, path).generator, options);
  await checkFolderWritable(out, {});
  const choice = options.shards === undefined ? await choiceFor(generator, options) : undefined;
  const shards = options.shards ?? choice!.shards;
  const { plan } = await createSampleRun(out, model, {
    ...{ n, seed, first, precision, arithmetic: arithmeticOf(options), shards, firstIndex },
    integrator: generator.flow.integrator,
  });
  const facts = { out, shards, samples: n, hash: plan.hash, ...(choice ? { choice } : {}) };
  const text = choice ? `${out}: ${n} samples in ${choice.text}\n` : `${out}: ${n} samples in ${shards} shards\n`;
  process.stdout.write(options.json ? json(facts) : text);
}

function arithmeticOf({ relaxed }: Pick<Options, 'relaxed'>): Arithmetic {
  return relaxed ? 'relaxed' : 'strict';
}

/** Measures how fast this machine samples with the threads of a shard, or all that it has. */
function choiceFor(generator: BoltzmannGenerator, options: Options): Promise<ShardChoice> {
  const { count, precision, minutes = DEFAULT_MINUTES, threads = DEFAULT_THREADS } = options;
  const workers = Math.min(threads, availableParallelism());
  return inSession({ workers, quiet: true }, async ({ pool, signal }) => {
    const rate = await samplingRate(generator, { precision, arithmetic: arithmeticOf(options), signal }, pool);
    const { particles, dimensions } = generator.prior;
    const unitBytes = sampleBytes(particles * dimensions, precision);
    return chooseShards({ units: count, unit: 'samples', grain: 1, unitBytes, rate, threads, minutes });
  });
}
