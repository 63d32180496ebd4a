import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { agree, blocksOf, CLUSTER_DOCUMENTS, PROJECT, readerFolder, runBlock } from '../../docs/documents.js';
import type { Stage } from '../stage.js';
import type { Scenario } from './scenario.js';

/** Numbers of jobs are those of a cluster on which nothing else runs. */
const withoutJobs = (text: string) => text.replace(/^job \d+/gm, 'job');

/** Every block of a document, in the hands of a reader who has a cluster. */
async function follow(path: string, stage: Stage): Promise<string> {
  const blocks = blocksOf(readFileSync(join(PROJECT, path), 'utf8'));
  const folder = await readerFolder();
  try {
    for (const block of blocks) {
      const printed = await runBlock(block, folder, stage.cluster.env);
      if (block.output === undefined) continue;
      const [found, expected] = [printed, block.output.text].map(withoutJobs);
      assert.ok(agree(found, expected), `${path}:${block.from} prints\n${printed}\nand not\n${block.output.text}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const needy = blocks.filter(({ needs }) => needs !== undefined);
  return `${blocks.length} blocks run as they stand, ${needy.length} of them on the cluster`;
}

export const DOCUMENTS: readonly Scenario[] = CLUSTER_DOCUMENTS.map((path) => ({
  name: path,
  play: (stage) => follow(path, stage),
}));
