import { Command } from 'commander';
import { planSimulation } from '../../cluster/jobs/simulate-job.js';
import { shardCount, writeRun } from '../../cluster/plan.js';
import { loadSystem } from '../../systems/index.js';
import { jsonOption } from '../options.js';
import { json } from '../outputs.js';
import { checkSimulationSize, type SimulationInput, samplingOptions, withSimulationOptions } from '../simulation.js';
import { type CutOptions, firstIndexOption, runOption, shardsOption } from './options.js';

interface Options extends CutOptions, SimulationInput {
  json?: boolean;
}

export function planSimulateCommand(): Command {
  const command = new Command('simulate')
    .description('chains of a simulation, as `equiflow simulate` runs them; a shard has 32 of them or a multiple')
    .argument('<system>', 'system, for example dw4 or lj13:pairFactor=2');
  return withSimulationOptions(command)
    .addOption(shardsOption())
    .addOption(firstIndexOption())
    .addOption(runOption())
    .addOption(jsonOption())
    .action(run);
}

async function run(spec: string, options: Options): Promise<void> {
  const { shards, firstIndex, out } = options;
  const system = await loadSystem(spec);
  checkSimulationSize(system, options.count);
  const plan = planSimulation(system, samplingOptions(options), { shards, firstIndex });
  await writeRun(out, plan);
  const { chains } = plan.task.settings;
  const facts = { out, shards: shardCount(plan), chains, configurations: options.count, hash: plan.hash };
  process.stdout.write(
    options.json ? json(facts) : `${out}: ${options.count} configurations of ${chains} chains in ${shards} shards\n`,
  );
}
