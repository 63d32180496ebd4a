import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort, type Transferable } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { InterruptedError, IoError, UnavailableError, UsageError } from '../errors.js';
import { reviveFailure } from './failure.js';
import type { Task } from './task.js';
import type { TaskMessage, TaskOutcome, WorkerSettings } from './worker.js';

/** A worker's death is usually its environment's; a task that kills two workers is itself to blame. */
const MAX_ATTEMPTS = 2;

/** Tasks of `map` beyond one per worker: enough that a worker never waits for the consumer, few enough to bound memory. */
const LOOK_AHEAD = 2;

/** How many threads a pool has. */
export interface WorkerPoolOptions {
  /** Worker threads, from 1; by default one per core that the process may use. */
  readonly workers?: number;
  /** The module of the tasks to come: workers start at once and load it. Without it they start with the first task. */
  readonly preload?: URL;
}

/** How a map is ended before its time, and who hears of its tasks meanwhile. */
export interface MapOptions {
  readonly signal?: AbortSignal;
  /** Receives what the task of the input of that index reports; see `RunOptions`. */
  readonly onMessage?: (message: unknown, index: number) => void;
}

/** What goes to and fro beside input and result. */
export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Buffers of the input that change hands instead of being copied. Such a task cannot be retried. */
  readonly transfer?: readonly ArrayBufferLike[];
  /** Receives what the task reports, in order, all of it before `run` resolves; after a retry, from the start again. */
  readonly onMessage?: (message: unknown) => void;
}

/**
 * Threads that run tasks, exported functions of any module. A task costs about 50 µs, so that it should be worth tens
 * of milliseconds.
 *
 * All methods reject with the error that the task threw, see `reviveFailure`.
 */
export class WorkerPool {
  readonly workers: number;
  readonly #file = workerFile();
  readonly #preload: URL | undefined;
  #started: Piscina | undefined;
  #closing: Promise<void> | undefined;

  /** @throws UsageError unless `workers` is an integer from 1 to 1024; UnavailableError in a bundle, see `workerFile`. */
  constructor({ workers = availableParallelism(), preload }: WorkerPoolOptions = {}) {
    if (!Number.isInteger(workers) || workers < 1 || workers > 1024) {
      throw new UsageError(`worker pool: workers is ${workers}, expected an integer from 1 to 1024`);
    }
    this.workers = workers;
    this.#preload = preload;
    if (preload) this.#threads();
  }

