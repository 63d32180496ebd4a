import { Command, Option } from 'commander';
import { type JobKind, type Run, readRun, removeLeftovers } from '../../cluster/index.js';
import type { MergeOptions } from '../merges/options.js';
import { jsonOption, quietOption } from '../options.js';
import { planOption } from '../run-options.js';

/** What becomes of the shards of each kind of job. Only the code of the kind at hand is loaded. */
const MERGES: Readonly<Record<JobKind, () => Promise<(run: Run, options: MergeOptions) => Promise<void>>>> = {
  sample: async () => (await import('../merges/sample.js')).mergeSampleRun,
  simulate: async () => (await import('../merges/simulate.js')).mergeSimulateRun,
  reweight: async () => (await import('../merges/reweight.js')).mergeReweightRun,
};

export function mergeCommand(): Command {
  return new Command('merge')
    .description('one result of all shards: the bytes and figures that one process would have given')
    .addOption(planOption())
    .addOption(new Option('--out <path>', 'result, named as for the command of the job (default: only the figures)'))
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

async function run({ plan, ...options }: MergeOptions & { plan: string }): Promise<void> {
  const opened = await readRun(plan);
  const merge = await MERGES[opened.plan.job]();
  await merge(opened, options);
  await removeLeftovers(opened);
}
