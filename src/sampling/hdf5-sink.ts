import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ElementWriter, type Storage, writeWhole } from '../formats/element-writer.js';
import {
  encodeSteps,
  H5MD_MANIFEST,
  h5mdStructure,
  observable,
  POSITIONS,
  STEP_BYTES,
  STEPS,
} from '../formats/h5md.js';
import { reserveHdf5 } from '../formats/hdf5/index.js';
import { IN_SPACE } from '../formats/plane.js';
import { asOutputError } from '../formats/system-errors.js';
import { VERSION } from '../version.js';
import type { SampleBlock } from './block-room.js';
import { SET_FILE } from './partial-folder.js';
import { sampleBytes } from './sample-files.js';
import type { SampleSink } from './sample-sink.js';
import { type ArrayName, SetArrays, type SetLayout, shapeOf, typeOf } from './set-arrays.js';

/**
 * A sample set as one HDF5 file in the layout of H5MD, new or left by an earlier run. All that makes it HDF5 is written here;
 * samples then go to the places that are reserved for them, so that the file is as safe underway as plain arrays are.
 *
 * @param manifestBytes length of the manifest that is to come
 * @throws UnavailableError without h5wasm; OutputError, IoError as `writeOutput`
 */
export async function openHdf5Sink(folder: string, layout: SetLayout, manifestBytes: number): Promise<SampleSink> {
  const { n, first, particles, dimensions, precision } = layout;
  const path = join(folder, SET_FILE);
  const spatial = Math.max(3, dimensions);
  const perSample = sampleBytes(particles * spatial, precision) + STEP_BYTES;
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDWR | constants.O_CREAT);
    // Where files may not grow so long, it is told here.
    await handle.truncate(n * perSample);
    const { parts, offsets, size } = await reserveHdf5(
      join(folder, 'layout'),
      h5mdStructure({
        frames: { type: typeOf('x', layout), shape: [n, particles, spatial] },
        observables: ['logQ', 'energy', 'logWeight'],
        species: layout.species,
        manifestBytes,
        version: VERSION,
      }),
    );
    await handle.truncate(size);
    for (const { at, bytes } of parts) await writeWhole(handle, bytes, at);
    return new Hdf5Sink(path, handle, layout, offsets, first, perSample);
  } catch (error) {
    await handle?.close();
    throw asOutputError(error, path);
  }
}

class Hdf5Sink implements SampleSink {
  readonly #arrays: SetArrays;
  #done = 0;

  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    layout: SetLayout,
    private readonly offsets: ReadonlyMap<string, number>,
    private readonly first: number,
    readonly sampleBytes: number,
  ) {
    const writer = (name: ArrayName, dataset: string, storage?: Storage) =>
      new ElementWriter(path, handle, typeOf(name, layout), shapeOf(name, layout), offsets.get(dataset)!, storage);
    const writers = {
      x: writer('x', POSITIONS, layout.dimensions === 2 ? IN_SPACE : undefined),
      logQ: writer('logQ', observable('logQ')),
      energy: writer('energy', observable('energy')),
      logWeight: writer('logWeight', observable('logWeight')),
    };
    this.#arrays = new SetArrays(writers, layout);
  }

  take(count: number): Promise<SampleBlock | undefined> {
    return this.#arrays.take(count);
  }

  async accept(block: SampleBlock): Promise<void> {
    this.#arrays.accept(block);
    await this.#count(block);
  }

  async append(block: SampleBlock): Promise<void> {
    await Promise.all([this.#arrays.append(block), this.#count(block)]);
  }

  /** The file has its length from the start, and every block is checked before it counts. */
  async truncate(): Promise<void> {}

  async sync(): Promise<void> {
    try {
      await this.handle.sync();
    } catch (error) {
      throw asOutputError(error, this.path);
    }
  }

  entries() {
    return this.#arrays.entries();
  }

  async finish(manifest: string): Promise<void> {
    await this.#write(Buffer.from(manifest), this.offsets.get(H5MD_MANIFEST)!);
    await this.sync();
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  /** The steps of a block: the indices of its samples. */
  async #count({ logQ }: SampleBlock): Promise<void> {
    const start = this.#done;
    this.#done += logQ.length;
    await this.#write(encodeSteps(this.first + start, logQ.length), this.offsets.get(STEPS)! + start * STEP_BYTES);
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      await writeWhole(this.handle, bytes, position);
    } catch (error) {
      throw asOutputError(error, this.path);
    }
  }
}
