import { Command, Option } from 'commander';
import { planReweighting } from '../../cluster/jobs/reweight-job.js';
import { shardCount, writeRun } from '../../cluster/plan.js';
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
import { type CutOptions, firstIndexOption, runOption, shardsOption } from './options.js';

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
  return withArrayOptions(withReweightingOptions(command, PROFILES))
    .addOption(
      new Option('--no-check', 'do not read all input once, to compare it with its checksums and to know it again'),
    )
    .addOption(shardsOption())
    .addOption(firstIndexOption())
    .addOption(runOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

async function run(path: string | undefined, options: Options): Promise<void> {
  const { shards, firstIndex, out, check } = options;
  await checkFolderWritable(out, {});
  const progress = progressDisplay(options.quiet ?? false);
  const cut = { shards, firstIndex, check };
  const plan = await planReweighting(await namedSamples(path, options), asked(options), cut, {
    onProgress: progress.update,
  });
  progress.finish();
  await writeRun(out, plan);
  const { n } = plan.task;
  const facts = { out, shards: shardCount(plan), samples: n, hash: plan.hash };
  process.stdout.write(options.json ? json(facts) : `${out}: ${n} samples in ${shards} shards\n`);
}
