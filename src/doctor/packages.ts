import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** An optional package: what it is for, and what was found of it. */
export interface PackageFacts {
  readonly name: string;
  readonly purpose: string;
  /** Null where it is not installed. */
  readonly version: string | null;
  /** The command that installs it. */
  readonly install: string;
}

const FIGURES = 'figures of the report';
const HDF5 = 'sample sets and data in HDF5';

const OPTIONAL: readonly Omit<PackageFacts, 'version'>[] = [
  { name: 'vega', purpose: FIGURES, install: 'npm install vega vega-lite' },
  { name: 'vega-lite', purpose: FIGURES, install: 'npm install vega vega-lite' },
  { name: 'h5wasm', purpose: HDF5, install: 'npm install h5wasm' },
  {
    name: '@tensorflow/tfjs-node-gpu',
    purpose: 'training engines tensorflow-gpu and tensorflow',
    install: 'npm install @tensorflow/tfjs-node-gpu',
  },
  {
    name: '@tensorflow/tfjs-backend-wasm',
    purpose: 'training engine wasm',
    install: 'npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm',
  },
  { name: '@tensorflow/tfjs', purpose: 'training engines cpu and wasm', install: 'npm install @tensorflow/tfjs' },
];

/** The optional packages, found without loading them: native code that is broken would end the process. */
export function optionalPackages(): PackageFacts[] {
  return OPTIONAL.map((entry) => ({ ...entry, version: installedVersion(entry.name) }));
}

/** The version of a package that this one would load, or null. Manifests are read because not every package exports its own. */
export function installedVersion(name: string): string | null {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version;
    } catch {
      // Node looks in the next folder up as well.
    }
  }
  return null;
}
