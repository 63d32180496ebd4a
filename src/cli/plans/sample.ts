import { Command } from 'commander';
import { createSampleRun } from '../../cluster/jobs/sample-job.js';
import { samplingRate } from '../../cluster/rate.js';
import { decodeModel } from '../../flows/index.js';
import { checkFolderWritable, readInput } from '../../formats/files.js';
import { sampleBytes } from '../../sampling/sample-files.js';
import { withIntegrator } from '../integrator.js';
import { type IntegratorOptions, withIntegratorOptions } from '../integrator-options.js';
import { countOption, firstOption, jsonOption, precisionOption, seedOption } from '../options.js';
import { json } from '../outputs.js';
import { type CutOptions, shardsFor, withCutOptions } from './options.js';

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
    .addOption(countOption('samples', 1e12))
    .addOption(seedOption())
    .addOption(firstOption())
    .addOption(precisionOption('f32'))
    .option(
      '--relaxed',
      'fused multiply-adds where the processor has them; shards of unlike machines may then differ in last bits',
    );
  return withIntegratorOptions(withCutOptions(command).addOption(jsonOption())).action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { count: n, seed, first, precision, firstIndex, out } = options;
  const model = await readInput(path);
  const generator = withIntegrator(decodeModel(model, path).generator, options);
  await checkFolderWritable(out, {});
  const arithmetic = options.relaxed ? ('relaxed' as const) : ('strict' as const);
  const { particles, dimensions } = generator.prior;
  const { shards, choice, text } = await shardsFor(options, {
    units: n,
    unit: 'samples',
    grain: () => 1,
    unitBytes: sampleBytes(particles * dimensions, precision),
    rate: (session) => samplingRate(generator, { precision, arithmetic }, session),
  });
  const { plan } = await createSampleRun(out, model, {
    ...{ n, seed, first, precision, arithmetic, shards, firstIndex },
    integrator: generator.flow.integrator,
  });
  const facts = { out, shards, samples: n, hash: plan.hash, choice };
  process.stdout.write(options.json ? json(facts) : `${out}: ${n} samples in ${text}\n`);
}
