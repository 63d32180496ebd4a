/* Which peers there are, what each can do, and how its process is started. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pythonPath, SOURCES } from './environment.js';
import { PeerSession } from './session.js';

export type Task = 'sample' | 'train';

export interface Peer {
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  readonly tasks: readonly Task[];
  /** Why it cannot run here, or undefined. */
  readonly missing: () => string | undefined;
  readonly start: (threads: number, folder: string) => PeerSession;
}

const INSTALL = 'npm run bench -- peers install';

function pythonPeer(name: string, title: string, tasks: readonly Task[]): Peer {
  return {
    name,
    title,
    tasks,
    missing: () => (existsSync(pythonPath()) ? undefined : `not installed; ${INSTALL}`),
    start: (threads, folder) =>
      new PeerSession(
        pythonPath(),
        [join(SOURCES, 'python', 'serve.py'), name, String(threads), folder],
        pythonEnvironment(threads),
      ),
  };
}

/**
 * One thread means one in every library. glibc's allocator keeps large blocks instead of giving them back and faulting them
 * in again, which is most of what jemalloc gains here. Choices of a kernel for OpenBLAS by the surroundings are not passed on.
 */
function pythonEnvironment(threads: number): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _cache, ...rest } = process.env;
  const count = String(threads);
  return {
    ...rest,
    OMP_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    MALLOC_MMAP_THRESHOLD_: String(2 ** 32),
    MALLOC_TRIM_THRESHOLD_: String(2 ** 33),
    MALLOC_TOP_PAD_: String(2 ** 28),
    JAX_PLATFORMS: 'cpu',
  };
}

export const PEERS: readonly Peer[] = [
  pythonPeer('torch-library', "PyTorch, as the authors' library", ['sample', 'train']),
  pythonPeer('torch-expert', 'PyTorch, expert, eager', ['sample', 'train']),
  pythonPeer('torch-compiled', 'PyTorch, expert, torch.compile', ['sample', 'train']),
  pythonPeer('torch-tables', 'PyTorch, our tables, torch.compile', ['sample']),
  pythonPeer('jax', 'JAX, expert, jit', ['sample', 'train']),
  pythonPeer('numpy', 'NumPy, expert', ['sample']),
];
