import { Command, InvalidArgumentError, Option } from 'commander';
import { DataError, UsageError } from '../../errors.js';
import { checkWritable } from '../../formats/index.js';
import type { ProfileRequest } from '../../reweighting/index.js';
import {
  type ArraySource,
  openArray,
  openSamples,
  openVector,
  type ReweightingSamples,
  reweight,
  type StoredSamples,
  storedVector,
  type VectorSource,
} from '../../sampling/index.js';
import { loadSystem } from '../../systems/index.js';
import { jsonOption, positive, quietOption, workersOption } from '../options.js';
import { json } from '../outputs.js';
import { writeProfiles } from '../profiles.js';
import { reweightingJson, reweightingText } from '../reweighting-text.js';
import { inSession } from '../session.js';

interface Options {
  kT?: number;
  energy?: string;
  logQ?: string;
  x?: string;
  system?: string;
  observable?: string[];
  profile?: ProfileRequest[];
  states?: string[];
  out?: string;
  workers?: number;
  quiet?: boolean;
  json?: boolean;
}

const COORDINATES = `
Coordinates: energy, rg (radius of gyration), d (distances of all pairs), d0-1 (of one pair, from 0), short@4 (number of pairs
closer than 4), log-weight, or the name of an array given as --observable name=path.npy.
States are bounds on coordinates: "rg<2.1", "2.1<=rg<3", "short@4=2", "rg<2.1 & energy<-20". They exclude each other.`;

export function reweightCommand(): Command {
  return new Command('reweight')
    .description(
      'what samples say of the target: n, ESS, Pareto k̂, log Z, entropies, averages, profiles and free-energy differences with errors, and a verdict',
    )
    .argument('[samples]', 'sample set (.npz, folder or HDF5); may be left out with --log-q and --energy or --system')
    .addOption(new Option('--kT <temperature>', "target temperature (default: the sample set's)").argParser(positive))
    .addOption(new Option('--energy <path>', 'energies [n] of the target instead of the stored ones'))
    .addOption(
      new Option('--system <system>', 'another target, whose energies are evaluated from x').conflicts('energy'),
    )
    .addOption(new Option('--log-q <path>', 'log-densities [n] instead of the stored ones'))
    .addOption(new Option('--x <path>', 'configurations [n, N, D] instead of the stored ones'))
    .addOption(new Option('--observable <coordinate...>', 'averages: coordinates, or name=path.npy of values [n]'))
    .addOption(
      new Option(
        '--profile <coordinate...>',
        'histogram and free energy, as coordinate[:bins[:min,max[:reference]]]',
      ).argParser((text: string, before: ProfileRequest[] | undefined) => [...(before ?? []), profileRequest(text)]),
    )
    .addOption(new Option('--states <state...>', 'populations, and free energies relative to the first state'))
    .addOption(new Option('--out <path>', 'profiles as .csv or .npz'))
    .addOption(workersOption())
    .addOption(quietOption())
    .addOption(jsonOption())
    .addHelpText('after', COORDINATES)
    .action(run);
}

async function run(path: string | undefined, options: Options): Promise<void> {
  const { system: spec, observable = [], profile = [], states = [], out } = options;
  if (path === undefined && (options.logQ === undefined || (options.energy === undefined && spec === undefined))) {
    throw new UsageError('reweight: give a sample set, or --log-q with --energy or --system');
  }
  if (out !== undefined) {
    if (profile.length === 0) throw new UsageError('--out: nothing to write, expected a --profile');
    if (!/\.(csv|npz)$/.test(out)) throw new UsageError(`--out ${out}: expected a name that ends in .csv or .npz`);
    await checkWritable(out);
  }
  const system = spec === undefined ? undefined : await loadSystem(spec);
  const stored = path === undefined ? undefined : await openSamples(path);
  const kT = options.kT ?? stored?.manifest.kT ?? 1;
  const { samples, averages } = await open(path, stored, options, observable);
  const source = path ?? `${options.energy ?? spec} and ${options.logQ}`;
  await inSession(options, async ({ pool, progress, signal }) => {
    const result = await reweight(
      samples,
      {
        kT,
        source,
        ...(system === undefined ? {} : { system }),
        averages,
        profiles: profile,
        states,
        onProgress: progress.update,
        signal,
      },
      pool,
    );
    progress.finish();
    if (out !== undefined) await writeProfiles(out, result, { kT, source: path ?? null });
    process.stdout.write(options.json ? json(reweightingJson(result, kT)) : reweightingText(result, kT));
  });
}

async function open(
  path: string | undefined,
  stored: StoredSamples | undefined,
  options: Options,
  observables: readonly string[],
): Promise<{ samples: ReweightingSamples; averages: string[] }> {
  const vector = (file: string | undefined, name: 'energy' | 'logQ') =>
    file === undefined ? storedVector(stored!, path!, name) : openVector(file, name);
  const arrays: Record<string, VectorSource> = {};
  const averages: string[] = [];
  for (const text of observables) {
    const at = text.indexOf('=');
    if (at >= 0) {
      const name = text.slice(0, at);
      if (!/^[A-Za-z_]\w*$/.test(name)) {
        throw new UsageError(`--observable ${text}: name '${name}', expected letters, digits and underscores`);
      }
      arrays[name] = await openVector(text.slice(at + 1), name);
    }
    averages.push(at < 0 ? text : text.slice(0, at));
  }
  const x: ArraySource | undefined =
    options.x === undefined ? await stored?.array('x') : await openArray(options.x, 'x');
  const logQ = await vector(options.logQ, 'logQ');
  const energy = options.system === undefined ? await vector(options.energy, 'energy') : undefined;
  if (energy !== undefined && energy.n !== logQ.n) {
    const [a, b] = [options.energy ?? path, options.logQ ?? path];
    throw new DataError(`${a} has ${energy.n} energies, ${b} ${logQ.n} log-densities, expected as many of each`);
  }
  const samples = {
    logQ,
    ...(energy === undefined ? {} : { energy }),
    ...(x === undefined ? {} : { x }),
    arrays,
  };
  return { samples, averages };
}

/** `coordinate[:bins[:min,max[:reference]]]` */
function profileRequest(text: string): ProfileRequest {
  const [coordinate, bins = '', range = '', reference = '', ...more] = text.split(':');
  const ends = range === '' ? [] : range.split(',').map(toNumber);
  const zero = reference === '' ? undefined : toNumber(reference);
  const wrong = !/^\d*$/.test(bins) || more.length > 0 || ![0, 2].includes(ends.length);
  if (wrong || coordinate === '' || [...ends, zero ?? 0].some(Number.isNaN)) {
    const form = 'coordinate[:bins[:min,max[:reference]]], as in energy:40 or rg:30:1.5,3';
    throw new InvalidArgumentError(`'${text}', expected ${form}.`);
  }
  return {
    coordinate,
    ...(bins === '' ? {} : { bins: Number(bins) }),
    ...(ends.length === 2 ? { range: [ends[0], ends[1]] as const } : {}),
    ...(zero === undefined ? {} : { reference: zero }),
  };
}

function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
