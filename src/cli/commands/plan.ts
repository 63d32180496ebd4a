import { Command } from 'commander';
import { planSampleCommand } from '../plans/sample.js';

export function planCommand(): Command {
  return new Command('plan').description('cut a computation into shards for a cluster').addCommand(planSampleCommand());
}
