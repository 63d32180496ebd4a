import { join } from 'node:path';
import { UsageError } from '../errors.js';
import type { BoltzmannGenerator } from '../flows/index.js';
import { writeOutput, writeOutputFolder } from '../formats/files.js';
import { encodeNpy, type NpyArray } from '../formats/npy.js';
import { gigabytes } from '../formats/space.js';
import type { Precision } from '../kernels/index.js';
import type { SampleSet } from './sample.js';
import { isSampleFolder, MANIFEST, type SampleProvenance, sampleManifest } from './sample-manifest.js';

/** An archive is made in memory, where its arrays stand twice for a moment. */
const MAXIMUM_ARCHIVE_BYTES = 1.5e9;

/**
 * Tells before any work whether n samples may go into one `.npz`.
 * @throws UsageError if their arrays are too large for that
 */
export function checkArchiveSize({ prior }: BoltzmannGenerator, n: number, precision: Precision, path: string): void {
  const bytes = n * sampleBytes(prior.particles * prior.dimensions, precision);
  if (bytes <= MAXIMUM_ARCHIVE_BYTES) return;
  throw new UsageError(
    `${path}: ${n} samples are arrays of ${gigabytes(bytes)}, expected at most ${gigabytes(MAXIMUM_ARCHIVE_BYTES)} ` +
      'in a .npz: name a folder, which is written as samples come',
  );
}

/** Bytes of one sample of `coordinates` numbers: its positions, log q, energy and log-weight. */
export function sampleBytes(coordinates: number, precision: Precision): number {
  return coordinates * (precision === 'f32' ? 4 : 8) + 3 * 8;
}

/**
 * Writes a sample set: one `.npz` where the path ends so, else a folder of `.npy`. Equal samples give equal bytes.
 * An existing folder is replaced only if it is a sample set.
 */
export async function writeSampleSet(path: string, set: SampleSet, provenance: SampleProvenance): Promise<void> {
  const { n, particles, dimensions, kT } = set;
  const arrays = new Map<string, NpyArray>([
    ['x', { shape: [n, particles, dimensions], data: set.x }],
    ['logQ', { shape: [n], data: set.logQ }],
    ['energy', { shape: [n], data: set.energy }],
    ['logWeight', { shape: [n], data: set.logWeight }],
  ]);
  const manifest = sampleManifest(provenance, kT, n, arrays);
  if (path.endsWith('.npz')) {
    const { encodeNpz } = await import('../formats/npz.js');
    await writeOutput(path, encodeNpz(arrays, new Map([[MANIFEST, manifest]])));
    return;
  }
  await writeOutputFolder(
    path,
    async (folder) => {
      for (const [name, array] of arrays) await writeOutput(join(folder, `${name}.npy`), encodeNpy(array));
      await writeOutput(join(folder, MANIFEST), new TextEncoder().encode(manifest));
    },
    { replaces: isSampleFolder },
  );
}
