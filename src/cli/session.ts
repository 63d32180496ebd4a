import { availableParallelism } from 'node:os';
import { InterruptedError } from '../errors.js';
import { removeTemporaries } from '../formats/temporaries.js';
import { WorkerPool } from '../workers/pool.js';
import { type ProgressDisplay, progressDisplay } from './progress.js';
import { SIGNALS } from './signals.js';

/** What a command has at hand while it runs. */
export interface Interruptible {
  readonly progress: ProgressDisplay;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** The same of a command that computes. */
export interface Session extends Interruptible {
  readonly pool: WorkerPool;
}

export interface SessionOptions {
  readonly workers?: number | undefined;
  readonly quiet?: boolean | undefined;
  /** The module of the tasks, for workers to load while the command still reads its input. */
  readonly preload?: URL;
}

/**
 * Runs a command's body with a progress display and signals that end it in order: the first aborts, so that the body can leave a
 * resumable state; a second removes temporary files and exits at once.
 */
export async function interruptible<T>(
  { quiet = false }: Pick<SessionOptions, 'quiet'>,
  body: (session: Interruptible) => Promise<T>,
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
  const progress = progressDisplay(quiet);
  try {
    return await body({ progress, signal: controller.signal });
  } catch (error) {
    // The pool names its task, which tells a user nothing; whoever knows more than that says it without a cause.
    const ofPool = error instanceof InterruptedError && error.cause === controller.signal.reason;
    if (controller.signal.aborted && ofPool) throw new InterruptedError('interrupted; run it again', { cause: error });
    throw error;
  } finally {
    progress.finish();
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

/** The same with a pool of workers. */
export function inSession<T>(
  { workers = availableParallelism(), preload, ...options }: SessionOptions,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  return interruptible(options, async (session) => {
    const pool = new WorkerPool({ workers, ...(preload ? { preload } : {}) });
    try {
      return await body({ pool, ...session });
    } finally {
      // The bar goes before the threads end, which takes a moment.
      session.progress.finish();
      await pool.close();
    }
  });
}
