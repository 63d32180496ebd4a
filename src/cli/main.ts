#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { EquiflowError } from '../errors.js';
import { removeTemporaries } from '../formats/temporaries.js';
import { VERSION } from '../version.js';

const USAGE = 2;
const BUG = 70;
const INTERRUPTED = 75;

const EXIT_CODES = `
Exit codes: 0 done; 2 usage, unknown system or option; 65 bad or corrupt data; 66 input missing; 69 engine or optional
part not available; 70 a bug; 73 cannot create output; 74 I/O, disk full; 75 interrupted, run it again.`;

/** Commands in the order of the help. Only the one that runs is loaded: all of them take several times as long. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  systems: async () => (await import('./commands/systems.js')).systemsCommand(),
  simulate: async () => (await import('./commands/simulate.js')).simulateCommand(),
  train: async () => (await import('./commands/train.js')).trainCommand(),
  sample: async () => (await import('./commands/sample.js')).sampleCommand(),
  'log-prob': async () => (await import('./commands/log-prob.js')).logProbCommand(),
  energy: async () => (await import('./commands/energy.js')).energyCommand(),
  reweight: async () => (await import('./commands/reweight.js')).reweightCommand(),
  'free-energy': async () => (await import('./commands/free-energy.js')).freeEnergyCommand(),
  report: async () => (await import('./commands/report.js')).reportCommand(),
  minimize: async () => (await import('./commands/minimize.js')).minimizeCommand(),
  export: async () => (await import('./commands/export.js')).exportCommand(),
  plan: async () => (await import('./commands/plan.js')).planCommand(),
  emit: async () => (await import('./commands/emit.js')).emitCommand(),
  shard: async () => (await import('./commands/shard.js')).shardCommand(),
  status: async () => (await import('./commands/status.js')).statusCommand(),
  merge: async () => (await import('./commands/merge.js')).mergeCommand(),
  verify: async () => (await import('./commands/verify.js')).verifyCommand(),
  paper: async () => (await import('./commands/paper.js')).paperCommand(),
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
};

/** The program with the command called `name`, or with all of them if there is no such command. */
async function program(name = ''): Promise<Command> {
  const root = new Command('equiflow')
    .description('Equivariant Boltzmann generators for many-body systems.')
    .version(VERSION)
    .addHelpText('after', EXIT_CODES);
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  const commands = await Promise.all(wanted.map((load) => load()));
  for (const command of commands) root.addCommand(command);
  for (const command of withSubcommands(root)) command.exitOverride().configureOutput({ outputError: () => {} });
  return root;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Runs one command line; returns the exit code and has printed at most one line of error. */
async function main(argv: string[]): Promise<number> {
  try {
    await (await program(argv[2])).parseAsync(argv);
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

// Nor is one that does not want to hear of progress.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv);
