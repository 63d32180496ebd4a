import { availableParallelism } from 'node:os';
import { removeTemporaries } from '../formats/temporaries.js';
import { WorkerPool } from '../workers/pool.js';
import { type ProgressDisplay, progressDisplay } from './progress.js';

/** What a command has at hand while it runs. */
export interface Session {
  readonly pool: WorkerPool;
  readonly progress: ProgressDisplay;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface SessionOptions {
  readonly workers?: number | undefined;
  readonly quiet?: boolean | undefined;
  /** The module of the tasks, for workers to load while the command still reads its input. */
  readonly preload?: URL;
}

/**
 * Runs a command's body with a pool, a progress display and signals that end it in order: the first aborts, so that the
 * body can leave a resumable state; a second removes temporary files and exits at once.
 */
export async function inSession<T>(
  { workers = availableParallelism(), quiet = false, preload }: SessionOptions,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) {
      removeTemporaries();
      process.exit(75);
    }
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const pool = new WorkerPool({ workers, ...(preload ? { preload } : {}) });
  const progress = progressDisplay(quiet);
  try {
    return await body({ pool, progress, signal: controller.signal });
  } finally {
    progress.finish();
    await pool.close();
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
