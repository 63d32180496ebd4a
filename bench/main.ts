import { readFileSync, writeFileSync } from 'node:fs';
import { Argument, Command, Option } from 'commander';
import { makeCases } from './cases.js';
import { chart } from './chart.js';
import { failures, runChecks } from './checks.js';
import { compareRecords, comparisonText, isRegression } from './compare.js';
import { withResults } from './document.js';
import { machineLine, thisMachine } from './machine.js';
import type { Measurement, SuiteResult } from './measurement.js';
import { measurePeak } from './peak.js';
import { installPeers, peersFolder, removePeers } from './peers/environment.js';
import { PEERS } from './peers/registry.js';
import { type BenchRecord, readRecord } from './record.js';
import { SUITES } from './suites/index.js';
import { checksLine, duration, failureLines, LEGEND, peakText, resultText } from './table.js';

interface Options {
  readonly json?: string;
  readonly markdown?: string;
  readonly svg?: string;
  readonly quick?: boolean;
  readonly peers: boolean;
  readonly relaxed?: boolean;
}

const print = (text: string) => void process.stdout.write(`${text}\n`);

/** One line on a terminal that says what was measured last. */
function live({ subject, contender, unit, seconds }: Measurement): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\x1b[K${subject}, ${contender}: ${duration(seconds.median)}/${unit}`);
}

/** Runs suites and prints each when it is done; undefined if the kernels compute something wrong. */
async function measure(
  names: readonly string[],
  { quick = false, peers, relaxed = false }: Options,
): Promise<BenchRecord | undefined> {
  const machine = thisMachine();
  print(`${machineLine(machine)}\n`);
  const cases = makeCases();
  const checks = runChecks(cases);
  const failed = failures(checks);
  if (failed.length > 0) {
    process.stderr.write(`${failureLines(failed)}\n`);
    return undefined;
  }
  print(checksLine(checks));
  const peak = measurePeak();
  print(peakText(peak));
  print(LEGEND);
  const suites: Record<string, SuiteResult> = {};
  for (const suite of SUITES.filter(({ name, onRequest }) =>
    names.length === 0 ? !onRequest : names.includes(name),
  )) {
    print(`\n## ${suite.name}: ${suite.about}\n`);
    const result = await suite.run({
      cases,
      peak,
      cores: machine.cores,
      relaxed,
      quick,
      peers: peers ? PEERS : [],
      onMeasurement: live,
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    print(resultText(result));
    suites[suite.name] = result;
  }
  return { version: 1, machine, date: new Date().toISOString(), quick, peak, checks, suites };
}

/** Writes what was asked for. */
async function keep(record: BenchRecord, { json, markdown, svg }: Options): Promise<void> {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(record, null, 2)}\n`);
  if (markdown !== undefined) {
    const sections = Object.entries(record.suites).map(([name, result]) => `## ${name}\n\n${resultText(result)}`);
    writeFileSync(markdown, `${machineLine(record.machine)}, ${record.date}\n\n${sections.join('\n')}\n`);
  }
  if (svg !== undefined) {
    writeFileSync(svg, await chart(Object.values(record.suites).flatMap(({ measurements }) => measurements)));
  }
}

async function run(names: readonly string[], options: Options): Promise<void> {
  const record = await measure(names, options);
  if (record === undefined) process.exitCode = 1;
  else await keep(record, options);
}

async function compare(before: string, after: string | undefined, options: Options): Promise<void> {
  const old = readRecord(before);
  const fresh =
    after === undefined ? await measure(Object.keys(old.suites), { ...options, quick: old.quick }) : readRecord(after);
  if (fresh === undefined) {
    process.exitCode = 1;
    return;
  }
  await keep(fresh, options);
  const report = compareRecords(old, fresh);
  print(comparisonText(report));
  if (isRegression(report)) process.exitCode = 1;
}

const outputs = (command: Command) =>
  command
    .option('--json <path>', 'also write machine, versions and all results to a JSON file')
    .option('--markdown <path>', 'also write the tables to a file')
    .option('--svg <path>', 'also draw them')
    .option('--relaxed', 'also the kernels with relaxed SIMD, whose last bits differ between machines')
    .addOption(new Option('--no-peers', 'leave the peers out even where they are installed'));

const program = new Command('bench').description(
  'Measures equiflow, beside its peers where they are installed. Correctness is checked before anything is timed.',
);

outputs(program.command('run', { isDefault: true }))
  .addArgument(
    new Argument('[suites...]', 'what to measure; by default all but engines, which takes minutes').choices(
      SUITES.map(({ name }) => name),
    ),
  )
  .option('--quick', 'a fraction of the measuring time: for a look, not for numbers to quote')
  .action(run);

outputs(program.command('compare'))
  .description('compare with an earlier run; the exit code is 1 if anything became slower by more than noise')
  .argument('<before>', 'JSON file of a run')
  .argument('[after]', 'JSON file of another; by default the same suites are run now')
  .action(compare);

program
  .command('document')
  .description("put results into a document's sections: <!-- bench: suite --> … <!-- bench: end -->")
  .argument('<document>', 'Markdown file, such as docs/benchmarks.md')
  .argument('<records...>', 'JSON files of runs; of a suite that several have, the last counts')
  .action((document: string, records: readonly string[]) => {
    writeFileSync(document, withResults(readFileSync(document, 'utf8'), records.map(readRecord)));
  });

program
  .command('peers')
  .description(`PyTorch, JAX and NumPy in a folder of their own: ${peersFolder()}, or $EQUIFLOW_PEERS`)
  .addArgument(new Argument('<action>').choices(['install', 'remove', 'list']))
  .action((action: 'install' | 'remove' | 'list') => {
    if (action === 'install') installPeers(print);
    else if (action === 'remove') removePeers();
    for (const { title, missing } of PEERS) print(`${title}: ${missing() ?? 'ready'}`);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
