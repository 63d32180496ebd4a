import { Command, Option } from 'commander';
import { isHdf5Name, loadHdf5 } from '../../formats/hdf5/index.js';
import { checkWritable } from '../../formats/index.js';
import { importanceWeights, type WeightReport } from '../../reweighting/index.js';
import {
  checkArchiveSize,
  isSampleFolder,
  sample,
  sampleProvenance,
  sampleToFolder,
  sampleToHdf5,
  writeSampleSet,
} from '../../sampling/index.js';
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

interface Options {
  count: number;
  seed: number;
  first: number;
  out: string;
  precision: 'f32' | 'f64';
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function sampleCommand(): Command {
  return new Command('sample')
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
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { count, seed, first, out, precision } = options;
  const { generator, hash } = await loadModel(path);
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
    const range = { n: count, seed, first, precision, onProgress: progress.update, signal };
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
    await writeRunInfo(out, started, { workers: pool.workers });
    const { n, ess, khat, logZ, status } = report;
    const summary = { out, n, ess, khat, logZ: { value: logZ.value, standardError: logZ.standardError }, status };
    if (options.json) process.stdout.write(json(summary));
    else {
      process.stdout.write(
        `${out}: ${n} samples, ESS ${ess.toFixed(1)} (${((100 * ess) / n).toFixed(2)} %), Pareto k̂ ${khat.toFixed(2)}, ` +
          `log Z ${logZ.value.toFixed(4)} ± ${logZ.standardError.toFixed(4)}\n${status.text}\n`,
      );
    }
  });
}
