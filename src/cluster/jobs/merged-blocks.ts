import { DataError } from '../../errors.js';
import { brief } from '../../formats/text.js';
import type { ArrayName } from '../../sampling/set-arrays.js';
import { openSamples } from '../../sampling/stored-weights.js';
import type { JobBlock } from '../job.js';

/**
 * Arrays of a merged result side by side.
 *
 * @param facts what its manifest must say
 * @param rows of each array in a block
 * @throws DataError if it is another result, or not what its manifest says
 */
export async function* mergedBlocks(
  path: string,
  facts: Readonly<Record<string, unknown>>,
  names: readonly ArrayName[],
  rows: number,
): AsyncGenerator<Pick<JobBlock, 'arrays'>> {
  const samples = await openSamples(path);
  const manifest = samples.manifest as Readonly<Record<string, unknown>>;
  for (const [name, expected] of Object.entries(facts)) {
    if (JSON.stringify(manifest[name]) === JSON.stringify(expected)) continue;
    throw new DataError(`${path}: ${name} is ${brief(manifest[name])}, expected ${brief(expected)} by the plan`);
  }
  const sources = await Promise.all(names.map((name) => samples.array(name)));
  const iterators = sources.map((source, i) => {
    if (source === undefined)
      throw new DataError(`${path}: no array '${names[i]}', expected one in the result of this run`);
    return source.chunks(rows)[Symbol.asyncIterator]();
  });
  const next = () => Promise.all(iterators.map((iterator) => iterator.next()));
  try {
    // Asked once more than there are blocks, so that sources compare their checksums.
    for (let parts = await next(); !parts.every(({ done }) => done); parts = await next()) {
      yield { arrays: Object.fromEntries(names.map((name, i) => [name, parts[i].value])) };
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
  }
}
