import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import type { BoltzmannGenerator } from '../flows/index.js';
import type { NpyArray } from '../formats/index.js';
import type { Integrator } from '../integrators/index.js';
import type { Arithmetic, Precision } from '../kernels/index.js';
import { type ArrayEntry, CONVENTIONS, manifestJson } from '../manifest.js';
import { describeSystem } from '../systems/index.js';

/** Name of the manifest in a folder or an archive. */
export const MANIFEST = 'manifest.json';

const KIND = 'equiflow samples';

/** Where a sample set comes from; goes into its manifest. */
export interface SampleProvenance {
  /** Specification of the target, as in the model file. */
  readonly system: unknown;
  readonly convention: string;
  /** SHA-256 of the model file. */
  readonly model: string;
  readonly seed: number;
  readonly first: number;
  readonly precision: string;
  readonly integrator: Integrator;
  /** Present where the bytes may differ between machines. */
  readonly arithmetic?: 'relaxed';
}

/** The provenance of samples of a generator whose model file has the SHA-256 `model`. */
export function sampleProvenance(
  { target, flow }: BoltzmannGenerator,
  model: string,
  {
    seed,
    first = 0,
    precision = 'f32',
    arithmetic = 'strict',
  }: { seed: number; first?: number; precision?: Precision; arithmetic?: Arithmetic },
): SampleProvenance {
  return {
    system: describeSystem(target),
    convention: target.convention,
    model,
    seed,
    first,
    precision,
    integrator: flow.integrator,
    ...(arithmetic === 'relaxed' ? { arithmetic } : {}),
  };
}

/** The manifest of n samples from their arrays. */
export function sampleManifest(
  provenance: SampleProvenance,
  kT: number,
  n: number,
  arrays: ReadonlyMap<string, NpyArray>,
): string {
  return manifestJson(KIND, { ...provenance, kT, n, conventions: CONVENTIONS }, arrays);
}

/** The same manifest where the arrays are not in memory, from what it says of them. */
export function sampleManifestOf(
  provenance: SampleProvenance,
  kT: number,
  n: number,
  entries: Readonly<Record<string, ArrayEntry>>,
): string {
  const manifest = JSON.parse(sampleManifest(provenance, kT, n, new Map()));
  const arrays = Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ ...manifest, arrays }, null, 2)}\n`;
}

/** Whether a folder holds a sample set of ours, which a new one may replace. */
export async function isSampleFolder(path: string): Promise<boolean> {
  try {
    return JSON.parse(await readFile(join(path, MANIFEST), 'utf8')).kind === KIND;
  } catch {
    return false;
  }
}

/** What is taken from a manifest; an archive of another program may have none. */
export interface ManifestContent {
  readonly kind?: string;
  readonly kT?: number;
  readonly n?: number;
  /** Specification of the system whose energies stand in the file. */
  readonly system?: unknown;
  /** SHA-256 of the model that the samples come from. */
  readonly model?: string;
  /** Chains of a simulation that the samples form one after another, all of the same length but the last. */
  readonly chains?: number;
  readonly recordsPerChain?: number;
  readonly arrays?: Readonly<
    Record<string, { shape?: readonly number[]; sha256?: string; dtype?: string } | undefined>
  >;
}

/** @throws DataError if it is not JSON or kT is no temperature */
export function parseManifest(text: string | undefined, source: string): ManifestContent {
  if (text === undefined) return {};
  let value: ManifestContent;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DataError(`${source}: not valid JSON`);
  }
  if (typeof value !== 'object' || value === null) throw new DataError(`${source}: expected an object`);
  if (value.kT !== undefined && !(typeof value.kT === 'number' && value.kT > 0)) {
    throw new DataError(`${source}: kT is ${JSON.stringify(value.kT)}, expected a positive number`);
  }
  return value;
}