  /** Started when they are needed: a shard that is done, for one, needs none. */
  #threads(): Piscina {
    if (this.#started) return this.#started;
    this.#started = new Piscina({
      filename: this.#file,
      name: 'runTask',
      // Piscina's own default of 1.5 threads a core is for tasks that wait.
      minThreads: this.workers,
      maxThreads: this.workers,
      workerData: { preload: this.#preload?.href } satisfies WorkerSettings,
    });
    // Without a listener an idle worker that dies would end the process; Piscina replaces it, and no task is lost.
    this.#started.on('error', () => {});
    return this.#started;
  }

  /**
   * Runs one task. A task whose worker dies is run once more on a fresh worker.
   * @throws InterruptedError if `signal` aborts or the pool is closed before the task is done; IoError if two workers
   *   died of it; UsageError after `close`; TypeError if the input cannot be cloned.
   */
  async run<I, O>(task: Task, input: I, options: RunOptions = {}): Promise<O> {
    const { transfer = [], signal } = options;
    for (let attempt = 1; ; attempt++) {
      if (this.#closing) throw new UsageError(`task ${task.name}: the worker pool is closed`);
      let outcome: TaskOutcome;
      try {
        outcome = await this.#attempt(task, input, options);
      } catch (error) {
        if (signal?.aborted) throw new InterruptedError(`task ${task.name} was aborted`, { cause: signal.reason });
        if (this.#closing)
          throw new InterruptedError(`task ${task.name}: the worker pool was closed before it was done`);
        if (!(error instanceof WorkerDeath)) throw error;
        if (transfer.length === 0 && attempt < MAX_ATTEMPTS) continue;
        const why = transfer.length > 0 ? 'its input was moved there, so it was not retried' : `in ${attempt} attempts`;
        throw new IoError(`task ${task.name}: its worker died, ${why}: ${error.message}`, { cause: error.cause });
      }
      if ('failure' in outcome) throw reviveFailure(outcome.failure);
      return outcome.value as O;
    }
  }

  /**
   * Runs a task on every input and yields the results in the inputs' order. At most `workers + 2` tasks are started
   * and not yet yielded, so that a slow consumer slows the workers down; inputs are drawn as late. Leaving the loop or
   * an error aborts the tasks underway.
   * @throws as `run` does
   */
  async *map<I, O>(task: Task, inputs: Iterable<I> | AsyncIterable<I>, options: MapOptions = {}): AsyncGenerator<O> {
    const { signal, onMessage } = options;
    const stop = new AbortController();
    const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const underway: Promise<O>[] = [];
    let started = 0;
    try {
      for await (const input of inputs) {
        const index = started++;
        const listener = onMessage ? { onMessage: (message: unknown) => onMessage(message, index) } : {};
        const result = this.run<I, O>(task, input, { signal: either, ...listener });
        // It is awaited later, or never after an error; until then its own error must not end the process.
        result.catch(() => {});
        underway.push(result);
        if (underway.length === this.workers + LOOK_AHEAD) yield await underway.shift()!;
      }
      while (underway.length > 0) yield await underway.shift()!;
    } finally {
      stop.abort();
    }
  }

  /** Ends all workers; tasks that are not done reject with an InterruptedError. Nothing keeps the process alive afterwards. */
  close(): Promise<void> {
    if (!this.#closing) {
      // A worker that was aborted just before exits only after this, and Piscina would replace it.
      if (this.#started) this.#started.options.minThreads = 0;
      this.#closing = this.#started?.destroy() ?? Promise.resolve();
    }
    return this.#closing;
  }

  async #attempt<I>(task: Task, input: I, { transfer = [], signal, onMessage }: RunOptions): Promise<TaskOutcome> {
    const message: TaskMessage = { module: String(task.module), name: task.name, input };
    if (!onMessage) return this.#post(message, transfer as Transferable[], signal);

    const { port1, port2 } = new MessageChannel();
    const listenerFailed = new AbortController();
    port1.on('message', (report) => {
      try {
        onMessage(report);
      } catch (error) {
        listenerFailed.abort(error);
      }
    });
    const either = signal ? AbortSignal.any([signal, listenerFailed.signal]) : listenerFailed.signal;
    try {
      const outcome = await this.#post({ ...message, port: port2 }, [...(transfer as Transferable[]), port2], either);
      // Reports have arrived before the outcome, but may still wait for their event.
      for (let report = receiveMessageOnPort(port1); report; report = receiveMessageOnPort(port1))
        onMessage(report.message);
      return outcome;
    } catch (error) {
      throw listenerFailed.signal.aborted ? listenerFailed.signal.reason : error;
    } finally {
      port1.close();
    }
  }

  /** @throws WorkerDeath, TypeError for an input that cannot be cloned, or Piscina's AbortError */
  async #post(message: TaskMessage, transfer: Transferable[], signal?: AbortSignal): Promise<TaskOutcome> {
    try {
      return await this.#threads().run(message, {
        // A signal of its own: Node warns of leaks when many tasks listen to one.
        ...(signal ? { signal: AbortSignal.any([signal]) } : {}),
        transferList: transfer,
      });
    } catch (error) {
      const { name, message: reason } = error as Error;
      if (name === 'AbortError') throw error;
      if (name === 'DataCloneError') throw new TypeError(`task ${message.name}: ${reason}`, { cause: error });
      throw new WorkerDeath(reason, { cause: error });
    }
  }
}

/**
 * The entry of the workers.
 * @throws UnavailableError where a bundler has taken this module away from it: tasks are modules that workers load by URL.
 */
function workerFile(): string {
  const url = new URL('./entry.cjs', import.meta.url);
  if (url.protocol === 'file:' && existsSync(url)) return fileURLToPath(url);
  throw new UnavailableError(
    'worker pool: its entry.cjs is not beside this module: a program that bundles equiflow and uses workers leaves it external',
  );
}

/** Tasks answer with their errors as data, so whatever else comes back is the end of the worker. */
class WorkerDeath extends Error {}
