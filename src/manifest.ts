import { sha256 } from './formats/checksum.js';
import { encodeNpy, type NpyArray } from './formats/npy.js';
import { VERSION } from './version.js';

/** What every manifest says of an array: enough to find a flipped bit. */
export interface ArrayEntry {
  readonly shape: readonly number[];
  readonly dtype: 'f32' | 'f64';
  /** SHA-256 of the array as a `.npy` file. */
  readonly sha256: string;
}

/**
 * The manifest that goes with results: what they are and where they come from, as JSON with sorted arrays and nothing that
 * differs between two runs of the same command (times and hosts go to `run.json`).
 */
export function manifestJson(
  kind: string,
  facts: Readonly<Record<string, unknown>>,
  arrays: ReadonlyMap<string, NpyArray>,
): string {
  const entries: Record<string, ArrayEntry> = {};
  for (const name of [...arrays.keys()].sort()) {
    const array = arrays.get(name)!;
    entries[name] = {
      shape: array.shape,
      dtype: array.data instanceof Float32Array ? 'f32' : 'f64',
      sha256: sha256(encodeNpy(array)),
    };
  }
  return `${JSON.stringify({ kind, version: 1, equiflow: VERSION, ...facts, arrays: entries }, null, 2)}\n`;
}

/** Conventions that hold for everything this package writes. */
export const CONVENTIONS = {
  energy: 'U(x), never divided by kT',
  logDensity: 'nats, normalised on the mean-free subspace',
  logWeight: '-U/kT - log q',
} as const;
