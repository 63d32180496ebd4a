import { type BoltzmannGenerator, decodeModel } from '../flows/index.js';
import { sha256 } from '../formats/checksum.js';
import { readInput } from '../formats/files.js';

/** A model file as commands need it: the generator and the hash that manifests record. */
export interface LoadedModel {
  readonly generator: BoltzmannGenerator;
  readonly hash: string;
  readonly training?: unknown;
}

/** @throws InputError if there is no such file; DataError if it is not a model. */
export async function loadModel(path: string): Promise<LoadedModel> {
  const bytes = await readInput(path);
  return { ...decodeModel(bytes, path), hash: sha256(bytes) };
}
