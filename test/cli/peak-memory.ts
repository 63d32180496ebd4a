/* Loaded into a process by `--import`: leaves its largest resident set, in bytes, in the file EQUIFLOW_TEST_PEAK. */

import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) process.on('exit', () => writeFileSync(process.env.EQUIFLOW_TEST_PEAK!, String(peak())));

/** The kernel's own mark where there is one: `maxRSS` of a child begins at its parent's. */
function peak(): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}
