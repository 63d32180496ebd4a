import { Command, Option } from 'commander';
import { MODEL, planSamples } from '../../cluster/jobs/sample-job.js';
import { shardCount, writeRun } from '../../cluster/plan.js';
import { decodeModel } from '../../flows/index.js';
import { sha256 } from '../../formats/checksum.js';
import { readInput } from '../../formats/files.js';
import { withIntegrator } from '../integrator.js';
import { type IntegratorOptions, integratorOptions } from '../integrator-options.js';
import { integer, jsonOption, precisionOption, seedOption } from '../options.js';
import { json } from '../outputs.js';
import { type CutOptions, firstIndexOption, runOption, shardsOption } from './options.js';

interface Options extends CutOptions, IntegratorOptions {
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
    .addOption(shardsOption())
    .addOption(firstIndexOption())
    .addOption(runOption())
    .addOption(jsonOption());
  for (const option of integratorOptions()) command.addOption(option);
  return command.action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { count: n, seed, first, precision, shards, firstIndex, out } = options;
  const bytes = await readInput(path);
  const generator = withIntegrator(decodeModel(bytes, path).generator, options);
  const arithmetic = options.relaxed ? ('relaxed' as const) : ('strict' as const);
  const task = { model: sha256(bytes), seed, first, n, precision, arithmetic };
  const plan = planSamples(generator, task, { shards, firstIndex });
  await writeRun(out, plan, new Map([[MODEL, bytes]]));
  const facts = { out, shards: shardCount(plan), samples: n, hash: plan.hash };
  process.stdout.write(options.json ? json(facts) : `${out}: ${n} samples in ${shards} shards\n`);
}
