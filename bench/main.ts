import { writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import { Command, Option } from 'commander';
import { makeCases } from './cases.js';
import { failures, runChecks } from './checks.js';
import { compareWithPyTorch } from './pytorch.js';
import { checksLine, failureLines, peakLines, rowHeader, rowLine, samplingLines } from './report.js';
import { measurePeak, type Row, runSampling, runSuite } from './suite.js';
import { FULL, PEAK_EFFORT, QUICK } from './timing.js';

interface Options {
  readonly suite: 'kernels';
  readonly json?: string;
  readonly quick?: boolean;
}

const print = (text: string) => process.stdout.write(`${text}\n`);

function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    platform: platform(),
    arch: arch(),
  };
}

function runKernels({ json, quick }: Options): void {
  const effort = quick ? QUICK : FULL;
  const here = machine();
  print(`${here.cpu}, ${here.cores} cores, ${here.platform} ${here.arch}, Node.js ${process.version}`);
  const cases = makeCases();
  const checks = runChecks(cases);
  const failed = failures(checks);
  if (failed.length > 0) {
    process.stderr.write(`${failureLines(failed)}\n`);
    process.exitCode = 1;
    return;
  }
  print(checksLine(checks));
  const peak = measurePeak(PEAK_EFFORT);
  print(peakLines(peak));

  let group = '';
  const show = (row: Row) => {
    if (row.group !== group) print(rowHeader(row.group));
    group = row.group;
    print(rowLine(row));
  };
  const rows = runSuite(cases, peak, effort, show);
  const rates = runSampling(cases, effort);
  const highest = measurePeak(PEAK_EFFORT, peak);
  const sampling = rates.map((rate) => ({ ...rate, pytorch: compareWithPyTorch(rate, highest.f32) }));
  print(samplingLines(sampling, highest.f32));

  if (json !== undefined) {
    const record = { suite: 'kernels', machine: here, node: process.version, date: new Date().toISOString() };
    writeFileSync(
      json,
      `${JSON.stringify({ ...record, quick: quick === true, checks, peak: highest, rows, sampling }, null, 2)}\n`,
    );
  }
}

const program = new Command('bench')
  .description('Times the kernels, after checking that they compute the right thing.')
  .addOption(new Option('--suite <name>', 'what to measure').choices(['kernels']).default('kernels'))
  .option('--json <path>', 'also write machine, versions and all results to a JSON file')
  .option('--quick', 'a fifth of the measuring time: for a look, not for numbers to quote')
  .action((options: Options) => runKernels(options));

program.parse();
