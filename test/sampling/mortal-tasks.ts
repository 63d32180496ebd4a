/* The tasks of sampling in workers that die: `EQUIFLOW_TEST_DEATHS` names a folder that remembers who has died already. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RoomedBlockInput, summarizedSampleBlock as summarized } from '../../src/sampling/tasks.js';

/** The worker of every second block dies when it first meets it. */
export function summarizedSampleBlock(input: RoomedBlockInput) {
  const marker = join(process.env.EQUIFLOW_TEST_DEATHS!, String(input.first));
  if ((input.first / 32_768) % 2 === 1 && !existsSync(marker)) {
    writeFileSync(marker, '');
    process.exit(3);
  }
  return summarized(input);
}
