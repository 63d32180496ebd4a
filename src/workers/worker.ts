import { type MessagePort, type Transferable, workerData } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { describeFailure, type Failure } from './failure.js';
import { isMoved, type TaskContext, type TaskFunction } from './task.js';

/** One task as it is posted to a worker. */
export interface TaskMessage {
  readonly module: string;
  readonly name: string;
  readonly input: unknown;
  readonly port?: MessagePort;
}

/** What every worker of a pool is told as it starts. */
export interface WorkerSettings {
  readonly preload: string | undefined;
}

/** Errors are answers too: as exceptions they would lose class and code on their way. */
export type TaskOutcome = { readonly value: unknown } | { readonly failure: Failure };

const { preload } = workerData as WorkerSettings;
// Not awaited here: in Node.js 20 the process aborts where a thread is ended while a module with top-level await begins.
// A module that cannot be loaded is the error of the task that needs it.
const preloaded = preload === undefined ? undefined : import(preload).catch(() => {});

/** The generic entry that every worker runs. */
export async function runTask({ module, name, input, port }: TaskMessage): Promise<unknown> {
  try {
    await preloaded;
    const task: unknown = (await import(module))[name];
    if (typeof task !== 'function') throw new Error(`${module} exports no function ${name}`);
    const context: TaskContext = { report: (message) => port?.postMessage(message) };
    const result = await (task as TaskFunction<unknown, unknown>)(input, context);
    // Cloned here first, which copies no moved buffer, because a result that Piscina cannot post kills the worker.
    if (!isMoved(result)) return { value: structuredClone(result) } satisfies TaskOutcome;
    const { value, transfer } = structuredClone(
      { value: result.value, transfer: result.transfer },
      { transfer: result.transfer as Transferable[] },
    );
    return move({ [transferableSymbol]: transfer, [valueSymbol]: { value } satisfies TaskOutcome });
  } catch (error) {
    return { failure: describeFailure(error) } satisfies TaskOutcome;
  } finally {
    port?.close();
  }
}
