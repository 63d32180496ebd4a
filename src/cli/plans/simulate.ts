import { Command } from 'commander';
import { unitBytes } from '../../cluster/job.js';
import { openSimulateJob, planSimulation } from '../../cluster/jobs/simulate-job.js';
import { recut, writeRun } from '../../cluster/plan.js';
import { chainRate } from '../../cluster/rate.js';
import { checkFolderWritable } from '../../formats/files.js';
import { loadSystem } from '../../systems/index.js';
import { jsonOption } from '../options.js';
import { json } from '../outputs.js';
import { type SimulationInput, samplingOptions, withSimulationOptions } from '../simulation.js';
import { type CutOptions, shardsFor, withCutOptions } from './options.js';

interface Options extends CutOptions, SimulationInput {
  json?: boolean;
}

export function planSimulateCommand(): Command {
  const command = new Command('simulate')
    .description('chains of a simulation, as `equiflow simulate` runs them; a shard has four of them or a multiple')
    .argument('<system>', 'system, for example dw4 or lj13:pairFactor=2');
  return withCutOptions(withSimulationOptions(command)).addOption(jsonOption()).action(run);
}

async function run(spec: string, options: Options): Promise<void> {
  const { firstIndex, out } = options;
  const system = await loadSystem(spec);
  const whole = planSimulation(system, samplingOptions(options), { shards: 1, firstIndex });
  await checkFolderWritable(out, {});
  const job = openSimulateJob({ folder: out, plan: whole });
  const { units: chains, grain } = job;
  const { shards, choice, text } = await shardsFor(options, {
    units: chains,
    unit: 'chains',
    // Four chains keep one thread busy.
    grain: (threads) => grain * threads,
    unitBytes: unitBytes(job),
    rate: (session) => chainRate(job.simulation, session),
  });
  const plan = recut(whole, job, shards);
  await writeRun(out, plan);
  const facts = { out, shards, chains, configurations: options.count, hash: plan.hash, choice };
  process.stdout.write(
    options.json ? json(facts) : `${out}: ${options.count} configurations of ${chains} chains in ${text}\n`,
  );
}
