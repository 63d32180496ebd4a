import { Command, Option } from 'commander';
import { withIntegratorOptions } from '../integrator-options.js';
import {
  countOption,
  firstOption,
  integer,
  jsonOption,
  outOption,
  precisionOption,
  quietOption,
  seedOption,
  workersOption,
} from '../options.js';
import type { SamplingOptions } from '../sampling.js';
import { inSession } from '../session.js';

const TASKS = new URL('../../sampling/tasks.js', import.meta.url);

export function sampleCommand(): Command {
  const command = new Command('sample')
    .description(
      'draw independent samples with exact log q, energies and log-weights; into a folder or HDF5, the same command goes on after a stop',
    )
    .argument('<model>', 'model file (safetensors)')
    .addOption(countOption('samples'))
    .addOption(seedOption())
    .addOption(firstOption())
    .addOption(outOption('.npz file; for sets of any size a folder of .npy, or .h5 (HDF5 in the layout of H5MD)'))
    .addOption(precisionOption('f32'))
    .addOption(
      new Option(
        '--verify [count]',
        'measure the discretisation error on some of the samples, 1000 by default',
      ).argParser(integer(1, 1e6)),
    )
    .option(
      '--relaxed',
      'fused multiply-adds where the processor has them: some percent faster, last bits differ between machines; the manifest says so',
    )
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption());
  return withIntegratorOptions(command).action(run);
}

/** Workers start while the rest of the program is loaded. */
async function run(path: string, options: SamplingOptions): Promise<void> {
  await inSession({ ...options, preload: TASKS }, async (session) => {
    const { drawSamples } = await import('../sampling.js');
    await drawSamples(path, options, session);
  });
}
