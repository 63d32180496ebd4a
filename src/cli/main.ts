#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { EquiflowError } from '../errors.js';
import { removeTemporaries } from '../formats/index.js';
import { VERSION } from '../version.js';
import { doctorCommand } from './commands/doctor.js';
import { energyCommand } from './commands/energy.js';
import { exportCommand } from './commands/export.js';
import { freeEnergyCommand } from './commands/free-energy.js';
import { logProbCommand } from './commands/log-prob.js';
import { minimizeCommand } from './commands/minimize.js';
import { paperCommand } from './commands/paper.js';
import { reportCommand } from './commands/report.js';
import { reweightCommand } from './commands/reweight.js';
import { sampleCommand } from './commands/sample.js';
import { simulateCommand } from './commands/simulate.js';
import { systemsCommand } from './commands/systems.js';
import { trainCommand } from './commands/train.js';

const USAGE = 2;
const BUG = 70;
const INTERRUPTED = 75;

const EXIT_CODES = `
Exit codes: 0 done; 2 usage, unknown system or option; 65 bad or corrupt data; 66 input missing; 69 engine or optional
part not available; 70 a bug; 73 cannot create output; 74 I/O, disk full; 75 interrupted, run it again.`;

function program(): Command {
  const root = new Command('equiflow')
    .description('Equivariant Boltzmann generators for many-body systems.')
    .version(VERSION)
    .addHelpText('after', EXIT_CODES);
  const commands = [
    systemsCommand(),
    simulateCommand(),
    trainCommand(),
    sampleCommand(),
    logProbCommand(),
    energyCommand(),
    reweightCommand(),
    freeEnergyCommand(),
    reportCommand(),
    minimizeCommand(),
    exportCommand(),
    paperCommand(),
    doctorCommand(),
  ];
  for (const command of commands) root.addCommand(command);
  for (const command of [root, ...commands]) command.exitOverride().configureOutput({ outputError: () => {} });
  return root;
}

/** Runs one command line; returns the exit code and has printed at most one line of error. */
async function main(argv: string[]): Promise<number> {
  try {
    await program().parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (error.code === 'commander.help') return USAGE;
      return fail(error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '), USAGE);
    }
    if (error instanceof EquiflowError) return fail(error.message, error.exitCode);
    if ((error as Error).name === 'AbortError') return fail('interrupted; run it again', INTERRUPTED);
    return fail(`this is a bug: ${(error as Error).stack ?? error}`, BUG);
  } finally {
    removeTemporaries();
  }
}

function fail(message: string, code: number): number {
  process.stderr.write(`equiflow: ${message}\n`);
  return code;
}

// A reader that has seen enough, such as head, is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await main(process.argv);
