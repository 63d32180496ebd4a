#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { EquiflowError, IoError } from '../errors.js';
import { asInputError, asOutputError } from '../formats/system-errors.js';
import { removeTemporaries } from '../formats/temporaries.js';
import { VERSION } from '../version.js';
import { SIGNALS } from './signals.js';

const USAGE = 2;
const BUG = 70;
const IO = 74;
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
  root.hook('preAction', stopListening);
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
    // What the program itself is read from may fail as well, such as a network file system.
    const failure = asInputError(error, (error as NodeJS.ErrnoException).path ?? 'a file');
    if (failure instanceof IoError) return fail(failure.message, failure.exitCode);
    return fail(`this is a bug: ${(error as Error).stack ?? error}`, BUG);
  } finally {
    removeTemporaries();
  }
}

function fail(message: string, code: number): number {
  process.stderr.write(`equiflow: ${message}\n`);
  return code;
}

/** An interruption while the program is still loaded; from then on commands know what to do with theirs. */
function onEarlySignal(): void {
  process.exit(fail('interrupted; run it again', INTERRUPTED));
}

function stopListening(): void {
  for (const signal of SIGNALS) process.off(signal, onEarlySignal);
}

for (const signal of SIGNALS) process.on(signal, onEarlySignal);

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, such as head, is no failure of ours.
  if (error.code === 'EPIPE') process.exit(0);
  // A log on a full disk is; once is enough to say so.
  if (process.exitCode !== IO) process.exitCode = fail((asOutputError(error, 'standard output') as Error).message, IO);
});
// Whoever does not want to hear of progress, or cannot hear of errors, still has the exit code.
process.stderr.on('error', () => {});

const code = await main(process.argv);
process.exitCode ||= code;
