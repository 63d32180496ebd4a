import { writeFileSync } from 'node:fs';
import { Argument, Command, Option } from 'commander';
import { makeCases } from './cases.js';
import { failures, runChecks } from './checks.js';
import { machineLine, thisMachine } from './machine.js';
import { measurePeak } from './peak.js';
import { installPeers, peersFolder, removePeers } from './peers/environment.js';
import { PEERS } from './peers/registry.js';
import { SUITES } from './suites/index.js';
import type { Suite } from './suites/suite.js';
import { checksLine, duration, failureLines, markdownTables, peakLine, skippedLines } from './table.js';

interface Options {
  readonly json?: string;
  readonly quick?: boolean;
  readonly peers: boolean;
}

const print = (text: string) => void process.stdout.write(`${text}\n`);

async function run(names: readonly string[], { json, quick = false, peers }: Options): Promise<void> {
  const machine = thisMachine();
  print(`${machineLine(machine)}\n`);
  const cases = makeCases();
  const checks = runChecks(cases);
  const failed = failures(checks);
  if (failed.length > 0) {
    process.stderr.write(`${failureLines(failed)}\n`);
    process.exitCode = 1;
    return;
  }
  print(checksLine(checks));
  const peak = measurePeak();
  print(peakLine(peak));
  const wanted: readonly Suite[] = SUITES.filter(({ name }) => names.length === 0 || names.includes(name));
  const results: Record<string, unknown> = {};
  const onMeasurement = process.stderr.isTTY
    ? (m: { subject: string; contender: string; unit: string; seconds: { median: number } }) =>
        process.stderr.write(`\r\x1b[K${m.subject}, ${m.contender}: ${duration(m.seconds.median)}/${m.unit}`)
    : () => {};
  for (const suite of wanted) {
    print(`\n## ${suite.name}: ${suite.about}\n`);
    const result = await suite.run({ cases, peak, quick, peers: peers ? PEERS : [], onMeasurement });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    print(markdownTables(result.measurements));
    for (const note of result.notes) print(`- ${note}`);
    process.stdout.write(skippedLines(result.skipped));
    results[suite.name] = result;
  }
  if (json !== undefined) {
    const record = { machine, date: new Date().toISOString(), quick, peak, checks, suites: results };
    writeFileSync(json, `${JSON.stringify(record, null, 2)}\n`);
  }
}

const program = new Command('bench')
  .description(
    'Measures equiflow, beside its peers where they are installed. Correctness is checked before anything is timed.',
  )
  .enablePositionalOptions();

program
  .command('run', { isDefault: true })
  .addArgument(
    new Argument('[suites...]', 'what to measure; everything by default').choices(SUITES.map(({ name }) => name)),
  )
  .option('--json <path>', 'also write machine, versions and all results to a JSON file')
  .option('--quick', 'a fraction of the measuring time: for a look, not for numbers to quote')
  .addOption(new Option('--no-peers', 'leave the peers out even where they are installed'))
  .action(run);

program
  .command('peers')
  .description(
    `PyTorch, JAX, NumPy, TensorFlow.js in a folder of their own (${peersFolder()}; $EQUIFLOW_PEERS names another)`,
  )
  .addArgument(new Argument('<action>').choices(['install', 'remove', 'list']))
  .action((action: 'install' | 'remove' | 'list') => {
    if (action === 'install') installPeers(print);
    else if (action === 'remove') removePeers();
    for (const { title, missing } of PEERS) print(`${title}: ${missing() ?? 'ready'}`);
  });

await program.parseAsync();
