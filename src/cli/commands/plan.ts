import { Command } from 'commander';
import { planReweightCommand } from '../plans/reweight.js';
import { planSampleCommand } from '../plans/sample.js';
import { planSimulateCommand } from '../plans/simulate.js';

export function planCommand(): Command {
  return new Command('plan')
    .description('cut a computation into shards for a cluster')
    .addCommand(planSampleCommand())
    .addCommand(planSimulateCommand())
    .addCommand(planReweightCommand());
}
