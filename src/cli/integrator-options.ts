import { type Command, Option } from 'commander';
import type { Integrator } from '../integrators/index.js';
import { integer, nonNegative, positive } from './options.js';

/** Options that replace a model's integrator. */
export interface IntegratorOptions {
  integrator?: Integrator['kind'];
  steps?: number;
  rtol?: number;
  atol?: number;
  atolLogDet?: number;
  maxSteps?: number;
}

/** The command with these options. */
export function withIntegratorOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--integrator <kind>', "instead of the model's: fixed or adaptive steps").choices(['rk4', 'dopri5']),
    )
    .addOption(new Option('--steps <integer>', 'steps of rk4').argParser(integer(1, 10_000)))
    .addOption(
      new Option('--rtol <number>', 'relative tolerance of dopri5 on positions, 1e-6 by default').argParser(positive),
    )
    .addOption(
      new Option('--atol <number>', 'absolute tolerance on positions, that of --rtol by default').argParser(
        nonNegative,
      ),
    )
    .addOption(
      new Option('--atol-log-det <nats>', 'tolerance on log-det, 100 times --rtol by default').argParser(positive),
    )
    .addOption(
      new Option('--max-steps <integer>', 'steps of dopri5 after which a sample is given up').argParser(
        integer(1, 1e6),
      ),
    );
}
