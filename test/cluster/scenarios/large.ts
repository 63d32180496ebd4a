import { join } from 'node:path';
import { PROJECT } from '../../docs/documents.js';
import { succeed } from '../commands.js';
import type { Stage } from '../stage.js';
import type { Scenario } from './scenario.js';

/** Python and its packages are its own affair; it fails without them. */
async function schemas(stage: Stage): Promise<string> {
  const printed = await succeed(process.execPath, [join(PROJECT, 'test/cluster/kubernetes.mjs')], stage.here);
  return printed.trim();
}

/** A process of its own: it keeps one processor busy, while others wait for what they must not miss. */
function scale(stage: Stage): Promise<string> {
  const env = { ...stage.here.env, TMPDIR: stage.folder };
  return succeed(process.execPath, [join(PROJECT, 'dist/test/cluster/scale.js')], { cwd: stage.folder, env });
}

/** What no scheduler is needed for. */
export const KUBERNETES: Scenario = { name: 'Kubernetes manifests', play: schemas };
export const SCALE: Scenario = { name: '1,000 and 10,000 shards', play: scale };
