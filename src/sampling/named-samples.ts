import { DataError, UsageError } from '../errors.js';
import type { System } from '../systems/index.js';
import type { ReweightingSamples } from './reweight-pieces.js';
import { openSamples, type StoredSamples, storedVector } from './stored-weights.js';
import { type ArraySource, openArray, openVector, type VectorSource } from './vectors.js';

/** The files that a reweighting is made of, as a command line names them. */
export interface NamedSamples {
  /** The sample set; may be absent where `logQ` and `energy` or `system` are given. */
  readonly path?: string;
  /** Instead of what the set has. */
  readonly energy?: string;
  readonly logQ?: string;
  readonly x?: string;
  /** Another target, whose energies are evaluated, and what messages call it. */
  readonly system?: System;
  readonly systemName?: string;
  /** Further numbers [n] of each sample, by name. */
  readonly arrays?: Readonly<Record<string, string>>;
  /** Default: the set's, or 1. */
  readonly kT?: number;
}

/** The same, opened. */
export interface OpenedInput {
  readonly samples: ReweightingSamples;
  readonly kT: number;
  /** What messages call the samples. */
  readonly source: string;
  /** The target whose energies are to be evaluated, if another than that of the samples. */
  readonly system?: System;
  readonly stored?: StoredSamples;
}

/**
 * Opens what is named; nothing large is read.
 * @throws UsageError if too little is named; InputError, DataError as `openSamples` and `openArray`
 */
export async function openNamedSamples(named: NamedSamples): Promise<OpenedInput> {
  const { path, energy, logQ, system, systemName } = named;
  if (path === undefined && (logQ === undefined || (energy === undefined && system === undefined))) {
    throw new UsageError('reweight: give a sample set, or --log-q with --energy or --system');
  }
  const stored = path === undefined ? undefined : await openSamples(path);
  return {
    samples: await openArrays(named, stored),
    kT: named.kT ?? stored?.manifest.kT ?? 1,
    source: path ?? `${energy ?? systemName ?? system?.name} and ${logQ}`,
    ...(system === undefined ? {} : { system }),
    ...(stored === undefined ? {} : { stored }),
  };
}

async function openArrays(
  { path, energy: energyFile, logQ: logQFile, x: xFile, system, arrays = {} }: NamedSamples,
  stored: StoredSamples | undefined,
): Promise<ReweightingSamples> {
  const vector = (file: string | undefined, name: 'energy' | 'logQ') =>
    file === undefined ? storedVector(stored!, path!, name) : openVector(file, name);
  const vectors: Record<string, VectorSource> = {};
  for (const [name, file] of Object.entries(arrays)) vectors[name] = await openVector(file, name);
  const x: ArraySource | undefined = xFile === undefined ? await stored?.array('x') : await openArray(xFile, 'x');
  const logQ = await vector(logQFile, 'logQ');
  const energy = system === undefined ? await vector(energyFile, 'energy') : undefined;
  if (energy !== undefined && energy.n !== logQ.n) {
    const [a, b] = [energyFile ?? path, logQFile ?? path];
    throw new DataError(`${a} has ${energy.n} energies, ${b} ${logQ.n} log-densities, expected as many of each`);
  }
  return {
    logQ,
    ...(energy === undefined ? {} : { energy }),
    ...(x === undefined ? {} : { x }),
    arrays: vectors,
  };
}
