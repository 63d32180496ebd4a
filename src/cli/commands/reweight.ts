import { Command, Option } from 'commander';
import { UsageError } from '../../errors.js';
import { checkWritable } from '../../formats/index.js';
import type { ProfileRequest } from '../../reweighting/index.js';
import { reweight } from '../../sampling/index.js';
import { jsonOption, positive, quietOption, workersOption } from '../options.js';
import { json } from '../outputs.js';
import { writeProfiles } from '../profiles.js';
import { appendProfile, COORDINATES, openInput, type ReweightingInput } from '../reweighting-inputs.js';
import { reweightingJson, reweightingText } from '../reweighting-text.js';
import { inSession } from '../session.js';

interface Options extends ReweightingInput {
  profile?: ProfileRequest[];
  states?: string[];
  out?: string;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function reweightCommand(): Command {
  return new Command('reweight')
    .description(
      'what samples say of the target: n, ESS, Pareto k̂, log Z, entropies, averages, profiles and free-energy differences with errors, and a verdict',
    )
    .argument('[samples]', 'sample set (.npz, folder or HDF5); may be left out with --log-q and --energy or --system')
    .addOption(new Option('--kT <temperature>', "target temperature (default: the sample set's)").argParser(positive))
    .addOption(new Option('--energy <path>', 'energies [n] of the target instead of the stored ones'))
    .addOption(
      new Option('--system <system>', 'another target, whose energies are evaluated from x').conflicts('energy'),
    )
    .addOption(new Option('--log-q <path>', 'log-densities [n] instead of the stored ones'))
    .addOption(new Option('--x <path>', 'configurations [n, N, D] instead of the stored ones'))
    .addOption(new Option('--observable <coordinate...>', 'averages: coordinates, or name=path.npy of values [n]'))
    .addOption(
      new Option(
        '--profile <coordinate...>',
        'histogram and free energy, as coordinate[:bins[:min,max[:reference]]]',
      ).argParser(appendProfile),
    )
    .addOption(new Option('--states <state...>', 'populations, and free energies relative to the first state'))
    .addOption(new Option('--out <path>', 'profiles as .csv or .npz'))
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .addHelpText('after', COORDINATES)
    .action(run);
}

async function run(path: string | undefined, options: Options): Promise<void> {
  const { profile = [], states = [], out } = options;
  if (out !== undefined) {
    if (profile.length === 0) throw new UsageError('--out: nothing to write, expected a --profile');
    if (!/\.(csv|npz)$/.test(out)) throw new UsageError(`--out ${out}: expected a name that ends in .csv or .npz`);
    await checkWritable(out);
  }
  const { samples, stored: _, ...question } = await openInput(path, options);
  const { kT } = question;
  await inSession(options, async ({ pool, progress, signal }) => {
    const asked = { ...question, profiles: profile, states, onProgress: progress.update, signal };
    const result = await reweight(samples, asked, pool);
    progress.finish();
    if (out !== undefined) await writeProfiles(out, result, { kT, source: path ?? null });
    process.stdout.write(options.json ? json(reweightingJson(result, kT)) : reweightingText(result, kT));
  });
}
