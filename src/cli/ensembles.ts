import { basename } from 'node:path';
import { DataError, UsageError } from '../errors.js';
import { withoutThird } from '../formats/plane.js';
import type { Ensemble, StoredSamples } from '../sampling/index.js';
import { asVector, collect, openSamples } from '../sampling/index.js';
import { loadSystem, type System, systemFromDescription } from '../systems/index.js';
import { type LoadedModel, loadModel } from './model.js';

/** An ensemble as it comes from a file or from the command line. */
export interface NamedEnsemble extends Ensemble {
  /** What tables say of it. */
  readonly description: string;
}

/**
 * Ensembles of files: simulations, at their system and temperature, and sample sets, whose ensemble is the flow itself.
 *
 * @param models of the sample sets, found by the hash in their manifests
 */
export async function storedEnsembles(paths: readonly string[], models: readonly string[]): Promise<NamedEnsemble[]> {
  const loaded = await Promise.all(models.map(async (path) => ({ path, ...(await loadModel(path)) })));
  const ensembles: NamedEnsemble[] = [];
  for (const path of paths) ensembles.push(await storedEnsemble(path, loaded));
  return ensembles;
}

async function storedEnsemble(
  path: string,
  models: readonly (LoadedModel & { path: string })[],
): Promise<NamedEnsemble> {
  const stored = await openSamples(path);
  const { kind, kT = 1, system: description, model: hash, recordsPerChain } = stored.manifest;
  const name = basename(path);
  if (description === undefined || hash === undefined ? kind !== 'equiflow simulation' : kind !== 'equiflow samples') {
    throw new DataError(
      `${path}: no manifest of a simulation or a sample set: give arrays of other programs with --work or --energies`,
    );
  }
  const system = systemFromDescription(description, `${path}: manifest.json`);
  const x = await configurations(stored, path, system);
  if (hash === undefined) {
    const n = x.length / (system.particles * system.dimensions);
    const chains = recordsPerChain === undefined ? [n] : chainLengths(n, recordsPerChain);
    return {
      name,
      description: `${system.name}, kT = ${kT}`,
      density: { kind: 'boltzmann', system, kT },
      samples: { x, chains },
    };
  }
  const model = models.find((candidate) => candidate.hash === hash);
  if (model === undefined) {
    throw new UsageError(
      `${path}: samples of a flow, whose density at other samples needs its model: give it with --model (SHA-256 ${hash.slice(0, 12)}…)`,
    );
  }
  const logQ = await stored.array('logQ');
  if (logQ === undefined) throw new DataError(`${path}: no array 'logQ', expected one in a sample set`);
  return {
    name,
    description: `flow ${basename(model.path)}`,
    density: { kind: 'flow', generator: model.generator },
    samples: { x, logQ: await collect(asVector(logQ, `${path}: 'logQ'`)) },
  };
}

/** An ensemble without samples, `system` or `system@kT`, the system a preset or a file. */
export async function targetEnsemble(text: string): Promise<NamedEnsemble> {
  const at = text.lastIndexOf('@');
  const kT = at < 0 ? 1 : Number(text.slice(at + 1));
  if (!(kT > 0 && Number.isFinite(kT))) {
    throw new UsageError(`--target ${text}: kT '${text.slice(at + 1)}', expected a positive number`);
  }
  const system = await loadSystem(at < 0 ? text : text.slice(0, at));
  const description = `${system.name}, kT = ${kT}`;
  return { name: text, description, density: { kind: 'boltzmann', system, kT } };
}

async function configurations(stored: StoredSamples, path: string, system: System): Promise<Float64Array> {
  const array = await stored.array('x');
  const { particles, dimensions } = system;
  if (array === undefined) throw new DataError(`${path}: no array 'x', expected configurations`);
  const { shape } = array;
  // A plane may be stored in space, as H5MD has it.
  const plane = dimensions === 2 && shape[2] === 3;
  if (shape.length !== 3 || shape[1] !== particles || !(plane || shape[2] === dimensions)) {
    throw new DataError(
      `${path}: x has shape [${shape}], expected [n, ${particles}, ${dimensions}] for ${system.name}`,
    );
  }
  const x = new Float64Array(shape[0] * particles * dimensions);
  let done = 0;
  for await (const chunk of array.chunks()) {
    const flat = plane ? withoutThird(chunk, particles, path, done / (2 * particles)) : chunk;
    x.set(flat, done);
    done += flat.length;
  }
  return x;
}

/** The last chain may be short. */
function chainLengths(n: number, perChain: number): number[] {
  return Array.from({ length: Math.ceil(n / perChain) }, (_, c) => Math.min(perChain, n - c * perChain));
}
