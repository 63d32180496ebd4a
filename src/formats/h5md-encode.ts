import { bytesOf, type Elements } from './element-writer.js';
import { encodeSteps, H5MD_MANIFEST, h5mdStructure, observable, POSITIONS, STEPS } from './h5md.js';
import { reserveHdf5 } from './hdf5/index.js';
import { IN_SPACE } from './plane.js';

/** Configurations in memory with what is known of each. */
export interface H5mdArrays {
  readonly n: number;
  readonly particles: number;
  readonly dimensions: number;
  /** [n, N, D]. */
  readonly x: Elements;
  /** [n] each. */
  readonly observables: Readonly<Record<string, Float64Array>>;
  /** [N]. */
  readonly species: readonly number[];
  readonly manifest: string;
  /** Version of this program. */
  readonly version: string;
}

/**
 * The bytes of an H5MD file of arrays that are in memory.
 *
 * @param scratch name of a file that is made for this and removed
 * @throws UnavailableError without h5wasm
 */
export async function encodeH5md(scratch: string, content: H5mdArrays): Promise<Uint8Array> {
  const { n, particles, dimensions, x, observables, species, manifest, version } = content;
  const text = new TextEncoder().encode(manifest);
  const { parts, offsets, size } = await reserveHdf5(
    scratch,
    h5mdStructure({
      frames: { type: x instanceof Float32Array ? '<f4' : '<f8', shape: [n, particles, Math.max(3, dimensions)] },
      observables: Object.keys(observables),
      species,
      manifestBytes: text.length,
      version,
    }),
  );
  const file = new Uint8Array(size);
  for (const { at, bytes } of parts) file.set(bytes, at);
  const put = (dataset: string, bytes: Uint8Array) => file.set(bytes, offsets.get(dataset)!);
  put(POSITIONS, bytesOf(dimensions === 2 ? IN_SPACE.encode(x) : x));
  for (const [name, values] of Object.entries(observables)) put(observable(name), bytesOf(values));
  put(STEPS, encodeSteps(0, n));
  put(H5MD_MANIFEST, text);
  return file;
}
