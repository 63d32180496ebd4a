import { Command, Option } from 'commander';
import { checkWritable } from '../../formats/files.js';
import { isHdf5Name, loadHdf5 } from '../../formats/hdf5/index.js';
import { addStatistics, type IntegrationStatistics, NO_STATISTICS } from '../../integrators/index.js';
import { importanceWeights, type WeightReport } from '../../reweighting/weights.js';
import { sample } from '../../sampling/sample.js';
import { checkArchiveSize, writeSampleSet } from '../../sampling/sample-files.js';
import { isSampleFolder, sampleProvenance } from '../../sampling/sample-manifest.js';
import { sampleToFolder, sampleToHdf5 } from '../../sampling/sample-stream.js';
import { type ErrorSummary, type Verification, verifySamples } from '../../sampling/verify.js';
import { type IntegratorOptions, integrationLine, integratorOptions, withIntegrator } from '../integrator.js';
import { loadModel } from '../model.js';
import {
  countOption,
  integer,
  jsonOption,
  outOption,
  precisionOption,
  quietOption,
  seedOption,
  workersOption,
} from '../options.js';
import { checkFolderWritable, json, writeRunInfo } from '../outputs.js';
import { inSession } from '../session.js';

interface Options extends IntegratorOptions {
  count: number;
  seed: number;
  first: number;
  out: string;
  precision: 'f32' | 'f64';
  relaxed?: boolean;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
  /** How many samples; true where the number is left to us. */
  verify?: number | true;
}

export function sampleCommand(): Command {
  const command = new Command('sample')
    .description(
      'draw independent samples with exact log q, energies and log-weights; into a folder or HDF5, the same command goes on after a stop',
    )
    .argument('<model>', 'model file (safetensors)')
    .addOption(countOption('samples'))
    .addOption(seedOption())
    .addOption(
      new Option('--first <index>', 'global index of the first sample').default(0).argParser(integer(0, 2 ** 52)),
    )
    .addOption(outOption('.npz file; for sets of any size a folder of .npy, or .h5 (HDF5 in the layout of H5MD)'))
    .addOption(precisionOption('f32'))
    .addOption(
      new Option(
        '--verify [count]',
        'measure the discretisation error on some of the samples, 1000 by default',
      ).argParser(integer(1, 1e6)),
    )
    .option(
      '--relaxed',
      'fused multiply-adds where the processor has them: some percent faster, last bits differ between machines; the manifest says so',
    )
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption());
  for (const option of integratorOptions()) command.addOption(option);
  return command.action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { count, seed, first, out, precision } = options;
  const { generator: stored, hash } = await loadModel(path);
  const generator = withIntegrator(stored, options);
  const archive = out.endsWith('.npz');
  const hdf5 = isHdf5Name(out);
  if (archive) {
    checkArchiveSize(generator, count, precision, out);
    await checkWritable(out);
  } else if (hdf5) {
    await loadHdf5();
    await checkWritable(out);
  } else {
    await checkFolderWritable(out, isSampleFolder);
  }
  const started = performance.now();
  await inSession(options, async ({ pool, progress, signal }) => {
    let integration = NO_STATISTICS;
    const onIntegration = (block: IntegrationStatistics) => {
      integration = addStatistics(integration, block);
    };
    const arithmetic = options.relaxed ? ('relaxed' as const) : ('strict' as const);
    const range = { n: count, seed, first, precision, arithmetic, onProgress: progress.update, onIntegration, signal };
    let report: WeightReport;
    if (archive) {
      const set = await sample(generator, range, pool);
      progress.finish();
      await writeSampleSet(out, set, sampleProvenance(generator, hash, range));
      report = importanceWeights(set.logWeight);
    } else {
      const stream = hdf5 ? sampleToHdf5 : sampleToFolder;
      report = await stream(out, generator, { ...range, model: hash }, pool);
      progress.finish();
    }
    const m = typeof options.verify === 'number' ? { m: options.verify } : {};
    const verification = options.verify ? await verifySamples(generator, { ...range, ...m }, pool) : undefined;
    progress.finish();
    const facts = { integration, ...(verification ? { verification } : {}) };
    await writeRunInfo(out, started, { workers: pool.workers, ...facts });
    const { n, ess, khat, logZ, status } = report;
    const summary = {
      out,
      n,
      ess,
      khat,
      logZ: { value: logZ.value, standardError: logZ.standardError },
      status,
      ...facts,
    };
    if (options.json) process.stdout.write(json(summary));
    else {
      process.stdout.write(
        `${out}: ${n} samples, ESS ${ess.toFixed(1)} (${((100 * ess) / n).toFixed(2)} %), Pareto k̂ ${khat.toFixed(2)}, ` +
          `log Z ${logZ.value.toFixed(4)} ± ${logZ.standardError.toFixed(4)}\n${status.text}\n`,
      );
      if (generator.flow.integrator.kind === 'dopri5') process.stdout.write(`${integrationLine(integration)}\n`);
      if (verification) process.stdout.write(verificationLines(verification));
    }
  });
}

function verificationLines({ samples, logQ, forward, status }: Verification): string {
  const figures = ({ mean, rms, max }: ErrorSummary) =>
    `mean ${mean.toExponential(1)}, RMS ${rms.toExponential(1)}, at most ${max.toExponential(1)}`;
  return (
    `Verified on ${samples} samples, in f64 at tight tolerance: error of log q ${figures(logQ)} nats; ` +
    `from the same prior sample log q ${figures(forward.logQ)} nats, x ${figures(forward.x)}.\n${status.text}\n`
  );
}
