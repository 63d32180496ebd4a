import { Option } from 'commander';
import { UsageError } from '../errors.js';
import { checkWritable } from '../formats/index.js';
import type { Asked, Reweighting } from '../sampling/index.js';
import { json } from './outputs.js';
import { writeProfiles } from './profiles.js';
import { reweightingJson, reweightingText } from './reweighting-text.js';

export const profilesOption = () => new Option('--out <path>', 'profiles as .csv or .npz');

/**
 * Tells before any work whether profiles can be written to a file, if one is named.
 * @throws UsageError if there are none, or for a name of another ending; OutputError as `checkWritable`
 */
export async function checkProfilesWritable(out: string | undefined, { profiles = [] }: Asked): Promise<void> {
  if (out === undefined) return;
  if (profiles.length === 0) throw new UsageError('--out: nothing to write, expected a --profile');
  if (!/\.(csv|npz)$/.test(out)) throw new UsageError(`--out ${out}: expected a name that ends in .csv or .npz`);
  await checkWritable(out);
}

/** Where the samples come from, as the file of profiles has it. */
export interface ReweightingFacts {
  readonly kT: number;
  /** As it was named; null for arrays. */
  readonly source: string | null;
}

/** Writes profiles if a file is named for them. @returns what to print: a text, or JSON */
export async function writeReweighting(
  result: Reweighting,
  { kT, source }: ReweightingFacts,
  { out, json: asJson = false }: { out?: string; json?: boolean },
): Promise<string> {
  if (out !== undefined) await writeProfiles(out, result, { kT, source });
  return asJson ? json(reweightingJson(result, kT)) : reweightingText(result, kT);
}
