import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { DataError, UsageError } from '../errors.js';
import { encodeExtxyz, isXyzName } from '../formats/extxyz.js';
import { encodeH5md } from '../formats/h5md-encode.js';
import { isHdf5Name } from '../formats/hdf5/index.js';
import { encodeNpz, type NpyArray, writeOutput } from '../formats/index.js';
import { temporaryPath } from '../formats/temporaries.js';
import { CONVENTIONS, manifestJson } from '../manifest.js';
import { systemFromDescription } from '../systems/definition.js';
import { VERSION } from '../version.js';
import { MANIFEST } from './sample-manifest.js';
import type { SelectedSamples, Selection } from './selection.js';

/** Stand-ins for species 0, 1, … where a format asks for chemical elements. */
const SYMBOLS = ['Ar', 'Kr', 'Xe', 'Ne', 'He', 'Rn'];

/** Which samples are written, and under which symbols. */
export interface ExportOptions {
  readonly selection: Selection;
  /** A chemical symbol for each species; noble gases unless told otherwise. Only extXYZ has room for them. */
  readonly symbols?: readonly string[];
}

/** Whether selected samples can be written under such a name. */
export function isExportName(path: string): boolean {
  return isXyzName(path) || isHdf5Name(path) || path.endsWith('.npz');
}

/**
 * Writes selected samples as extended XYZ (`.extxyz`, `.xyz`, packed where `.gz` follows; the manifest beside it as `<path>.json`), HDF5
 * in the layout of H5MD (`.h5`, `.hdf5`, `.h5md`) or `.npz`. A selection that is not by weight is a sample set again.
 *
 * @throws UsageError for another kind of name, or too few symbols; OutputError, IoError as `writeOutput`;
 *   UnavailableError for HDF5 without h5wasm
 */
export async function exportSelection(path: string, samples: SelectedSamples, options: ExportOptions): Promise<void> {
  if (!isExportName(path)) {
    throw new UsageError(`${path}: expected a name that ends in .extxyz, .xyz, .extxyz.gz, .xyz.gz, .h5 or .npz`);
  }
  const { n, particles, dimensions, x, vectors, index } = samples;
  const species = speciesOf(samples);
  const symbols = symbolsOf(species, options.symbols ?? SYMBOLS);
  const present = Object.entries(vectors) as [string, Float64Array][];
  const arrays = new Map<string, NpyArray>([['x', { shape: [n, particles, dimensions], data: x }]]);
  for (const [name, data] of present) arrays.set(name, { shape: [n], data });
  arrays.set('index', { shape: [n], data: index });
  const manifest = manifestOf(samples, options.selection, arrays);
  if (isXyzName(path)) {
    const info = Object.fromEntries([...present, ['index', index] as const]);
    const frames = Readable.from(encodeExtxyz({ x, n, particles, dimensions, symbols, info }));
    await writeOutput(path, path.toLowerCase().endsWith('.gz') ? frames.pipe(createGzip()) : frames);
    await writeOutput(`${path}.json`, new TextEncoder().encode(manifest));
  } else if (isHdf5Name(path)) {
    const observables = Object.fromEntries([...present, ['index', index] as const]);
    const content = { n, particles, dimensions, x, observables, species, manifest, version: VERSION };
    await writeOutput(path, await encodeH5md(temporaryPath(path), content));
  } else {
    await writeOutput(path, encodeNpz(arrays, new Map([[MANIFEST, manifest]])));
  }
}

/** The manifest of a selection is that of its source, with what was selected. */
function manifestOf(
  { n, source, vectors }: SelectedSamples,
  selection: Selection,
  arrays: ReadonlyMap<string, NpyArray>,
): string {
  const own = new Set(['kind', 'version', 'equiflow', 'n', 'arrays']);
  const facts = Object.fromEntries(Object.entries(source.manifest).filter(([key]) => !own.has(key)));
  const kind = vectors.logQ && vectors.energy ? 'equiflow samples' : 'equiflow configurations';
  const of = { of: source.manifest.n, ...selection };
  return manifestJson(kind, { conventions: CONVENTIONS, ...facts, n, selection: of }, arrays);
}

/** Species as the system in the manifest has them; else all are equal. */
function speciesOf({ source, particles, dimensions }: SelectedSamples): readonly number[] {
  const { system } = source.manifest;
  if (system === undefined) return new Array<number>(particles).fill(0);
  const found = systemFromDescription(system, `${source.path}: system`);
  if (found.particles !== particles || found.dimensions !== dimensions) {
    const expected = `${found.particles} particles in ${found.dimensions} dimensions as '${found.name}' has`;
    throw new DataError(
      `${source.path}: x has ${particles} particles in ${dimensions} dimensions, expected ${expected}`,
    );
  }
  return found.species;
}

function symbolsOf(species: readonly number[], symbols: readonly string[]): string[] {
  return species.map((kind) => {
    const symbol = symbols[kind];
    if (symbol === undefined) {
      throw new UsageError(`symbols: ${symbols.length} of them, expected ${Math.max(...species) + 1}, one per species`);
    }
    return symbol;
  });
}
