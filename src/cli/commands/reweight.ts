import { Command, Option } from 'commander';
import { DataError, UsageError } from '../../errors.js';
import { readArray } from '../../formats/index.js';
import { entropyAndKl, importanceWeights, logWeights } from '../../reweighting/index.js';
import { readSampleWeights } from '../../sampling/index.js';
import { jsonOption, positive } from '../options.js';
import { json } from '../outputs.js';

interface Options {
  kT?: number;
  energy?: string;
  logQ?: string;
  json?: boolean;
}

export function reweightCommand(): Command {
  return new Command('reweight')
    .description('what the importance weights of a sample set are worth: n, ESS, Pareto k̂, log Z, verdict')
    .argument('[samples]', 'sample set (.npz or folder); may be left out with both --energy and --log-q')
    .addOption(new Option('--kT <temperature>', "target temperature (default: the sample set's)").argParser(positive))
    .addOption(new Option('--energy <path>', 'energies [n] of the target instead of the stored ones'))
    .addOption(new Option('--log-q <path>', 'log-densities [n] instead of the stored ones'))
    .addOption(jsonOption())
    .action(run);
}

async function run(samples: string | undefined, options: Options): Promise<void> {
  if (samples === undefined && (options.energy === undefined || options.logQ === undefined)) {
    throw new UsageError('reweight: give a sample set, or both --energy and --log-q');
  }
  const stored = samples === undefined ? undefined : await readSampleWeights(samples);
  const energy = options.energy === undefined ? stored!.energy : await readVector(options.energy, 'energy');
  const logQ = options.logQ === undefined ? stored!.logQ : await readVector(options.logQ, 'logQ');
  if (energy.length !== logQ.length) {
    const names = [options.energy ?? samples, options.logQ ?? samples];
    throw new DataError(
      `${names[0]} has ${energy.length} energies, ${names[1]} ${logQ.length} log-densities: expected as many of each`,
    );
  }
  const kT = options.kT ?? stored?.kT ?? 1;
  const logWeight = logWeights(energy, logQ, kT);
  const { n, ess, essFraction, khat, logZ, largestShare, zeroWeights, status } = importanceWeights(logWeight, {
    source: samples ?? 'log-weights',
  });
  const { flowEntropy, targetEntropy, reverseKl, forwardKl } = entropyAndKl(energy, logQ, { kT });
  const estimate = ({ value, standardError }: { value: number; standardError: number }) => ({ value, standardError });
  const result = {
    n,
    kT,
    ess,
    essFraction,
    khat,
    logZ: estimate(logZ),
    largestShare,
    zeroWeights,
    flowEntropy: estimate(flowEntropy),
    targetEntropy: estimate(targetEntropy),
    reverseKl: estimate(reverseKl),
    forwardKl: estimate(forwardKl),
    status,
  };
  if (options.json) {
    process.stdout.write(json(result));
    return;
  }
  const line = (name: string, text: string) => `${name.padEnd(16)}${text}\n`;
  const figure = (value: { value: number; standardError: number }) =>
    `${value.value.toFixed(4)} ± ${value.standardError.toFixed(4)} nats`;
  process.stdout.write(
    line('samples', `${n} at kT = ${kT}`) +
      line('ESS (Kish)', `${ess.toFixed(1)} (${(100 * essFraction).toFixed(3)} %)`) +
      line('Pareto k̂', khat.toFixed(3)) +
      line('largest share', `${(100 * largestShare).toFixed(3)} %`) +
      line('log Z', figure(logZ)) +
      line('entropy', figure(targetEntropy)) +
      line('KL(q‖p)', figure(reverseKl)) +
      line('KL(p‖q)', figure(forwardKl)) +
      line('verdict', status.text),
  );
}

/** A vector [n] of f64, from .npy or from the entry `name` of a .npz. */
async function readVector(path: string, name: string): Promise<Float64Array> {
  const { shape, data } = await readArray(path, name);
  if (shape.length !== 1) throw new DataError(`${path}: shape [${shape}], expected [n]`);
  return Float64Array.from(data);
}
