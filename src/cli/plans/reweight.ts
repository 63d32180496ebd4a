import { Command, Option } from 'commander';
import { unitBytes } from '../../cluster/job.js';
import { openReweightJob, planReweighting } from '../../cluster/jobs/reweight-job.js';
import { recut, writeRun } from '../../cluster/plan.js';
import { blocksRate } from '../../cluster/rate.js';
import { checkFolderWritable } from '../../formats/files.js';
import { jsonOption, quietOption } from '../options.js';
import { json } from '../outputs.js';
import { progressDisplay } from '../progress.js';
import {
  asked,
  namedSamples,
  PROFILES,
  type ReweightingInput,
  withArrayOptions,
  withReweightingOptions,
} from '../reweighting-inputs.js';
import { type CutOptions, shardsFor, withCutOptions } from './options.js';

interface Options extends CutOptions, ReweightingInput {
  check: boolean;
  quiet?: boolean;
  json?: boolean;
}

export function planReweightCommand(): Command {
  const command = new Command('reweight')
    .description(
      'what samples say of a target, as `equiflow reweight` finds it; a shard has 4096 samples or a multiple',
    )
    .argument('[samples]', 'sample set (.npz, folder or HDF5); may be left out with --log-q and --energy or --system');
  return withCutOptions(withArrayOptions(withReweightingOptions(command, PROFILES)))
    .addOption(
      new Option('--no-check', 'do not read all input once, to compare it with its checksums and to know it again'),
    )
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

async function run(path: string | undefined, options: Options): Promise<void> {
  const { firstIndex, out, check } = options;
  await checkFolderWritable(out, {});
  const progress = progressDisplay(options.quiet ?? false);
  const cut = { shards: options.shards ?? 1, firstIndex, check };
  const context = { onProgress: progress.update };
  const named = await namedSamples(path, options);
  const whole = await planReweighting(named, asked(options), cut, context).finally(progress.finish);
  const job = openReweightJob({ folder: out, plan: whole });
  const { shards, choice, text } = await shardsFor(options, {
    units: job.units,
    unit: 'samples',
    grain: () => job.grain,
    unitBytes: unitBytes(job),
    rate: (session) => blocksRate(job, session),
  });
  const plan = recut(whole, job, shards);
  await writeRun(out, plan);
  const facts = { out, shards, samples: job.units, hash: plan.hash, choice };
  process.stdout.write(options.json ? json(facts) : `${out}: ${job.units} samples in ${text}\n`);
}
