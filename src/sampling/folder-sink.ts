import { join } from 'node:path';
import { writeOutput } from '../formats/files.js';
import { NpyStreamWriter } from '../formats/npy-stream.js';
import { sampleBytes } from './sample-files.js';
import { MANIFEST } from './sample-manifest.js';
import type { SampleSink } from './sample-sink.js';
import { ARRAYS, type ArrayName, SetArrays, type SetLayout, shapeOf, typeOf } from './set-arrays.js';

/**
 * A sample set as a folder of `.npy`, new or left by an earlier run.
 * @throws OutputError, IoError as `writeOutput`
 */
export async function openFolderSink(folder: string, layout: SetLayout): Promise<SampleSink> {
  const opened: NpyStreamWriter[] = [];
  const open = async (name: ArrayName) => {
    const writer = await NpyStreamWriter.open(join(folder, `${name}.npy`), typeOf(name, layout), shapeOf(name, layout));
    opened.push(writer);
    return writer;
  };
  const all = (work: (writer: NpyStreamWriter) => Promise<void>) =>
    Promise.all(ARRAYS.map((name) => work(files[name])));
  const close = async () => {
    await Promise.all(opened.map((writer) => writer.close()));
  };
  let files: Record<ArrayName, NpyStreamWriter>;
  try {
    const vectors = { logQ: await open('logQ'), energy: await open('energy'), logWeight: await open('logWeight') };
    files = { x: await open('x'), ...vectors };
  } catch (error) {
    await close();
    throw error;
  }
  const arrays = new SetArrays(files, layout);
  return {
    sampleBytes: sampleBytes(layout.particles * layout.dimensions, layout.precision),
    take: (count) => arrays.take(count),
    accept: async (block) => arrays.accept(block),
    append: (block) => arrays.append(block),
    truncate: async () => {
      await all((writer) => writer.truncate());
    },
    sync: async () => {
      await all((writer) => writer.sync());
    },
    entries: () => arrays.entries(),
    finish: (manifest) => writeOutput(join(folder, MANIFEST), new TextEncoder().encode(manifest)),
    close,
  };
}
