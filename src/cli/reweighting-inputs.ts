import { type Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../errors.js';
import type { ProfileRequest } from '../reweighting/index.js';
import { type Asked, type NamedSamples, type OpenedInput, openNamedSamples } from '../sampling/index.js';
import { loadSystem } from '../systems/index.js';
import { gathered, positive } from './options.js';

/** Options by which a command names samples, their target and what is asked of them. */
export interface ReweightingInput {
  kT?: number;
  energy?: string;
  logQ?: string;
  x?: string;
  system?: string;
  observable?: string[];
  profile?: ProfileRequest[];
  states?: string[];
}

const COORDINATES = `
Coordinates: energy, rg (radius of gyration), d (distances of all pairs), d0-1 (of one pair, from 0), short@4 (number of pairs
closer than 4), log-weight, or the name of an array given as --observable name=path.npy.
States are bounds on coordinates: "rg<2.1", "2.1<=rg<3", "short@4=2", "rg<2.1 & energy<-20". They exclude each other.`;

/** What a profile is, where nothing else stands for it. */
export const PROFILES = 'histogram and free energy, as coordinate[:bins[:min,max[:reference]]]';

/** The command with these options; what differs between commands is the text about profiles. */
export function withReweightingOptions(command: Command, profiles: string): Command {
  return command
    .addOption(new Option('--kT <temperature>', "target temperature (default: the sample set's)").argParser(positive))
    .addOption(new Option('--energy <path>', 'energies [n] of the target instead of the stored ones'))
    .addOption(
      new Option('--system <system>', 'another target, whose energies are evaluated from x').conflicts('energy'),
    )
    .addOption(new Option('--observable <coordinate...>', 'averages: coordinates, or name=path.npy of values [n]'))
    .addOption(new Option('--profile <coordinate...>', profiles).argParser(gathered(profileRequest)))
    .addOption(new Option('--states <state...>', 'populations, and free energies relative to the first state'))
    .addHelpText('after', COORDINATES);
}

/** The same for a command that takes arrays without a sample set. */
export function withArrayOptions(command: Command): Command {
  return command
    .addOption(new Option('--log-q <path>', 'log-densities [n] instead of the stored ones'))
    .addOption(new Option('--x <path>', 'configurations [n, N, D] instead of the stored ones'));
}

/** What the options name. @throws as `loadSystem`; UsageError for a name of an observable that is none */
export async function namedSamples(path: string | undefined, options: ReweightingInput): Promise<NamedSamples> {
  const { kT, energy, logQ, x, system, observable = [] } = options;
  return {
    ...(path === undefined ? {} : { path }),
    ...(kT === undefined ? {} : { kT }),
    ...(energy === undefined ? {} : { energy }),
    ...(logQ === undefined ? {} : { logQ }),
    ...(x === undefined ? {} : { x }),
    ...(system === undefined ? {} : { system: await loadSystem(system), systemName: system }),
    arrays: Object.fromEntries(observable.filter((text) => text.includes('=')).map(arrayOption)),
  };
}

/** What the options ask. */
export function asked({ observable = [], profile = [], states = [] }: ReweightingInput): Asked {
  const averages = observable.map((text) => (text.includes('=') ? arrayOption(text)[0] : text));
  return { averages, profiles: profile, states };
}

/** Opens what the options name; nothing large is read. */
export async function openInput(path: string | undefined, options: ReweightingInput): Promise<OpenedInput> {
  return openNamedSamples(await namedSamples(path, options));
}

/** Name and file of `name=path`. */
function arrayOption(text: string): [name: string, file: string] {
  const at = text.indexOf('=');
  const name = text.slice(0, at);
  if (/^[A-Za-z_]\w*$/.test(name)) return [name, text.slice(at + 1)];
  throw new UsageError(`--observable ${text}: name '${name}', expected letters, digits and underscores`);
}

/** Reads `coordinate[:bins[:min,max[:reference]]]` */
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
  // A plan in JSON has no -0.
  return text.trim() === '' ? Number.NaN : Number(text) + 0;
}
