import { statIfPresent } from '../formats/entries.js';
import { H5MD_MANIFEST } from '../formats/h5md.js';
import { isHdf5File, openHdf5 } from '../formats/hdf5/index.js';
import { readInput } from '../formats/index.js';
import { decodeText } from '../formats/text.js';
import { isZip, readZip } from '../formats/zip.js';
import { MANIFEST, type ManifestContent, parseManifest } from '../sampling/sample-manifest.js';
import { type System, sameEnergy, systemFromDescription } from '../systems/index.js';

/** Where configurations come from, as far as their file says. */
export interface DataOrigin {
  readonly kT?: number;
  readonly system?: System;
}

/**
 * What our manifest says of the configurations in a file, inside or beside it; nothing where there is none.
 * @throws InputError if the file cannot be read; DataError if its manifest is damaged
 */
export async function dataOrigin(path: string): Promise<DataOrigin> {
  const { kind, kT, system } = await manifestOf(path);
  if (kind === undefined || !kind.startsWith('equiflow ')) return {};
  return {
    ...(kT === undefined ? {} : { kT }),
    ...(system === undefined ? {} : { system: systemFromDescription(system, `${path}: ${MANIFEST}`) }),
  };
}

/** In what a training for `system` at kT does not suit its data: one sentence each. */
export function mismatches(path: string, origin: DataOrigin, system: System, kT: number): string[] {
  const found: string[] = [];
  if (origin.system !== undefined && !sameEnergy(origin.system, system)) {
    found.push(`${path} has configurations of ${title(origin.system)}, and this is a model of ${title(system)}`);
  }
  if (origin.kT !== undefined && origin.kT !== kT) {
    found.push(`${path} has configurations at kT = ${origin.kT}, and this is a model for kT = ${kT}`);
  }
  return found;
}

async function manifestOf(path: string): Promise<ManifestContent> {
  // A pipe is read once, for what is in it.
  if (!(await statIfPresent(path))?.isFile()) return {};
  if (await isHdf5File(path)) {
    const file = await openHdf5(path);
    try {
      return parseManifest(file.text(H5MD_MANIFEST), `${path}: ${MANIFEST}`);
    } finally {
      file.close();
    }
  }
  const beside = `${path}.json`;
  if ((await statIfPresent(beside))?.isFile()) {
    return parseManifest(decodeText(await readInput(beside), beside, 'the manifest'), beside);
  }
  const bytes = path.endsWith('.npz') ? await readInput(path) : new Uint8Array();
  const entry = isZip(bytes) ? readZip(bytes, path).find(({ name }) => name === MANIFEST) : undefined;
  const text = entry === undefined ? undefined : decodeText(entry.read(), path, MANIFEST);
  return parseManifest(text, `${path}: ${MANIFEST}`);
}

/** `lj13:pairFactor=2`, or the name of a system of one's own. */
function title({ name, options }: System): string {
  const settings = Object.entries(options).map(([option, value]) => `${option}=${value}`);
  return settings.length === 0 ? name : `${name}:${settings.join(',')}`;
}
