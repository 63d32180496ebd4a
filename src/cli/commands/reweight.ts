import { Command, Option } from 'commander';
import { DataError, UsageError } from '../../errors.js';
import { openSampleWeights, openVector, reweight } from '../../sampling/index.js';
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
  const stored = samples === undefined ? undefined : await openSampleWeights(samples);
  const energy = options.energy === undefined ? stored!.energy : await openVector(options.energy, 'energy');
  const logQ = options.logQ === undefined ? stored!.logQ : await openVector(options.logQ, 'logQ');
  if (energy.n !== logQ.n) {
    const names = [options.energy ?? samples, options.logQ ?? samples];
    throw new DataError(
      `${names[0]} has ${energy.n} energies, ${names[1]} ${logQ.n} log-densities: expected as many of each`,
    );
  }
  const kT = options.kT ?? stored?.kT ?? 1;
  const { report, flowEntropy, targetEntropy, reverseKl, forwardKl } = await reweight(energy, logQ, {
    kT,
    source: samples ?? 'log-weights',
  });
  const { n, ess, essFraction, khat, logZ, largestShare, zeroWeights, status } = report;
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
