import { Command, Option } from 'commander';
import { mean, standardErrorOfMean } from '../../analysis/index.js';
import { DataError } from '../../errors.js';
import { checkWritable, readConfigurations } from '../../formats/index.js';
import { CONVENTIONS } from '../../manifest.js';
import { logNormalization } from '../../priors/index.js';
import { logProb } from '../../sampling/index.js';
import { describeSystem } from '../../systems/index.js';
import { loadModel } from '../model.js';
import { jsonOption, outOption, precisionOption, quietOption, workersOption } from '../options.js';
import { json, writeArray, writeRunInfo } from '../outputs.js';
import { inSession } from '../session.js';

interface Options {
  in: string;
  out: string;
  precision: 'f32' | 'f64';
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function logProbCommand(): Command {
  return new Command('log-prob')
    .description('normalised log q of configurations, by the inverse flow')
    .argument('<model>', 'model file (safetensors)')
    .addOption(new Option('--in <path>', '.npy, .npz or HDF5 with x [n, N, D] or [n, N·D]').makeOptionMandatory())
    .addOption(outOption('.npy file [n], f64'))
    .addOption(precisionOption('f64'))
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { generator, hash } = await loadModel(path);
  await checkWritable(options.out);
  const { particles, dimensions } = generator.prior;
  const { x, n } = await readConfigurations(options.in, particles, dimensions);
  if (n === 0) throw new DataError(`${options.in}: no configurations, expected at least one`);
  const started = performance.now();
  await inSession(options, async ({ pool, progress, signal }) => {
    const logQ = await logProb(generator, x, n, pool, {
      precision: options.precision,
      onProgress: progress.update,
      signal,
    });
    progress.finish();
    const facts = {
      model: hash,
      system: describeSystem(generator.target),
      precision: options.precision,
      conventions: CONVENTIONS,
    };
    await writeArray(options.out, 'equiflow log-densities', facts, 'logQ', { shape: [n], data: logQ });
    await writeRunInfo(options.out, started, { workers: pool.workers });
    const nll = -mean(logQ);
    const standardError = n > 1 ? standardErrorOfMean(logQ) : Number.NaN;
    const unnormalized = nll + logNormalization(generator.prior);
    if (options.json)
      process.stdout.write(
        json({ out: options.out, n, nll: { value: nll, standardError }, unnormalizedNll: unnormalized }),
      );
    else {
      process.stdout.write(
        `${options.out}: ${n} log-densities, NLL ${nll.toFixed(4)} ± ${standardError.toFixed(4)} nats, ` +
          `normalised on the mean-free subspace (${unnormalized.toFixed(4)} with the prior left un-normalised)\n`,
      );
    }
  });
}
