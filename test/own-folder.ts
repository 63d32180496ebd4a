import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A folder of the test's own, whose name begins with `prefix`, removed when it ends. */
export async function ownFolder(t: ExecutionContext, prefix = 'equiflow-test-'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
