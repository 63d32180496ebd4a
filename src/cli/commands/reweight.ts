import { Command } from 'commander';
import { reweight } from '../../sampling/index.js';
import { jsonOption, quietOption, workersOption } from '../options.js';
import {
  asked,
  openInput,
  PROFILES,
  type ReweightingInput,
  withArrayOptions,
  withReweightingOptions,
} from '../reweighting-inputs.js';
import { checkProfilesWritable, profilesOption, writeReweighting } from '../reweighting-output.js';
import { inSession } from '../session.js';

interface Options extends ReweightingInput {
  out?: string;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function reweightCommand(): Command {
  const command = new Command('reweight')
    .description(
      'what samples say of the target: n, ESS, Pareto k̂, log Z, entropies, averages, profiles and free-energy differences with errors, and a verdict',
    )
    .argument('[samples]', 'sample set (.npz, folder or HDF5); may be left out with --log-q and --energy or --system');
  return withArrayOptions(withReweightingOptions(command, PROFILES))
    .addOption(profilesOption())
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

async function run(path: string | undefined, options: Options): Promise<void> {
  const question = asked(options);
  await checkProfilesWritable(options.out, question);
  const { samples, stored: _, ...target } = await openInput(path, options);
  await inSession(options, async ({ pool, progress, signal }) => {
    const result = await reweight(samples, { ...target, ...question, onProgress: progress.update, signal }, pool);
    progress.finish();
    const facts = { kT: target.kT, source: path ?? null };
    process.stdout.write(await writeReweighting(result, facts, options));
  });
}
