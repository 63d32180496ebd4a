import { InvalidArgumentError } from 'commander';
import { DataError, UsageError } from '../errors.js';
import type { ProfileRequest } from '../reweighting/index.js';
import {
  type ArraySource,
  openArray,
  openSamples,
  openVector,
  type ReweightingSamples,
  type StoredSamples,
  storedVector,
  type VectorSource,
} from '../sampling/index.js';
import { loadSystem, type System } from '../systems/index.js';

/** Options by which a command names samples, their target and what is asked of them. */
export interface ReweightingInput {
  kT?: number;
  energy?: string;
  logQ?: string;
  x?: string;
  system?: string;
  observable?: string[];
}

export interface OpenedInput {
  readonly samples: ReweightingSamples;
  readonly averages: readonly string[];
  readonly kT: number;
  /** What messages call the samples. */
  readonly source: string;
  /** The target whose energies are to be evaluated, if another than that of the samples. */
  readonly system?: System;
  readonly stored?: StoredSamples;
}

export const COORDINATES = `
Coordinates: energy, rg (radius of gyration), d (distances of all pairs), d0-1 (of one pair, from 0), short@4 (number of pairs
closer than 4), log-weight, or the name of an array given as --observable name=path.npy.
States are bounds on coordinates: "rg<2.1", "2.1<=rg<3", "short@4=2", "rg<2.1 & energy<-20". They exclude each other.`;

/** Opens what the options name; nothing large is read. */
export async function openInput(path: string | undefined, options: ReweightingInput): Promise<OpenedInput> {
  const { energy, logQ, system: spec } = options;
  if (path === undefined && (logQ === undefined || (energy === undefined && spec === undefined))) {
    throw new UsageError('reweight: give a sample set, or --log-q with --energy or --system');
  }
  const system = spec === undefined ? undefined : await loadSystem(spec);
  const stored = path === undefined ? undefined : await openSamples(path);
  const { samples, averages } = await openArrays(path, stored, options);
  return {
    samples,
    averages,
    kT: options.kT ?? stored?.manifest.kT ?? 1,
    source: path ?? `${energy ?? spec} and ${logQ}`,
    ...(system === undefined ? {} : { system }),
    ...(stored === undefined ? {} : { stored }),
  };
}

async function openArrays(
  path: string | undefined,
  stored: StoredSamples | undefined,
  options: ReweightingInput,
): Promise<{ samples: ReweightingSamples; averages: string[] }> {
  const vector = (file: string | undefined, name: 'energy' | 'logQ') =>
    file === undefined ? storedVector(stored!, path!, name) : openVector(file, name);
  const arrays: Record<string, VectorSource> = {};
  const averages: string[] = [];
  for (const text of options.observable ?? []) {
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
  return text.trim() === '' ? Number.NaN : Number(text);
}

/** Gathers the profiles of an option that may be repeated. */
export function appendProfile(text: string, before: ProfileRequest[] | undefined): ProfileRequest[] {
  return [...(before ?? []), profileRequest(text)];
}
