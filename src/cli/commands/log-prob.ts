import { Command, Option } from 'commander';
import { mean, standardErrorOfMean } from '../../analysis/index.js';
import { DataError } from '../../errors.js';
import { checkWritable, readConfigurations } from '../../formats/index.js';
import { addStatistics, NO_STATISTICS } from '../../integrators/index.js';
import { CONVENTIONS } from '../../manifest.js';
import { logNormalization } from '../../priors/index.js';
import { logProb } from '../../sampling/index.js';
import { describeSystem } from '../../systems/index.js';
import { figureText } from '../figures.js';
import { integrationLine, withIntegrator } from '../integrator.js';
import { type IntegratorOptions, withIntegratorOptions } from '../integrator-options.js';
import { loadModel } from '../model.js';
import { jsonOption, outOption, precisionOption, quietOption, workersOption } from '../options.js';
import { json, writeArray, writeRunInfo } from '../outputs.js';
import { inSession } from '../session.js';

interface Options extends IntegratorOptions {
  in: string;
  out: string;
  precision: 'f32' | 'f64';
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

export function logProbCommand(): Command {
  const command = new Command('log-prob')
    .description('normalised log q of configurations, by the inverse flow')
    .argument('<model>', 'model file (safetensors)')
    .addOption(new Option('--in <path>', '.npy, .npz or HDF5 with x [n, N, D] or [n, N·D]').makeOptionMandatory())
    .addOption(outOption('.npy file [n], f64', '.npy'))
    .addOption(precisionOption('f64'))
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption());
  return withIntegratorOptions(command).action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { generator: stored, hash } = await loadModel(path);
  const generator = withIntegrator(stored, options);
  await checkWritable(options.out);
  const { particles, dimensions } = generator.prior;
  const { x, n } = await readConfigurations(options.in, particles, dimensions);
  if (n === 0) throw new DataError(`${options.in}: no configurations, expected at least one`);
  const started = performance.now();
  await inSession(options, async ({ pool, progress, signal }) => {
    let integration = NO_STATISTICS;
    const logQ = await logProb(generator, x, n, pool, {
      precision: options.precision,
      onIntegration: (block) => {
        integration = addStatistics(integration, block);
      },
      onProgress: progress.update,
      signal,
    });
    progress.finish();
    const facts = {
      model: hash,
      system: describeSystem(generator.target),
      precision: options.precision,
      integrator: generator.flow.integrator,
      conventions: CONVENTIONS,
    };
    await writeArray(options.out, 'equiflow log-densities', facts, 'logQ', { shape: [n], data: logQ });
    await writeRunInfo(options.out, started, { workers: pool.workers, integration });
    const nll = -mean(logQ);
    const standardError = n > 1 ? standardErrorOfMean(logQ) : Number.NaN;
    const unnormalized = nll + logNormalization(generator.prior);
    if (options.json)
      process.stdout.write(
        json({ out: options.out, n, nll: { value: nll, standardError }, unnormalizedNll: unnormalized, integration }),
      );
    else {
      process.stdout.write(
        `${options.out}: ${n} log-densities, NLL ${figureText({ value: nll, standardError })} nats, ` +
          `normalised on the mean-free subspace (${unnormalized.toFixed(4)} with the prior left un-normalised)\n`,
      );
      if (generator.flow.integrator.kind === 'dopri5') process.stdout.write(`${integrationLine(integration)}\n`);
    }
  });
}
