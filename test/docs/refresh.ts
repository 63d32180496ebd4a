/* Writes into every document what its commands print here and now: node dist/test/docs/refresh.js [document …] */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blocksOf, documents, PROJECT, readerFolder, runBlock } from './documents.js';

const chosen = process.argv.slice(2);
for (const path of chosen.length > 0 ? chosen : await documents()) {
  const file = join(PROJECT, path);
  const markdown = await readFile(file, 'utf8');
  const folder = await readerFolder();
  try {
    const lines = markdown.split('\n');
    let shift = 0;
    for (const block of blocksOf(markdown)) {
      if (block.skip !== undefined || block.needs !== undefined) continue;
      const printed = await runBlock(block, folder);
      if (block.output === undefined) continue;
      const { from, to } = block.output;
      const now = printed.split('\n');
      lines.splice(from + shift, to - from, ...now);
      shift += now.length - (to - from);
    }
    await writeFile(file, lines.join('\n'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
